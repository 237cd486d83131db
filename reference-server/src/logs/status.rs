//! The state of a job, which `status` events tell.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::entry::MAX_NAME_BYTES;

/// What `PUT /api/jobs/{id}/status` sends.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewStatus {
    status: String,
    /// Left out, the steps stay as they are.
    steps: Option<Vec<Step>>,
}

/// A job's state: also the payload of a `status` event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct JobStatus {
    job: Job,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Job {
    id: String,
    status: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    id: String,
    name: String,
    status: String,
}

/// Why a posted state makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum NonsenseStatus {
    #[error("the id and status of a job and of each of its steps must not be empty")]
    Empty,
    #[error("ids, names and statuses may have at most {MAX_NAME_BYTES} bytes")]
    LongName,
    #[error("a job may have at most {MAX_STEPS} steps")]
    TooManySteps,
}

const MAX_STEPS: usize = 256;

impl NewStatus {
    pub(super) fn check(&self) -> Result<(), NonsenseStatus> {
        let steps = self.steps.as_deref().unwrap_or_default();
        let required = || steps.iter().flat_map(|s| [&s.id, &s.status]).chain([&self.status]);
        if steps.len() > MAX_STEPS {
            Err(NonsenseStatus::TooManySteps)
        } else if required().any(String::is_empty) {
            Err(NonsenseStatus::Empty)
        } else if required().chain(steps.iter().map(|s| &s.name)).any(|text| text.len() > MAX_NAME_BYTES) {
            Err(NonsenseStatus::LongName)
        } else {
            Ok(())
        }
    }

    /// The state of job `id` after this change.
    pub(super) fn after(self, id: &str, before: Option<&JobStatus>) -> JobStatus {
        let kept = || before.map(|status| status.steps.clone()).unwrap_or_default();
        JobStatus {
            job: Job { id: id.to_owned(), status: self.status },
            steps: self.steps.unwrap_or_else(kept),
        }
    }
}

impl JobStatus {
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings always serialise")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> NewStatus {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn steps_stay_where_a_change_does_not_name_them() {
        let step = r#"{"id":"s1","name":"build","status":"running"}"#;
        let running = parse(&format!(r#"{{"status":"running","steps":[{step}]}}"#)).after("7", None);
        let done = parse(r#"{"status":"done"}"#).after("7", Some(&running));
        assert_eq!(done.to_json(), format!(r#"{{"job":{{"id":"7","status":"done"}},"steps":[{step}]}}"#));
    }

    #[test]
    fn nonsense_is_named() {
        assert_eq!(parse(r#"{"status":""}"#).check(), Err(NonsenseStatus::Empty));
        let long = "x".repeat(MAX_NAME_BYTES + 1);
        let status = parse(&format!(r#"{{"status":"{long}"}}"#));
        assert_eq!(status.check(), Err(NonsenseStatus::LongName));
        let step = r#"{"id":"s","name":"","status":"s"}"#;
        let steps = vec![step; MAX_STEPS + 1].join(",");
        let status = parse(&format!(r#"{{"status":"s","steps":[{steps}]}}"#));
        assert_eq!(status.check(), Err(NonsenseStatus::TooManySteps));
    }
}
