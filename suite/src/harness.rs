//! Every case as a test of its own, for `cargo test` and `cargo nextest`.

use std::sync::Arc;

use libtest_mimic::{Arguments, Conclusion, Failed, Trial};

use crate::{
    case::CaseSet,
    event::{CaseResult, CaseVerdict, Event, Listener},
    fixture::FixtureSource,
    rule::Catalogue,
    run::{self, Job, Options, Plan, Selection, Target},
    scenario,
};

/// Runs the embedded cases against `target`, as the process's arguments select them.
///
/// A warned case passes; a case that is skipped because the target does not claim something, or because it
/// would wait too long, is listed as ignored. Blocked and errored cases fail.
///
/// # Panics
///
/// When the embedded fixtures are broken.
pub fn run_tests(target: &Target, runtime: &Arc<tokio::runtime::Runtime>) -> Conclusion {
    let source = FixtureSource::Embedded;
    let catalogue = Arc::new(Catalogue::load(&source).unwrap_or_else(|error| panic!("{error}")));
    let cases = CaseSet::load(&source, &catalogue).unwrap_or_else(|error| panic!("{error}"));
    let jobs = cases.cases.into_iter().map(|case| Job::Case(Arc::new(case)));
    let jobs = jobs.chain(scenario::all().into_iter().map(Job::Scenario));
    let trials = jobs
        .map(|job| {
            let plan = plan(&job, target, &catalogue);
            let ignored = plan.is_empty();
            let (target, catalogue, runtime) = (target.clone(), Arc::clone(&catalogue), Arc::clone(runtime));
            Trial::test(job.id().to_owned(), move || runtime.block_on(one(target, catalogue, plan)))
                .with_ignored_flag(ignored)
        })
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials)
}

fn plan(job: &Job, target: &Target, catalogue: &Catalogue) -> Plan {
    Plan::new(vec![job.clone()], &Selection::default(), target, catalogue)
        .unwrap_or_else(|error| panic!("{error}"))
}

async fn one(target: Target, catalogue: Arc<Catalogue>, plan: Plan) -> Result<(), Failed> {
    let mut quiet = Quiet;
    let result = run::run(target, catalogue, plan, Options::default(), &mut quiet).await;
    if let Some(why) = result.unusable {
        return Err(why.into());
    }
    match result.cases.first() {
        Some(case) if matches!(case.verdict, CaseVerdict::Passed | CaseVerdict::Warned) => Ok(()),
        Some(case) => Err(failure(case).into()),
        None => Err("the case did not run".into()),
    }
}

fn failure(case: &CaseResult) -> String {
    let mut text = format!("{}\n  {}\n", case.title, case.place);
    if let Some(reason) = &case.reason {
        text.push_str(&format!("  {reason}\n"));
    }
    for mismatch in &case.mismatches {
        let rules: Vec<&str> = mismatch.rules.iter().map(|rule| rule.as_str()).collect();
        text.push_str(&format!(
            "  {}: {} of {}: expected {}, got {}\n",
            mismatch.place,
            mismatch.subject,
            rules.join(", "),
            mismatch.expected,
            mismatch.actual
        ));
    }
    text
}

struct Quiet;

impl Listener for Quiet {
    fn on_event(&mut self, _event: &Event) {}
}
