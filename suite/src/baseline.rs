//! Failures that are known: they do not fail a run, and cut both ways. A rule that is listed and not broken
//! any more, and an entry that matches nothing, are as wrong as a new failure.

use std::{collections::BTreeSet, path::Path};

use globset::{Glob, GlobMatcher};
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::{
    event::{RuleVerdict, RunResult},
    fixture::{FixtureError, FixtureFile},
    rule::{Judgement, RuleId},
};

/// A list of known failures, as read from a file.
#[derive(Clone, Debug)]
pub struct Baseline {
    path: String,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    text: String,
    line: u64,
    glob: GlobMatcher,
    verdict: KnownVerdict,
}

/// What is known of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum KnownVerdict {
    Broken,
    Warned,
}

/// An entry as it stands in the file: the rule (a glob), its verdict, and why it is so.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryText {
    rule: Spanned<String>,
    verdict: KnownVerdict,
    /// Why it is so, in a sentence.
    reason: String,
    /// Section of the protocol that decides it.
    section: Option<String>,
    /// The case that showed it.
    #[serde(rename = "case")]
    _case: Option<String>,
    /// Commands that show it, `$ROOT` being the stream root.
    #[serde(default)]
    curl: Vec<String>,
}

/// How a run differs from what was known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Broken or warned, and not listed.
    pub unexpected: Vec<(RuleId, RuleVerdict)>,
    /// Listed, and not so: one sentence each, with the line of the file.
    pub outdated: Vec<String>,
}

impl Difference {
    /// Whether the run is what was known.
    pub fn is_empty(&self) -> bool {
        self.unexpected.is_empty() && self.outdated.is_empty()
    }
}

impl Baseline {
    /// Reads a list. A mistake in it is reported with its place.
    pub fn load(path: &Path) -> Result<Self, FixtureError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| FixtureError::new(format!("{}: {error}", path.display())))?;
        let file = FixtureFile { path: path.display().to_string(), text };
        let mut entries = Vec::new();
        for entry in file.parse_list::<EntryText>()? {
            let at = entry.rule.referenced;
            if entry.reason.trim().is_empty() {
                return Err(file.mistake(at, "a known failure has a reason"));
            }
            if !entry.curl.is_empty() && entry.section.is_none() {
                return Err(file
                    .mistake(at, "a failure that is shown by a command names the section that decides it"));
            }
            let glob = Glob::new(&entry.rule.value)
                .map_err(|error| file.mistake(at, format!("{:?} is no pattern: {error}", entry.rule.value)))?
                .compile_matcher();
            let entry = Entry { text: entry.rule.value, line: at.line(), glob, verdict: entry.verdict };
            entries.push(entry);
        }
        Ok(Self { path: file.path, entries })
    }

    /// Compares a run with what is known. Only rules that the run could judge speak against an entry: one
    /// that was not checked is neither broken nor mended.
    pub fn compare(&self, run: &RunResult) -> Difference {
        let mut difference = Difference::default();
        for rule in &run.rules {
            let known = self.entries.iter().find(|entry| entry.glob.is_match(rule.id.as_str()));
            // What a rule judged `note` is seen to do is information, never a failure.
            let expected = match rule.verdict {
                _ if rule.judged == Judgement::Note => None,
                RuleVerdict::Broken => Some(KnownVerdict::Broken),
                RuleVerdict::Warned => Some(KnownVerdict::Warned),
                _ => None,
            };
            if expected.is_some() && known.map(|known| known.verdict) != expected {
                difference.unexpected.push((rule.id.clone(), rule.verdict));
            }
        }
        for entry in &self.entries {
            let matching: BTreeSet<RuleVerdict> = run
                .rules
                .iter()
                .filter(|rule| entry.glob.is_match(rule.id.as_str()))
                .map(|rule| rule.verdict)
                .collect();
            let place = format!("{}:{}: {}", self.path, entry.line, entry.text);
            if matching.is_empty() {
                difference.outdated.push(format!("{place} matches no rule of this run"));
            } else if matching.iter().all(|verdict| *verdict == RuleVerdict::Proven) {
                difference
                    .outdated
                    .push(format!("{place} is listed as failing and is proven; take it off the list"));
            }
        }
        difference
    }
}
