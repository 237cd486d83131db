//! Servers that only pretend: not one case may pass on them.

use std::{collections::BTreeSet, sync::Arc};

use streamgauge::{
    case::CaseSet,
    event::{CaseVerdict, Event, Listener, RuleVerdict, RunResult},
    fixture::FixtureSource,
    rule::Catalogue,
    run::{self, Job, Options, Plan, Selection, Target, Timings},
    scenario,
    wire::{Client, ClientOptions},
};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

struct Quiet;

impl Listener for Quiet {
    fn on_event(&mut self, _event: &Event) {}
}

async fn check(url: &str) -> RunResult {
    let source = FixtureSource::Embedded;
    let catalogue = Catalogue::load(&source).unwrap_or_else(|error| panic!("{error}"));
    let cases = CaseSet::load(&source, &catalogue).unwrap_or_else(|error| panic!("{error}"));
    let client = Client::new(ClientOptions::default()).expect("a client");
    let timings =
        Timings { long_poll_timeout: Some(std::time::Duration::from_millis(300)), ..Timings::default() };
    let target = Target::new(url, client).expect("a stream root").with_timings(timings);
    let jobs = cases.cases.into_iter().map(|case| Job::Case(Arc::new(case)));
    let jobs = jobs.chain(scenario::all().into_iter().map(Job::Scenario)).collect();
    let plan = Plan::new(jobs, &Selection::default(), &target, &catalogue).expect("a plan");
    run::run(target, Arc::new(catalogue), plan, Options::default(), &mut Quiet).await
}

fn passed(result: &RunResult) -> Vec<&str> {
    result
        .cases
        .iter()
        .filter(|case| matches!(case.verdict, CaseVerdict::Passed | CaseVerdict::Warned))
        .map(|case| case.id.as_str())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_200_to_everything_passes_no_case() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let result = check(&format!("{}/v1/stream", server.uri())).await;
    assert_eq!(passed(&result), Vec::<&str>::new());
    assert!(result.rules.iter().any(|rule| rule.verdict == RuleVerdict::Broken));
    let proven: BTreeSet<&str> = result
        .rules
        .iter()
        .filter(|rule| rule.verdict == RuleVerdict::Proven)
        .map(|rule| rule.id.as_str())
        .collect();
    assert_eq!(proven, BTreeSet::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_teapot_passes_no_case() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(418)).mount(&server).await;
    let result = check(&format!("{}/v1/stream", server.uri())).await;
    assert_eq!(passed(&result), Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_404_to_everything_is_a_failure() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(404)).mount(&server).await;
    let result = check(&format!("{}/v1/stream", server.uri())).await;
    let broken: Vec<&str> = result
        .rules
        .iter()
        .filter(|rule| rule.verdict == RuleVerdict::Broken)
        .map(|rule| rule.id.as_str())
        .collect();
    assert!(broken.contains(&"create.new-201"), "{broken:?}");
}
