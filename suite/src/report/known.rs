//! The failures of a run as a list of known ones, for `--known-failures`: each with the section that decides
//! it and the requests that show it.

use std::io::{self, Write};

use serde::Serialize;

use super::{Accusation, Finding, Findings, Standard, curl};
use crate::event::{Repeats, RuleVerdict, RunResult};
use crate::rule::Judgement;

/// More requests than this are not a way to show something; then only the telling one is kept.
const LONGEST_SHOW: usize = 12;

#[derive(Serialize)]
struct Entry<'a> {
    rule: &'a str,
    verdict: &'a RuleVerdict,
    section: &'a str,
    case: &'a str,
    reason: String,
    /// Where several runs did not agree on it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unsteady: bool,
    curl: Vec<String>,
}

/// Writes one entry for each rule that the run found broken or warned of, notes aside. `$ROOT` stands for the target's stream root.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write(out: &mut dyn Write, run: &RunResult) -> io::Result<()> {
    let findings = Findings::of(run, Standard { fail_on: Judgement::Error, known: None });
    let entries: Vec<Entry<'_>> =
        findings.broken.iter().chain(&findings.warned).filter_map(|finding| entry(finding, run)).collect();
    let text = serde_saphyr::to_string(&entries).map_err(io::Error::other)?;
    out.write_all(text.as_bytes())
}

fn entry<'a>(finding: &'a Finding<'_>, run: &RunResult) -> Option<Entry<'a>> {
    let rule = finding.rule?;
    let accusation = finding.accusations.first()?;
    let mismatch = accusation.mismatches.first();
    let reason = mismatch.map_or_else(
        || accusation.case.title.clone(),
        |mismatch| format!("{}: expected {}, got {}", mismatch.subject, mismatch.expected, mismatch.actual),
    );
    Some(Entry {
        rule: finding.id.as_str(),
        verdict: &rule.verdict,
        section: &rule.section,
        case: &accusation.case.id,
        reason,
        unsteady: run.repeats.iter().flat_map(Repeats::ids).any(|id| id == finding.id.as_str()),
        curl: show(accusation, &run.target),
    })
}

/// The requests up to the telling one, as they can be sent again.
fn show(accusation: &Accusation<'_>, root: &str) -> Vec<String> {
    let Some(telling) = accusation.telling_exchanges().last().copied() else {
        return Vec::new();
    };
    let first = if telling < LONGEST_SHOW { 0 } else { telling };
    accusation.case.exchanges[first..=telling]
        .iter()
        .map(|exchange| {
            short_names(&curl::repeat(exchange).line.replace(root, "$ROOT").replace("'$ROOT", "\"$ROOT\"'"))
        })
        .collect()
}

/// The random part of a stream's name means nothing to whoever repeats a request.
fn short_names(line: &str) -> String {
    let mut parts = line.split("sg-");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_hexdigit).count();
        text.push_str(if digits == 20 { "gauge" } else { "sg-" });
        text.push_str(if digits == 20 { &part[digits..] } else { part });
    }
    text
}
