//! Experiments that data cannot say: concurrency, races, histories, random data. They share ids, events and
//! verdicts with the cases in YAML.

mod act;
mod events;
mod pages;
mod proof;
mod random;
mod stream;

mod closing;
mod concurrent_appends;
mod creation;
mod credentials;
mod cursors;
mod event_streams;
mod exact_bytes;
mod json_values;
mod large_streams;
mod lifetimes;
mod logs;
mod long_polls;
mod modes;
mod offsets;
mod order;
mod producers;
mod recreation;
mod sequence;

use std::{fmt, future::Future, panic::Location, pin::Pin};

use crate::{
    case::{On, Wait},
    fixture::Place,
    rule::Capability,
    run::{Halt, Stage},
};

/// What running a scenario gives.
pub type Running<'a> = Pin<Box<dyn Future<Output = Result<(), Halt>> + Send + 'a>>;

/// One experiment in code.
pub struct Scenario {
    pub id: &'static str,
    pub title: &'static str,
    /// Names of the rules that it may accuse.
    pub proves: &'static [&'static str],
    /// What the target must claim for it.
    pub needs: &'static [Capability],
    /// Which of the target's URLs it asks.
    pub asks: &'static [On],
    pub waits_for: Option<Wait>,
    /// How often it waits for that, one after another.
    pub waits: u32,
    /// It compares requests with credentials to requests without, so the user must have given some.
    pub needs_credentials: bool,
    /// It reads so much that it takes turns with others that do: together they would need more room than there is.
    pub moves_much: bool,
    /// Where it is written.
    written: &'static Location<'static>,
    pub run: for<'a> fn(&'a Stage) -> Running<'a>,
}

impl Scenario {
    #[track_caller]
    const fn new(
        id: &'static str,
        title: &'static str,
        proves: &'static [&'static str],
        run: for<'a> fn(&'a Stage) -> Running<'a>,
    ) -> Self {
        Self {
            id,
            title,
            proves,
            needs: &[],
            asks: &[On::Streams],
            waits_for: None,
            waits: 1,
            needs_credentials: false,
            moves_much: false,
            written: Location::caller(),
            run,
        }
    }

    /// The same, for targets that claim this.
    const fn needing(mut self, needs: &'static [Capability]) -> Self {
        self.needs = needs;
        self
    }

    /// The same, for a scenario that asks other URLs of the target than the stream root.
    const fn asking(mut self, asks: &'static [On]) -> Self {
        self.asks = asks;
        self
    }

    /// The same, for a scenario that waits for something in the target, so many times.
    const fn waiting_for(mut self, wait: Wait, times: u32) -> Self {
        self.waits_for = Some(wait);
        self.waits = times;
        self
    }

    /// The same, for a scenario that tells requests with credentials from those without.
    const fn with_credentials(mut self) -> Self {
        self.needs_credentials = true;
        self
    }

    /// The same, for a scenario that reads more than a mebibyte.
    const fn moving_much(mut self) -> Self {
        self.moves_much = true;
        self
    }

    /// Its place, for people.
    pub fn place(&self) -> Place {
        Place { file: self.written.file().to_owned(), line: u64::from(self.written.line()) }
    }
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenario").field("id", &self.id).finish_non_exhaustive()
    }
}

/// All scenarios.
pub fn all() -> Vec<&'static Scenario> {
    let mut all = vec![
        &closing::ATOMIC,
        &closing::LAST_WORDS,
        &closing::WAKES,
        &concurrent_appends::WHOLE,
        &creation::ONCE,
        &credentials::NEEDED,
        &cursors::CHAIN,
        &cursors::INTERVALS,
        &cursors::JITTER,
        &event_streams::BACKLOG_THEN_LIVE,
        &event_streams::UP_TO_DATE_NOT_EARLY,
        &exact_bytes::ANY_CHUNKING,
        &exact_bytes::KEPT,
        &json_values::FAITHFUL,
        &json_values::LITERAL,
        &large_streams::CLOSED_PAGES,
        &large_streams::JSON_PAGES,
        &large_streams::EVENT_PAGES,
        &large_streams::PAGES,
        &lifetimes::MAX_AGE,
        &long_polls::NO_LOST_WAKEUP,
        &long_polls::SKIPS_NOTHING,
        &modes::BINARY,
        &modes::BLANKS,
        &modes::FIELDS,
        &modes::JSON,
        &modes::LINES,
        &modes::SPLIT_LETTERS,
        &modes::TEXT,
        &offsets::INCREASING,
        &offsets::UNIQUE,
        &order::PREFIX,
        &producers::PIPELINE,
        &recreation::FRESH,
        &sequence::BYTEWISE,
    ];
    all.extend(logs::all());
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{fixture::FixtureSource, rule::Catalogue, rule::RuleId};

    #[test]
    fn scenarios_have_ids_of_their_own_and_name_rules_that_exist() {
        let catalogue = Catalogue::load(&FixtureSource::Embedded).unwrap_or_else(|error| panic!("{error}"));
        let mut ids = BTreeSet::new();
        for scenario in all() {
            assert!(ids.insert(scenario.id), "{} occurs twice", scenario.id);
            assert!(!scenario.proves.is_empty(), "{} proves nothing", scenario.id);
            for rule in scenario.proves {
                assert!(catalogue.rule(&RuleId::new(*rule)).is_some(), "{}: no rule {rule}", scenario.id);
            }
        }
    }
}
