//! How much of what was exchanged a run keeps for its reports.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::event::CaseResult;

/// Up to this size, in bytes, the exchanges of all cases together are kept whole.
const WHOLE: usize = 3 << 20;

/// Up to this size those that show a mismatch are kept, and the last one of each case.
const TELLING: usize = 5 << 20;

/// Counts what the results of a run hold.
#[derive(Debug, Default)]
pub(super) struct Room {
    used: AtomicUsize,
}

impl Room {
    /// Leaves exchanges out of a result where the run holds many already: a target that fails everything with large
    /// answers must not fill the memory, and its first failures tell enough.
    pub(super) fn fit(&self, result: &mut CaseResult) {
        let used = self.used.load(Ordering::Relaxed);
        if used + size(result) > WHOLE {
            keep(result, used < TELLING);
        }
        self.used.fetch_add(size(result), Ordering::Relaxed);
    }
}

fn size(result: &CaseResult) -> usize {
    result.exchanges.iter().map(|exchange| exchange.footprint()).sum()
}

/// Keeps the exchanges that mismatches name and the last one, or none.
fn keep(result: &mut CaseResult, telling: bool) {
    let last = result.exchanges.len().checked_sub(1);
    let named = |number: usize| result.mismatches.iter().any(|mismatch| mismatch.exchange == Some(number));
    let kept: Vec<usize> = (0..result.exchanges.len())
        .filter(|&number| telling && (named(number) || Some(number) == last))
        .collect();
    for mismatch in &mut result.mismatches {
        mismatch.exchange = mismatch.exchange.and_then(|number| kept.binary_search(&number).ok());
    }
    let mut number = 0;
    result.exchanges.retain(|_| {
        number += 1;
        kept.binary_search(&(number - 1)).is_ok()
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn what_shows_a_mismatch_stays_and_is_still_named() {
        let run = sample::troubled();
        let mut seen = 0;
        for case in &run.cases {
            let mut kept = case.clone();
            keep(&mut kept, true);
            for (before, after) in case.mismatches.iter().zip(&kept.mismatches) {
                let shown =
                    |case: &CaseResult, number: Option<usize>| number.map(|at| case.exchanges[at].clone());
                assert_eq!(shown(case, before.exchange), shown(&kept, after.exchange));
                seen += 1;
            }
            assert_eq!(kept.exchanges.last(), case.exchanges.last());
            keep(&mut kept, false);
            assert!(kept.exchanges.is_empty());
            assert!(kept.mismatches.iter().all(|mismatch| mismatch.exchange.is_none()));
        }
        assert!(seen > 0);
    }

    #[test]
    fn a_run_never_keeps_more_than_its_room() {
        let room = Room::default();
        let troubled = sample::troubled();
        let case = troubled.cases.iter().max_by_key(|case| size(case)).expect("a case");
        let mut kept = 0;
        for _ in 0..2 * TELLING / size(case) {
            let mut result = case.clone();
            room.fit(&mut result);
            kept += size(&result);
        }
        assert!((WHOLE..=TELLING + size(case)).contains(&kept), "{kept}");
    }
}
