//! What a night has done so far, kept on disk so that it goes on where it stopped.

use std::{collections::BTreeMap, fs, io, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{Failure, places, session::Outcome};

/// A night.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// Seconds that it is to last.
    pub(crate) planned: u64,
    /// Seconds that are over.
    pub(crate) spent: u64,
    /// Whose turn is next.
    pub(crate) next: usize,
    pub(crate) targets: BTreeMap<String, Totals>,
    pub(crate) findings: Vec<Finding>,
}

/// What one target has done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Totals {
    pub(crate) runs: u64,
    pub(crate) seconds: f64,
    pub(crate) edges_at_start: u64,
    pub(crate) edges: u64,
    pub(crate) new_inputs: u64,
    pub(crate) findings: u64,
}

/// Something that broke.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Finding {
    pub(crate) target: String,
    pub(crate) what: String,
    /// Minimised, relative to the workspace.
    pub(crate) input: String,
    /// How often it came, in the same place.
    pub(crate) times: u64,
}

impl Totals {
    pub(crate) fn add(&mut self, outcome: &Outcome) {
        if self.runs == 0 {
            self.edges_at_start = outcome.edges_at_start;
        }
        self.runs += outcome.runs;
        self.seconds += outcome.seconds;
        self.edges = self.edges.max(outcome.edges);
        self.new_inputs += outcome.new_inputs;
    }

    pub(crate) fn runs_a_second(&self) -> u64 {
        if self.seconds > 0.0 { (self.runs as f64 / self.seconds) as u64 } else { 0 }
    }
}

impl State {
    /// The night that was stopped before its end, if there is one.
    pub(crate) fn unfinished() -> Result<Option<Self>, Failure> {
        let path = path();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::at(&path)(error)),
        };
        let state = serde_json::from_str(&text).map_err(|error| {
            Failure::new(format!("{}: {error}; remove it, or say --fresh", path.display()))
        })?;
        Ok(Some(state))
    }

    pub(crate) fn left(&self) -> Duration {
        Duration::from_secs(self.planned.saturating_sub(self.spent))
    }

    /// Written beside and then moved, so that no half of it is ever read.
    pub(crate) fn save(&self) -> Result<(), Failure> {
        let path = path();
        let beside = path.with_extension("json.new");
        let text = serde_json::to_vec_pretty(self).map_err(|error| Failure::new(error.to_string()))?;
        fs::write(&beside, text).map_err(Failure::at(&beside))?;
        fs::rename(&beside, &path).map_err(Failure::at(&path))
    }

    pub(crate) fn forget() -> Result<(), Failure> {
        match fs::remove_file(path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Failure::at(&path())(error)),
            _ => Ok(()),
        }
    }
}

fn path() -> PathBuf {
    places::artifacts().join("overnight.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_add_up() {
        let mut totals = Totals::default();
        let first =
            Outcome { runs: 100, seconds: 2.0, edges_at_start: 5, edges: 9, new_inputs: 3, broke: None };
        totals.add(&first);
        totals.add(&Outcome { edges_at_start: 9, edges: 8, ..first });
        let expected =
            Totals { runs: 200, seconds: 4.0, edges_at_start: 5, edges: 9, new_inputs: 6, findings: 0 };
        assert_eq!(totals, expected);
        assert_eq!(totals.runs_a_second(), 50);
    }
}
