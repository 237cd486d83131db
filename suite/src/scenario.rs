//! Experiments that data cannot say: concurrency, races, histories, random data. They share ids, events and
//! verdicts with the cases in YAML.

mod act;
mod concurrent_appends;

use std::{fmt, future::Future, pin::Pin};

use crate::{
    case::Wait,
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
    pub waits_for: Option<Wait>,
    /// Where it is written: file and line.
    pub written: (&'static str, u32),
    pub run: for<'a> fn(&'a Stage) -> Running<'a>,
}

impl Scenario {
    /// Its place, for people.
    pub fn place(&self) -> Place {
        Place { file: self.written.0.to_owned(), line: u64::from(self.written.1) }
    }
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenario").field("id", &self.id).finish_non_exhaustive()
    }
}

/// All scenarios.
pub fn all() -> Vec<&'static Scenario> {
    vec![&concurrent_appends::WHOLE]
}
