//! What a night has done so far, kept on disk so that it goes on where it stopped.

use std::{collections::BTreeMap, fs, io, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Failure, places, session::Outcome};

/// A night.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// Seconds that it is to last.
    pub(super) planned: u64,
    /// Seconds that are over.
    pub(super) spent: u64,
    /// Whose turn is next.
    pub(super) next: usize,
    pub(super) targets: BTreeMap<String, Totals>,
    pub(super) findings: Vec<Finding>,
}

/// What one target has done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Totals {
    pub(super) runs: u64,
    pub(super) seconds: f64,
    pub(super) edges_at_start: u64,
    pub(super) edges: u64,
    pub(super) new_inputs: u64,
    pub(super) findings: u64,
}

/// Something that broke.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Finding {
    pub(super) target: String,
    pub(super) what: String,
    /// Minimised, relative to the workspace.
    pub(super) input: String,
    /// How often it came, in the same place.
    pub(super) times: u64,
}

impl Totals {
    pub(super) fn add(&mut self, outcome: &Outcome) {
        if self.runs == 0 {
            self.edges_at_start = outcome.edges_at_start;
        }
        self.runs += outcome.runs;
        self.seconds += outcome.seconds;
        self.edges = self.edges.max(outcome.edges);
        self.new_inputs += outcome.new_inputs;
    }

    pub(super) fn runs_a_second(&self) -> u64 {
        if self.seconds > 0.0 { (self.runs as f64 / self.seconds) as u64 } else { 0 }
    }
}

impl State {
    /// The night that was stopped before its end, if there is one.
    pub(super) fn unfinished() -> Result<Option<Self>, Failure> {
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

    pub(super) fn left(&self) -> Duration {
        Duration::from_secs(self.planned.saturating_sub(self.spent))
    }

    /// Written beside and then moved, so that no half of it is ever read.
    pub(super) fn save(&self) -> Result<(), Failure> {
        let path = path();
        let beside = path.with_extension("json.new");
        let text = serde_json::to_vec_pretty(self).map_err(|error| Failure::new(error.to_string()))?;
        fs::write(&beside, text).map_err(Failure::at(&beside))?;
        fs::rename(&beside, &path).map_err(Failure::at(&path))
    }

    pub(super) fn forget() -> Result<(), Failure> {
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
