//! Log entries: as they are sent in, and as they are kept.

use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How serious an entry is. As a filter it is a threshold: that level and above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    /// All levels, least serious first.
    pub const ALL: [Level; 4] = [Level::Debug, Level::Info, Level::Warn, Level::Error];
}

/// A level this endpoint does not know.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("level must be debug, info, warn or error, not {0:?}")]
pub struct UnknownLevel(String);

impl FromStr for Level {
    type Err = UnknownLevel;

    /// Takes the names in any letter case, and the three-letter forms that log frames print.
    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        match text.to_ascii_lowercase().as_str() {
            "debug" | "dbg" => Ok(Level::Debug),
            "info" | "inf" => Ok(Level::Info),
            "warn" | "wrn" => Ok(Level::Warn),
            "error" | "err" => Ok(Level::Error),
            _ => Err(UnknownLevel(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Level {
    type Error = UnknownLevel;

    fn try_from(text: String) -> Result<Self, UnknownLevel> {
        text.parse()
    }
}

/// An entry as it is posted. Without `job_id` it belongs to the service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewEntry {
    pub(super) level: Level,
    pub(super) message: String,
    pub(super) job_id: Option<String>,
    pub(super) step_name: Option<String>,
    /// Left out, lines of a job are numbered in the order they come, from 1.
    pub(super) line_number: Option<u64>,
}

/// Why a posted entry makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum NonsenseEntry {
    #[error("job_id must not be empty; leave it out for an entry of the service")]
    EmptyJobId,
    #[error("step_name and line_number belong to entries of a job: job_id is missing")]
    StepWithoutJob,
    #[error("job_id and step_name may have at most {MAX_NAME_BYTES} bytes")]
    LongName,
    #[error("line_number may be at most {MAX_LINE_NUMBER}")]
    HugeLineNumber,
}

/// The longest id or name taken, in bytes.
pub(super) const MAX_NAME_BYTES: usize = 512;
/// The largest integer that every JSON reader keeps exact.
const MAX_LINE_NUMBER: u64 = (1 << 53) - 1;

impl NewEntry {
    pub(super) fn check(&self) -> Result<(), NonsenseEntry> {
        let too_long = |name: &Option<String>| name.as_ref().is_some_and(|n| n.len() > MAX_NAME_BYTES);
        if self.job_id.as_deref() == Some("") {
            Err(NonsenseEntry::EmptyJobId)
        } else if self.job_id.is_none() && (self.step_name.is_some() || self.line_number.is_some()) {
            Err(NonsenseEntry::StepWithoutJob)
        } else if too_long(&self.job_id) || too_long(&self.step_name) {
            Err(NonsenseEntry::LongName)
        } else if self.line_number.is_some_and(|n| n > MAX_LINE_NUMBER) {
            Err(NonsenseEntry::HugeLineNumber)
        } else {
            Ok(())
        }
    }
}

/// An entry as it is kept: its JSON is written once and shared by all readers.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) level: Level,
    step: Option<Box<str>>,
    json: Box<str>,
}

/// What the server adds to a posted entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp<'a> {
    /// Grows from entry to entry of the whole server, so that a client can merge what it gets twice.
    pub(super) sequence: u64,
    /// Time of day in UTC, `10:30:45`.
    pub(super) timestamp: &'a str,
    /// The line's number in its job, where the entry does not say.
    pub(super) line_number: u64,
}

impl Entry {
    pub(super) fn new(new: NewEntry, stamp: Stamp<'_>) -> Arc<Self> {
        let job = new.job_id.as_deref().map(|job_id| JobPart {
            job_id,
            step_name: new.step_name.as_deref().unwrap_or_default(),
            line_number: new.line_number.unwrap_or(stamp.line_number),
        });
        let wire = WireEntry {
            sequence: stamp.sequence,
            timestamp: stamp.timestamp,
            level: new.level,
            message: &new.message,
            job,
        };
        let json = serde_json::to_string(&wire).expect("strings and integers always serialise");
        Arc::new(Self {
            level: new.level,
            step: new.step_name.filter(|step| !step.is_empty()).map(String::into_boxed_str),
            json: json.into_boxed_str(),
        })
    }

    /// The entry as one JSON object, without line breaks.
    pub(super) fn json(&self) -> &str {
        &self.json
    }

    pub(super) fn step(&self) -> Option<&str> {
        self.step.as_deref()
    }

    /// What the entry costs in memory, in bytes.
    pub(super) fn cost(&self) -> usize {
        /// The counts of its Arc, its place in the ring, the end of a batch that it may bring about.
        const BESIDE: usize = 64;
        BESIDE + size_of::<Self>() + self.json.len() + self.step().map_or(0, str::len)
    }
}

#[derive(Serialize)]
struct WireEntry<'a> {
    sequence: u64,
    timestamp: &'a str,
    level: Level,
    message: &'a str,
    #[serde(flatten)]
    job: Option<JobPart<'a>>,
}

#[derive(Serialize)]
struct JobPart<'a> {
    job_id: &'a str,
    step_name: &'a str,
    line_number: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_in_any_case_and_in_three_letters() {
        for (text, level) in [
            ("debug", Level::Debug),
            ("DBG", Level::Debug),
            ("Info", Level::Info),
            ("inf", Level::Info),
            ("WARN", Level::Warn),
            ("wrn", Level::Warn),
            ("err", Level::Error),
            ("eRRor", Level::Error),
        ] {
            assert_eq!(text.parse(), Ok(level), "{text}");
        }
        for text in ["", "all", "warning", " info", "infο"] {
            assert!(text.parse::<Level>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_entry_is_one_line_whatever_its_message() {
        let new = NewEntry {
            level: Level::Warn,
            message: "a\nevent: logs\r\n\"\u{0}".into(),
            job_id: Some("7".into()),
            step_name: None,
            line_number: None,
        };
        let entry = Entry::new(new, Stamp { sequence: 5, timestamp: "10:30:45", line_number: 3 });
        assert!(!entry.json().contains(['\n', '\r']));
        let value: serde_json::Value = serde_json::from_str(entry.json()).unwrap();
        assert_eq!(
            value,
            serde_json::json!({
                "sequence": 5, "timestamp": "10:30:45", "level": "warn",
                "message": "a\nevent: logs\r\n\"\u{0}",
                "job_id": "7", "step_name": "", "line_number": 3,
            })
        );
    }

    #[test]
    fn nonsense_is_named() {
        let parse = |json: &str| serde_json::from_str::<NewEntry>(json).unwrap().check();
        assert_eq!(parse(r#"{"level":"info","message":""}"#), Ok(()));
        assert_eq!(parse(r#"{"level":"info","message":"","job_id":""}"#), Err(NonsenseEntry::EmptyJobId));
        assert_eq!(
            parse(r#"{"level":"info","message":"","step_name":"build"}"#),
            Err(NonsenseEntry::StepWithoutJob)
        );
        assert_eq!(
            parse(r#"{"level":"info","message":"","job_id":"1","line_number":9007199254740992}"#),
            Err(NonsenseEntry::HugeLineNumber)
        );
        let long = "x".repeat(MAX_NAME_BYTES + 1);
        assert_eq!(
            parse(&format!(r#"{{"level":"info","message":"","job_id":"{long}"}}"#)),
            Err(NonsenseEntry::LongName)
        );
    }
}
