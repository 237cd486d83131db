//! Test Anything Protocol, version 14: one test point for each case.
//!
//! What fails the run, and what the suite could not look at, is `not ok`. A known failure is `not ok # TODO`,
//! which TAP means by it. Blocked cases and those that were not run are skipped, each with its reason.

use std::io::{self, Write};

use serde::Serialize;
use serde_saphyr::LitString;

use crate::event::{CaseResult, CaseVerdict, RunResult};

use super::{findings::Findings, message, standard::Standard, terminal, visible::visible};

/// Writes the report.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write(out: &mut dyn Write, run: &RunResult, standard: Standard<'_>) -> io::Result<()> {
    let findings = Findings::of(run, standard);
    writeln!(out, "TAP version 14")?;
    if let Some(why) = &run.unusable {
        return writeln!(out, "Bail out! {}", escaped(why));
    }
    writeln!(out, "1..{}", run.cases.len())?;
    for (index, case) in run.cases.iter().enumerate() {
        let point = Point::of(case, standard);
        let (ok, directive) = (point.ok(), point.directive());
        writeln!(out, "{ok} {} - {}: {}{directive}", index + 1, case.id, escaped(&case.title))?;
        write_diagnosis(out, case, &findings, standard)?;
    }
    for line in message::closing(run, &findings, standard).lines() {
        writeln!(out, "# {}", escaped(line))?;
    }
    Ok(())
}

enum Point {
    Ok,
    NotOk,
    Skip(String),
    Todo(String),
}

impl Point {
    fn of(case: &CaseResult, standard: Standard<'_>) -> Self {
        match case.verdict {
            _ if standard.fails_by(case) => Self::NotOk,
            CaseVerdict::Errored => Self::NotOk,
            CaseVerdict::Failed => Self::Todo(message::known_failure(case)),
            CaseVerdict::Blocked | CaseVerdict::Skipped => Self::Skip(message::case_in_short(case)),
            CaseVerdict::Passed | CaseVerdict::Warned => Self::Ok,
        }
    }

    const fn ok(&self) -> &'static str {
        match self {
            Self::Ok | Self::Skip(_) => "ok",
            Self::NotOk | Self::Todo(_) => "not ok",
        }
    }

    fn directive(&self) -> String {
        match self {
            Self::Ok | Self::NotOk => String::new(),
            Self::Skip(reason) => format!(" # SKIP {}", escaped(reason)),
            Self::Todo(reason) => format!(" # TODO {}", escaped(reason)),
        }
    }
}

/// The YAML block under a test point.
#[derive(Serialize)]
struct Diagnosis<'a> {
    message: String,
    severity: &'static str,
    rules: Vec<&'a str>,
    place: String,
    duration_ms: u128,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<LitString>,
}

fn write_diagnosis(
    out: &mut dyn Write,
    case: &CaseResult,
    findings: &Findings<'_>,
    standard: Standard<'_>,
) -> io::Result<()> {
    let severity = match case.verdict {
        CaseVerdict::Errored => "error",
        _ if standard.fails_by(case) => "fail",
        CaseVerdict::Failed => "todo",
        CaseVerdict::Warned => "warning",
        CaseVerdict::Passed | CaseVerdict::Blocked | CaseVerdict::Skipped => return Ok(()),
    };
    let against: Vec<_> = findings.against(case).map(|finding| finding.id.as_str()).collect();
    let diagnosis = Diagnosis {
        message: message::case_in_short(case),
        severity,
        rules: if against.is_empty() {
            case.proves.iter().map(|rule| rule.as_str()).collect()
        } else {
            against
        },
        place: case.place.to_string(),
        duration_ms: case.duration.as_millis(),
        evidence: (!case.mismatches.is_empty()).then(|| LitString(terminal::case_text(case, findings))),
    };
    let yaml = serde_saphyr::to_string(&diagnosis).map_err(io::Error::other)?;
    writeln!(out, "  ---")?;
    for line in yaml.lines() {
        writeln!(out, "  {line}")?;
    }
    writeln!(out, "  ...")
}

/// Text that neither ends its line nor begins a directive.
fn escaped(text: &str) -> String {
    visible(text).replace('\\', "\\\\").replace('#', "\\#")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{baseline::Difference, report::sample};

    fn report(run: &RunResult, standard: Standard<'_>) -> String {
        let mut out = Vec::new();
        write(&mut out, run, standard).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_report_of_a_troubled_run() {
        insta::assert_snapshot!(report(&sample::troubled(), sample::standard()));
    }

    #[test]
    fn a_target_that_cannot_be_used_bails_out() {
        insta::assert_snapshot!(report(&sample::unusable(), sample::standard()));
    }

    #[test]
    fn a_known_failure_is_still_to_be_done() {
        let same = Difference::default();
        let standard = Standard { known: Some(&same), ..sample::standard() };
        let report = report(&sample::hostile(), standard);
        assert!(
            report.lines().any(|line| line.starts_with("not ok 1") && line.contains(" # TODO known: ")),
            "{report}"
        );
    }

    #[test]
    fn what_a_target_sends_makes_no_test_point() {
        let report = report(&sample::hostile(), sample::standard());
        assert_eq!(
            report.lines().filter(|line| line.starts_with("not ok") || line.starts_with("ok")).count(),
            1
        );
    }
}
