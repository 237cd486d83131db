//! A badge in the form that shields.io reads from an endpoint.

use std::io::{self, Write};

use serde::Serialize;

use crate::event::RuleVerdict;

use super::{comparison::Recorded, findings::Conclusion, span::count};

/// The words on the left of a badge where nobody chose others.
pub const LABEL: &str = "durable streams";

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Badge<'a> {
    schema_version: u8,
    label: &'a str,
    message: String,
    color: &'static str,
    is_error: bool,
}

/// Writes the badge of a run as JSON.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write(out: &mut dyn Write, report: &Recorded, label: &str) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &Badge::of(report, label))?;
    writeln!(out)
}

impl<'a> Badge<'a> {
    fn of(report: &Recorded, label: &'a str) -> Self {
        let (message, color) = Self::told(report);
        // A badge that tells of trouble may not be painted over by whoever shows it.
        Self { schema_version: 1, label, message, color, is_error: report.conclusion != Conclusion::Passed }
    }

    fn told(report: &Recorded) -> (String, &'static str) {
        let of = |verdict| report.count(verdict);
        let proven = count(of(RuleVerdict::Proven), "rule");
        match report.conclusion {
            Conclusion::Unusable => ("not reached".to_owned(), "lightgrey"),
            Conclusion::Errored => (format!("{proven} proven, some not looked at"), "lightgrey"),
            Conclusion::Failed if of(RuleVerdict::Broken) > 0 => {
                let told = of(RuleVerdict::Proven) + of(RuleVerdict::Broken) + of(RuleVerdict::Warned);
                (format!("{} of {told} rules broken", of(RuleVerdict::Broken)), "red")
            }
            Conclusion::Failed => (format!("{proven} proven, not as expected"), "red"),
            // A list of known failures may let a run pass; the badge says so all the same.
            Conclusion::Passed if of(RuleVerdict::Broken) > 0 => {
                (format!("{proven} proven, {} known to be broken", of(RuleVerdict::Broken)), "orange")
            }
            Conclusion::Passed if report.incomplete.rules > 0 => {
                (format!("{proven} proven, {} not checked", report.incomplete.rules), "yellow")
            }
            Conclusion::Passed => match of(RuleVerdict::NotClaimed) {
                0 => (format!("{proven} proven"), "brightgreen"),
                lacking => (format!("{proven} proven, {lacking} not claimed"), "green"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::RunResult,
        report::{Standard, json, sample},
    };

    fn badge(run: &RunResult, standard: Standard<'_>) -> String {
        let mut report = Vec::new();
        json::write(&mut report, run, standard).unwrap();
        let report = Recorded::parse(&report, "a.json").unwrap();
        let Badge { message, color, .. } = Badge::of(&report, LABEL);
        format!("{message} ({color})")
    }

    #[test]
    fn a_badge_says_what_the_run_says() {
        let of = |run: &RunResult| badge(run, sample::standard());
        assert_eq!(of(&sample::clean()), "2 rules proven (brightgreen)");
        assert_eq!(of(&sample::troubled()), "3 of 6 rules broken (red)");
        assert_eq!(of(&sample::unusable()), "not reached (lightgrey)");
        let known = crate::baseline::Difference::default();
        let standard = Standard { known: Some(&known), ..sample::standard() };
        assert_eq!(badge(&sample::hostile(), standard), "0 rules proven, 1 known to be broken (orange)");
        assert_eq!(badge(&sample::warned_only(), sample::strict()), "0 rules proven, not as expected (red)");
    }

    #[test]
    fn the_form_is_that_of_an_endpoint() {
        let mut report = Vec::new();
        json::write(&mut report, &sample::clean(), sample::standard()).unwrap();
        let mut out = Vec::new();
        write(&mut out, &Recorded::parse(&report, "a.json").unwrap(), "my server").unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
        {
          "schemaVersion": 1,
          "label": "my server",
          "message": "2 rules proven",
          "color": "brightgreen",
          "isError": false
        }
        "#);
    }
}
