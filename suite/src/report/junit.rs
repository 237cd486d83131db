//! JUnit XML: a test suite for each area, a test case for each case.
//!
//! JUnit knows fewer verdicts than a run has. What would stop a build is a `failure`; what the suite could not
//! look at is an `error`; a blocked case accuses nobody and proves nothing, so it is `skipped`, as are the cases
//! that were not run and the failures that are known, each with its reason. A warning passes and says so in `system-out`. A target that cannot be
//! used is an `error` of its own, so that an empty run never looks green.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::event::{CaseResult, CaseVerdict, RunResult};

use super::{
    findings::{Findings, area_of, worst_mismatch},
    message,
    standard::Standard,
    terminal,
    visible::visible,
};

/// Writes the report.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write(out: &mut dyn Write, run: &RunResult, standard: Standard<'_>) -> io::Result<()> {
    let findings = Findings::of(run, standard);
    let mut report = Report::new("streamgauge");
    report.set_time(run.duration);
    for (area, cases) in by_area(run) {
        report.add_test_suite(suite(area, &cases, run, &findings, standard));
    }
    if let Some(why) = &run.unusable {
        report.add_test_suite(unusable(why, run));
    }
    report.serialize(out).map_err(io::Error::other)
}

fn by_area(run: &RunResult) -> BTreeMap<&str, Vec<&CaseResult>> {
    let mut areas: BTreeMap<&str, Vec<&CaseResult>> = BTreeMap::new();
    for case in &run.cases {
        areas.entry(area_of(case)).or_default().push(case);
    }
    areas
}

fn suite(
    area: &str,
    cases: &[&CaseResult],
    run: &RunResult,
    findings: &Findings<'_>,
    standard: Standard<'_>,
) -> TestSuite {
    let mut suite = TestSuite::new(area);
    suite.set_time(cases.iter().map(|case| case.duration).sum());
    suite.add_property(("target", visible(&run.target).as_ref()));
    if let Some(shard) = &run.shard {
        suite.add_property(("shard", shard.as_str()));
    }
    if let Some(tally) = findings.areas.iter().find(|tally| tally.name == area) {
        for (name, number) in message::COLUMNS.into_iter().zip(tally.cells()) {
            suite.add_property((format!("rules {name}"), number.to_string()));
        }
    }
    for case in cases {
        suite.add_test_case(test_case(case, findings, standard));
    }
    suite
}

fn test_case(case: &CaseResult, findings: &Findings<'_>, standard: Standard<'_>) -> TestCase {
    let says_more = !case.mismatches.is_empty();
    let mut test_case = TestCase::new(case.id.as_str(), status(case, findings, standard));
    test_case.set_classname(format!("streamgauge.{}", area_of(case)));
    test_case.set_time(case.duration);
    test_case.add_property(("title", visible(&case.title).as_ref()));
    test_case.add_property(("place", case.place.to_string().as_str()));
    for rule in &case.proves {
        test_case.add_property(("proves", rule.as_str()));
    }
    if says_more
        && matches!(test_case.status, TestCaseStatus::Success { .. } | TestCaseStatus::Skipped { .. })
    {
        test_case.set_system_out(terminal::case_text(case, findings));
    }
    test_case
}

fn status(case: &CaseResult, findings: &Findings<'_>, standard: Standard<'_>) -> TestCaseStatus {
    let failure = || {
        let mut failure = TestCaseStatus::non_success(NonSuccessKind::Failure);
        failure.set_message(message::case_in_short(case));
        let accused = worst_mismatch(case).and_then(|mismatch| mismatch.rules.first());
        if let Some(rule) = accused.or(case.proves.first()) {
            failure.set_type(rule.as_str());
        }
        failure.set_description(terminal::case_text(case, findings));
        failure
    };
    match case.verdict {
        _ if standard.fails_by(case) => failure(),
        CaseVerdict::Failed => {
            let mut known = TestCaseStatus::skipped();
            known.set_message(message::known_failure(case));
            known
        }
        CaseVerdict::Passed | CaseVerdict::Warned => TestCaseStatus::success(),
        CaseVerdict::Blocked | CaseVerdict::Skipped => {
            let mut skipped = TestCaseStatus::skipped();
            skipped.set_message(message::case_in_short(case));
            skipped
        }
        CaseVerdict::Errored => {
            let mut error = TestCaseStatus::non_success(NonSuccessKind::Error);
            error.set_message(message::case_in_short(case));
            error.set_type("errored");
            error
        }
    }
}

fn unusable(why: &str, run: &RunResult) -> TestSuite {
    let mut error = TestCaseStatus::non_success(NonSuccessKind::Error);
    error.set_message(visible(why).as_ref());
    error.set_type("unusable");
    let mut test_case = TestCase::new("target-can-be-used", error);
    test_case.set_classname("streamgauge.target");
    let mut suite = TestSuite::new("target");
    suite.add_property(("target", visible(&run.target).as_ref()));
    suite.add_test_case(test_case);
    suite
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn report(run: &RunResult, standard: Standard<'_>) -> String {
        let mut out = Vec::new();
        write(&mut out, run, standard).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn parsed(run: &RunResult, standard: Standard<'_>) -> Report {
        Report::deserialize_from_str(&report(run, standard)).unwrap()
    }

    #[test]
    fn the_report_of_a_troubled_run() {
        insta::assert_snapshot!(report(&sample::troubled(), sample::standard()));
    }

    #[test]
    fn only_what_passed_looks_passed() {
        let run = sample::troubled();
        let report = parsed(&run, sample::standard());
        let mut green: Vec<_> = report
            .test_suites
            .iter()
            .flat_map(|suite| &suite.test_cases)
            .filter(|case| matches!(case.status, TestCaseStatus::Success { .. }))
            .map(|case| case.name.as_str())
            .collect();
        green.sort_unstable();
        assert_eq!(green, ["head-tells-the-tail", "location-of-a-new-stream", "pages-have-a-size"]);
        assert_eq!((report.tests, report.failures, report.errors, report.skipped), (16, 4, 1, 8));
    }

    #[test]
    fn a_warning_is_a_failure_where_it_fails_the_run() {
        assert_eq!(parsed(&sample::warned_only(), sample::standard()).failures, 0);
        assert_eq!(parsed(&sample::warned_only(), sample::strict()).failures, 1);
    }

    #[test]
    fn a_target_that_cannot_be_used_is_an_error() {
        let report = parsed(&sample::unusable(), sample::standard());
        assert_eq!((report.tests, report.errors), (1, 1));
    }

    #[test]
    fn what_a_target_sends_stays_text() {
        let case = &parsed(&sample::hostile(), sample::standard()).test_suites[0].test_cases[0];
        let TestCaseStatus::NonSuccess { description: Some(text), .. } = &case.status else {
            panic!("{:?}", case.status)
        };
        assert!(text.as_str().contains("</script><script>alert(1)</script>"), "{}", text.as_str());
    }
}
