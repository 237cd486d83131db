//! A report in JSON, read back: as much of it as a comparison needs.

use std::path::Path;

use serde::Deserialize;

use crate::{
    event::{CaseVerdict, Mismatch, RuleResult, RuleVerdict},
    report::{
        findings::{Conclusion, Tally},
        json::SCHEMA_NAME,
    },
    rule::RuleId,
};

/// A report and the name under which it is told of.
#[derive(Clone, Debug)]
pub struct Server {
    pub name: String,
    pub report: Recorded,
}

/// What is read of a report. What later versions of the program add to the form is passed over.
#[derive(Clone, Debug, Deserialize)]
pub struct Recorded {
    pub tool: Tool,
    pub target: Target,
    pub conclusion: Conclusion,
    pub unusable: Option<String>,
    pub incomplete: Incomplete,
    pub duration_ms: f64,
    pub rules: Vec<RuleResult>,
    pub cases: Vec<RecordedCase>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Tool {
    pub version: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Target {
    pub url: String,
}

/// Rules judged `error` that were not checked.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Incomplete {
    pub rules: usize,
}

#[derive(Clone, Debug, Deserialize)]
pub struct RecordedCase {
    pub id: String,
    pub proves: Vec<RuleId>,
    pub verdict: CaseVerdict,
    pub mismatches: Vec<Mismatch>,
}

/// A file that cannot be compared: which, why, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum RecordedError {
    #[error("{file}: {error}; write one with `streamgauge check URL --report json={file}`")]
    Unreadable { file: String, error: std::io::Error },
    #[error(
        "{file}: no JSON report of streamgauge: {error}; write one with `streamgauge check URL --report json=FILE`"
    )]
    NoReport { file: String, error: serde_json::Error },
    #[error(
        "{file}: a report of the form {found:?}, and this program reads {SCHEMA_NAME:?}; write it anew with this version, or compare it with the one that wrote it"
    )]
    OtherForm { file: String, found: String },
}

impl Recorded {
    /// Reads a report.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is no report of this form.
    pub fn read(path: &Path) -> Result<Self, RecordedError> {
        let file = path.display().to_string();
        match std::fs::read(path) {
            Ok(bytes) => Self::parse(&bytes, &file),
            Err(error) => Err(RecordedError::Unreadable { file, error }),
        }
    }

    /// The same from bytes; `file` is for messages.
    ///
    /// # Errors
    ///
    /// When they are no report of this form.
    pub fn parse(bytes: &[u8], file: &str) -> Result<Self, RecordedError> {
        #[derive(Deserialize)]
        struct Form {
            schema: String,
        }
        let no_report = |error| RecordedError::NoReport { file: file.to_owned(), error };
        // The form comes first: what another one lacks is no mistake in it.
        let form: Form = serde_json::from_slice(bytes).map_err(no_report)?;
        if form.schema != SCHEMA_NAME {
            return Err(RecordedError::OtherForm { file: file.to_owned(), found: form.schema });
        }
        serde_json::from_slice(bytes).map_err(no_report)
    }

    /// The verdict on that rule, and why; `None` where the report does not list it.
    pub fn rule(&self, id: &RuleId) -> Option<&RuleResult> {
        self.rules.iter().find(|rule| rule.id == *id)
    }

    /// How many rules have each verdict.
    pub fn tally(&self) -> Tally {
        Tally::of(String::new(), self.rules.iter().map(|rule| rule.verdict)).unwrap_or_default()
    }

    /// How many rules have this verdict.
    pub fn count(&self, verdict: RuleVerdict) -> usize {
        self.rules.iter().filter(|rule| rule.verdict == verdict).count()
    }
}

impl RecordedCase {
    /// What the case says against that rule.
    pub(super) fn against<'c>(&'c self, rule: &'c RuleId) -> impl Iterator<Item = &'c Mismatch> {
        self.mismatches.iter().filter(move |mismatch| {
            // An expectation that names no rule of its own belongs to those that the case proves.
            let accused = if mismatch.rules.is_empty() { &self.proves } else { &mismatch.rules };
            accused.contains(rule)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{json, sample};

    #[test]
    fn what_the_program_writes_it_reads() {
        for run in [sample::troubled(), sample::clean(), sample::unusable(), sample::hostile()] {
            let mut written = Vec::new();
            json::write(&mut written, &run, sample::standard()).unwrap();
            let read = Recorded::parse(&written, "a.json").unwrap();
            assert_eq!(read.rules.len(), run.rules.len());
            assert_eq!(read.cases.len(), run.cases.len());
            assert_eq!(read.target.url, run.target);
            for (read, run) in read.rules.iter().zip(&run.rules) {
                assert_eq!((&read.id, read.verdict), (&run.id, run.verdict));
            }
        }
    }

    #[test]
    fn what_is_no_report_is_told_with_what_to_do() {
        let why = |text: &str| Recorded::parse(text.as_bytes(), "a.json").unwrap_err().to_string();
        insta::assert_snapshot!(why("<html>"), @"a.json: no JSON report of streamgauge: expected value at line 1 column 1; write one with `streamgauge check URL --report json=FILE`");
        insta::assert_snapshot!(why(r#"{"schemaVersion": 1}"#), @"a.json: no JSON report of streamgauge: missing field `schema` at line 1 column 20; write one with `streamgauge check URL --report json=FILE`");
        insta::assert_snapshot!(why(r#"{"schema": "streamgauge.report/2"}"#), @r#"a.json: a report of the form "streamgauge.report/2", and this program reads "streamgauge.report/1"; write it anew with this version, or compare it with the one that wrote it"#);
        insta::assert_snapshot!(why(r#"{"schema": "streamgauge.report/1"}"#), @"a.json: no JSON report of streamgauge: missing field `tool` at line 1 column 34; write one with `streamgauge check URL --report json=FILE`");
    }
}
