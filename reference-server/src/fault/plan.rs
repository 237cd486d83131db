//! When faults strike: a number for every exchange, and chance from a seed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ::http::request::Parts;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use url::form_urlencoded;

use super::{Fault, Kind, Only, When};

/// All faults of a server, with the exchanges that each could have touched so far.
#[derive(Debug)]
pub(crate) struct FaultPlan {
    faults: Vec<Counted>,
    seed: u64,
}

#[derive(Debug)]
struct Counted {
    fault: Fault,
    exchanges: AtomicU64,
}

/// A fault that strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Strike {
    pub(super) kind: Kind,
    /// By how much an answer comes later.
    pub(super) latency: Duration,
}

/// What has to be known before a fault can touch an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Request,
    Answer { has_body: bool, is_event_stream: bool },
}

impl FaultPlan {
    /// `None` where nothing is to go wrong: then there is to be no layer.
    pub(crate) fn of(faults: &[Fault], seed: u64) -> Option<Arc<Self>> {
        let counted = |fault: &Fault| Counted { fault: fault.clone(), exchanges: AtomicU64::new(0) };
        (!faults.is_empty()).then(|| Arc::new(Self { faults: faults.iter().map(counted).collect(), seed }))
    }

    /// The faults that strike an exchange at this stage.
    pub(super) fn strikes(&self, asked: &Parts, stage: Stage) -> Vec<Strike> {
        let fitting = self.faults.iter().enumerate();
        let fitting = fitting
            .filter(|(_, counted)| counted.fault.kind.can_touch(stage) && counted.fault.only.fits(asked));
        fitting.filter_map(|(index, counted)| self.strike(index as u64, counted)).collect()
    }

    fn strike(&self, index: u64, counted: &Counted) -> Option<Strike> {
        let number = counted.exchanges.fetch_add(1, Ordering::Relaxed) + 1;
        // Its own chance for every exchange of every fault: what others do does not change it.
        let mut seed = [0; 32];
        for (place, word) in seed.chunks_exact_mut(8).zip([self.seed, index, number, 0]) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        let mut chance = StdRng::from_seed(seed);
        let strikes = match counted.fault.when {
            When::Always => true,
            When::Rate(rate) => chance.random_bool(rate),
            When::Nth(nth) => number == nth,
            When::Every(every) => number.is_multiple_of(every),
            When::First(first) => number <= first,
        };
        let latency = match counted.fault.kind {
            Kind::Latency(shortest, longest) => chance.random_range(shortest..=longest),
            _ => Duration::ZERO,
        };
        strikes.then_some(Strike { kind: counted.fault.kind, latency })
    }
}

impl Kind {
    fn can_touch(self, stage: Stage) -> bool {
        match (self, stage) {
            (Self::Latency(..) | Self::Refuse { .. } | Self::HangUp, stage) => stage == Stage::Request,
            (_, Stage::Request) => false,
            (Self::LoseAnswer, Stage::Answer { .. }) => true,
            (Self::CutBody { .. } | Self::Stall { .. }, Stage::Answer { has_body, .. }) => has_body,
            (Self::CutEvent { .. } | Self::EndEvents { .. }, Stage::Answer { is_event_stream, .. }) => {
                is_event_stream
            }
        }
    }
}

impl Only {
    fn fits(&self, asked: &Parts) -> bool {
        let live = || {
            let query = asked.uri.query().unwrap_or_default();
            let mut parameters = form_urlencoded::parse(query.as_bytes());
            let live = parameters.find(|(name, _)| name == "live");
            live.map_or_else(|| "none".to_owned(), |(_, mode)| mode.into_owned())
        };
        self.method.as_ref().is_none_or(|method| asked.method == method.as_str())
            && self.live.as_ref().is_none_or(|wanted| *wanted == live())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &str, uri: &str) -> Parts {
        ::http::Request::builder().method(method).uri(uri).body(()).unwrap().into_parts().0
    }

    fn struck(spec: &str, seed: u64, exchanges: usize) -> Vec<usize> {
        let plan = FaultPlan::of(&[spec.parse().unwrap()], seed).unwrap();
        let asked = asked("GET", "/a");
        (1..=exchanges).filter(|_| !plan.strikes(&asked, Stage::Request).is_empty()).collect()
    }

    #[test]
    fn a_server_without_faults_has_no_plan() {
        assert!(FaultPlan::of(&[], 1).is_none());
    }

    #[test]
    fn counts_are_kept() {
        assert_eq!(struck("503@nth=3", 1, 7), [3]);
        assert_eq!(struck("503@every=3", 1, 7), [3, 6]);
        assert_eq!(struck("503@first=2", 1, 7), [1, 2]);
        assert_eq!(struck("503", 1, 3), [1, 2, 3]);
    }

    #[test]
    fn a_seed_repeats_chance_and_another_does_not() {
        let once = struck("503@20%", 7, 500);
        assert_eq!(struck("503@20%", 7, 500), once);
        assert_ne!(struck("503@20%", 8, 500), once);
        assert!((60..=140).contains(&once.len()), "{}", once.len());
        assert_eq!(struck("503@0%", 7, 100), Vec::<usize>::new());
    }

    #[test]
    fn only_what_is_meant_is_counted() {
        let plan = FaultPlan::of(&["503@nth=1,method=POST,live=none".parse().unwrap()], 1).unwrap();
        let strikes = |method, uri| plan.strikes(&asked(method, uri), Stage::Request).len();
        assert_eq!(strikes("GET", "/a"), 0);
        assert_eq!(strikes("POST", "/a?live=sse"), 0);
        assert_eq!(strikes("POST", "/a"), 1);
        assert_eq!(strikes("POST", "/a"), 0);
    }
}
