//! The report for programs. Its shape is an interface: [`SCHEMA`] describes it, and [`SCHEMA_NAME`] changes when
//! a reader of the old shape would misunderstand the new one.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    time::Duration,
};

use serde::Serialize;

use crate::{
    event::{CaseResult, CaseVerdict, Mismatch, Repeats, RuleResult, RuleVerdict, RunResult, SkipReason},
    fixture::Place,
    rule::{Judgement, RuleId},
    wire::{Exchange, Outcome, RecordedRequest, RecordedResponse},
};

use super::{
    curl,
    findings::{Conclusion, Findings, OpenReason},
    standard::Standard,
    visible,
};

/// The JSON Schema of the report.
pub const SCHEMA: &str = include_str!("../../schema/report.schema.json");

/// What stands under `schema` in a report.
pub const SCHEMA_NAME: &str = "streamgauge.report/1";

/// Writes the report.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write(out: &mut dyn Write, run: &RunResult, standard: Standard<'_>) -> io::Result<()> {
    visible::write_json(out, &Report::of(run, &Findings::of(run, standard), standard))?;
    writeln!(out)
}

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    tool: Tool,
    target: Target<'a>,
    conclusion: Conclusion,
    unusable: Option<&'a str>,
    incomplete: Incomplete,
    known_failures: Option<KnownFailures<'a>>,
    /// As text, since it may be larger than the numbers that JavaScript keeps apart.
    seed: String,
    /// The part of the whole that was run, such as `2/5`; null for all.
    shard: Option<&'a str>,
    /// What several runs have in common and what not; null for one run.
    repeats: Option<&'a Repeats>,
    duration_ms: f64,
    summary: Summary,
    rules: Vec<Rule<'a>>,
    cases: Vec<Case<'a>>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Target<'a> {
    url: &'a str,
}

/// Rules judged `error` that were not checked.
#[derive(Serialize)]
struct Incomplete {
    rules: usize,
    reasons: BTreeMap<OpenReason, usize>,
}

/// How the run differs from the list of known failures.
#[derive(Serialize)]
struct KnownFailures<'a> {
    unexpected: Vec<&'a RuleId>,
    outdated: &'a [String],
    unsteady: &'a BTreeSet<String>,
}

#[derive(Serialize)]
struct Summary {
    passed: usize,
    failed: usize,
    warned: usize,
    blocked: usize,
    skipped: usize,
    errored: usize,
}

#[derive(Serialize)]
struct Rule<'a> {
    id: &'a RuleId,
    section: &'a str,
    level: &'a str,
    judged: Judgement,
    statement: &'a str,
    verdict: RuleVerdict,
    reason: Option<&'a str>,
    cases: &'a [String],
    cases_not_checked: usize,
}

#[derive(Serialize)]
struct Case<'a> {
    id: &'a str,
    title: &'a str,
    place: &'a Place,
    proves: &'a [RuleId],
    verdict: CaseVerdict,
    duration_ms: f64,
    attempts: u32,
    reason: Option<&'a str>,
    blocked_by: Option<&'a RuleId>,
    skipped: Option<Skipped<'a>>,
    waited_for: Option<&'a str>,
    mismatches: &'a [Mismatch],
    exchanges: Vec<Record<'a>>,
}

#[derive(Serialize)]
struct Skipped<'a> {
    kind: &'static str,
    detail: Option<&'a str>,
}

#[derive(Serialize)]
struct Record<'a> {
    started_at_ms: f64,
    duration_ms: f64,
    request: &'a RecordedRequest,
    response: Option<&'a RecordedResponse>,
    failure: Option<&'a str>,
    curl: String,
    curl_notes: Vec<String>,
}

impl<'a> Report<'a> {
    fn of(run: &'a RunResult, findings: &Findings<'_>, standard: Standard<'a>) -> Self {
        Self {
            schema: SCHEMA_NAME,
            tool: Tool { name: "streamgauge", version: env!("CARGO_PKG_VERSION") },
            target: Target { url: &run.target },
            conclusion: findings.conclusion,
            unusable: run.unusable.as_deref(),
            incomplete: Incomplete {
                rules: findings.open_count(),
                reasons: findings.open.iter().copied().collect(),
            },
            known_failures: standard.known.map(|difference| KnownFailures {
                unexpected: difference.unexpected.iter().map(|(rule, _)| rule).collect(),
                outdated: &difference.outdated,
                unsteady: &difference.excused,
            }),
            seed: run.seed.to_string(),
            shard: run.shard.as_deref(),
            repeats: run.repeats.as_ref(),
            duration_ms: milliseconds(run.duration),
            summary: Summary::of(run),
            rules: run.rules.iter().map(Rule::of).collect(),
            cases: run.cases.iter().map(Case::of).collect(),
        }
    }
}

impl Summary {
    fn of(run: &RunResult) -> Self {
        Self {
            passed: run.count(CaseVerdict::Passed),
            failed: run.count(CaseVerdict::Failed),
            warned: run.count(CaseVerdict::Warned),
            blocked: run.count(CaseVerdict::Blocked),
            skipped: run.count(CaseVerdict::Skipped),
            errored: run.count(CaseVerdict::Errored),
        }
    }
}

impl<'a> Rule<'a> {
    fn of(rule: &'a RuleResult) -> Self {
        Self {
            id: &rule.id,
            section: &rule.section,
            level: &rule.level,
            judged: rule.judged,
            statement: &rule.statement,
            verdict: rule.verdict,
            reason: rule.reason.as_deref(),
            cases: &rule.cases,
            cases_not_checked: rule.cases_not_checked,
        }
    }
}

impl<'a> Case<'a> {
    fn of(case: &'a CaseResult) -> Self {
        Self {
            id: &case.id,
            title: &case.title,
            place: &case.place,
            proves: &case.proves,
            verdict: case.verdict,
            duration_ms: milliseconds(case.duration),
            attempts: case.attempts,
            reason: case.reason.as_deref(),
            blocked_by: case.blocked_by.as_ref(),
            skipped: case.skip.as_ref().map(Skipped::of),
            waited_for: case.waited_for.as_deref(),
            mismatches: &case.mismatches,
            exchanges: case.exchanges.iter().map(Record::of).collect(),
        }
    }
}

impl<'a> Skipped<'a> {
    fn of(skip: &'a SkipReason) -> Self {
        let (kind, detail) = match skip {
            SkipReason::NotClaimed(capability) => ("not-claimed", Some(capability.as_str())),
            SkipReason::TooSlow(why) => ("too-slow", Some(why.as_str())),
            SkipReason::NotGiven(flag) => ("not-given", Some(flag.as_str())),
            SkipReason::OutOfReach(why) => ("out-of-reach", Some(why.as_str())),
            SkipReason::OnlyHttp1 => ("only-http1", None),
            SkipReason::Filtered => ("filtered", None),
            SkipReason::OutOfTime => ("out-of-time", None),
        };
        Self { kind, detail }
    }
}

impl<'a> Record<'a> {
    fn of(exchange: &'a Exchange) -> Self {
        let curl = curl::repeat(exchange);
        let (response, failure) = match &exchange.outcome {
            Outcome::Response(response) => (Some(response), None),
            Outcome::Failure(sentence) => (None, Some(sentence.as_str())),
        };
        Self {
            started_at_ms: milliseconds(exchange.started_at),
            duration_ms: milliseconds(exchange.duration),
            request: &exchange.request,
            response,
            failure,
            curl: curl.line,
            curl_notes: curl.notes,
        }
    }
}

/// With three decimals.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

#[cfg(test)]
mod tests;
