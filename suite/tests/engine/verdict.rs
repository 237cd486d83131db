//! The verdict of one case on one server.

use std::sync::Arc;

use streamgauge::{
    case::CaseSet,
    event::{CaseResult, CaseVerdict, Unheard},
    fixture::FixtureSource,
    rule::Catalogue,
    run::{self, Job, Options, Plan, Selection, Target, Timings},
    wire::{Client, ClientOptions},
};

use super::server::{self, Habits};

/// Runs the one case that `yaml` describes against a server with these habits, of whose timings the suite
/// is told what `timings` says.
pub(crate) async fn of(yaml: &str, habits: Habits, timings: Timings) -> CaseResult {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("cases")).expect("a folder for cases");
    std::fs::write(folder.path().join("cases/one.yaml"), yaml).expect("a file");
    let catalogue = Catalogue::load(&FixtureSource::Embedded).unwrap_or_else(|error| panic!("{error}"));
    let source = FixtureSource::Directory(folder.path().to_owned());
    let cases = CaseSet::load(&source, &catalogue).unwrap_or_else(|error| panic!("{error}"));
    let client = Client::new(ClientOptions::default()).expect("a client");
    let target = Target::new(&server::start(habits).await, client).expect("a root").with_timings(timings);
    let jobs = cases.cases.into_iter().map(|case| Job::Case(Arc::new(case))).collect();
    let plan = Plan::new(jobs, &Selection::default(), &target, &catalogue).expect("a plan");
    let result = run::run(target, Arc::new(catalogue), plan, Options::default(), &mut Unheard).await;
    assert_eq!(result.unusable, None);
    let [case] = <[CaseResult; 1]>::try_from(result.cases).expect("one case");
    case
}

/// Fails with all that is known about the case when it has another verdict.
#[track_caller]
pub(crate) fn assert_is(case: &CaseResult, verdict: CaseVerdict) {
    assert_eq!(case.verdict, verdict, "{:?} {:#?}", case.reason, case.mismatches);
}

/// What was accused: the subjects of all mismatches.
pub(crate) fn subjects(case: &CaseResult) -> Vec<&str> {
    case.mismatches.iter().map(|mismatch| mismatch.subject.as_str()).collect()
}
