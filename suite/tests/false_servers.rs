//! Servers that only pretend: what they do not do is told, and nothing that they lack is passed.

use std::{collections::BTreeSet, sync::Arc};

use streamgauge::{
    built_in,
    case::CaseSet,
    event::{CaseVerdict, RuleVerdict, RunResult, Unheard},
    fixture::FixtureSource,
    rule::Catalogue,
    run::{self, Job, Options, Plan, Selection, Target, Timings},
    scenario,
    wire::{Client, ClientOptions},
};
use streamgauge_reference_server::Server;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, method},
};

/// Areas of rules that a server with nothing in it need not have got wrong, and why. In all others something is broken,
/// since each has a case that needs no more than one answer to tell.
const NOT_TELLING: [(&str, &str); 9] = [
    ("fence", "worked with a subscription that could not be made"),
    ("handler", "binds clients"),
    ("jwks", "it may be right to sign nothing"),
    ("logs", "another endpoint"),
    ("pull", "worked with a subscription that could not be made"),
    ("security", "no rule is judged more than a warning: warned is enough"),
    ("ssrf", "no webhook is ever sent"),
    ("wake", "nobody is woken for a subscription that could not be made"),
    ("webhook", "no webhook is ever sent"),
];

/// An event stream is asked for, and nothing comes, not even a head.
const SILENT_EVENT_STREAMS: &str = "
- breaks: sse.content-type
  name: never-answered
  title: A request for an event stream is never answered.
  on: { method: GET, path: any, query: { live: sse } }
  response: { hang: true }
";

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
    run::run(target, Arc::new(catalogue), plan, Options::default(), &mut Unheard).await
}

fn passed(result: &RunResult) -> Vec<&str> {
    result
        .cases
        .iter()
        .filter(|case| case.verdict == CaseVerdict::Passed)
        .map(|case| case.id.as_str())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_200_to_everything_passes_no_case() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let result = check(&format!("{}/v1/stream", server.uri())).await;
    assert_eq!(passed(&result), Vec::<&str>::new());
    assert_eq!(with(&result, RuleVerdict::Proven), BTreeSet::new());
    assert_eq!(innocent(&result), Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn plausible_headers_without_a_body_prove_nothing_about_contents() {
    let server = MockServer::start().await;
    let plausible = |status: u16| {
        ResponseTemplate::new(status)
            .insert_header("Content-Type", "text/plain")
            .insert_header("Stream-Next-Offset", "0000000000000001")
            .insert_header("Stream-Up-To-Date", "true")
            .insert_header("Stream-Cursor", "1000")
            .insert_header("ETag", "\"a:-1:1\"")
            .insert_header("Cache-Control", "no-store")
    };
    for (name, status) in [("PUT", 201), ("POST", 204), ("DELETE", 204), ("GET", 200), ("HEAD", 200)] {
        Mock::given(method(name)).respond_with(plausible(status)).mount(&server).await;
    }
    let result = check(&format!("{}/v1/stream", server.uri())).await;
    assert_eq!(innocent(&result), Vec::<&str>::new());
    // In these areas some rules are about nothing but a status and headers.
    let told_by_headers = ["append", "cache", "core", "create", "cursor", "head", "offset"];
    let proven = with(&result, RuleVerdict::Proven);
    let others: Vec<&&str> = proven.iter().filter(|id| !told_by_headers.contains(&area(id))).collect();
    assert_eq!(others, Vec::<&&str>::new());
    let share = passed(&result).len() * 100 / result.cases.len();
    assert!(share < 3, "{share} % of the cases passed: {:?}", passed(&result));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_answers_event_streams_fails_at_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("sabotage")).expect("a folder");
    std::fs::write(folder.path().join("sabotage/sse.yaml"), SILENT_EVENT_STREAMS).expect("a file");
    let mut config = built_in::config();
    config.sabotages = built_in::sabotages(&FixtureSource::Directory(folder.path().to_owned()))
        .unwrap_or_else(|error| panic!("{error}"));
    let server = Server::start(config).await.expect("a port");
    let result = check(&server.root_url).await;
    let broken = with(&result, RuleVerdict::Broken);
    assert!(broken.contains("sse.content-type"), "{broken:?}");
    let others: Vec<&&str> = broken.iter().filter(|id| !id.contains("sse")).collect();
    assert_eq!(others, Vec::<&&str>::new());
    let proven = with(&result, RuleVerdict::Proven);
    let event_streams: Vec<&&str> = proven.iter().filter(|id| area(id) == "sse").collect();
    // What is answered before there is an event stream.
    assert!(event_streams.len() <= 2, "{event_streams:?}");
    assert!(proven.len() > 250, "{} rules", proven.len());
    server.shutdown().await;
}

/// The telling areas in which nothing is broken.
fn innocent(result: &RunResult) -> Vec<&str> {
    let areas = |verdict| with(result, verdict).into_iter().map(area).collect::<BTreeSet<&str>>();
    let (broken, warned) = (areas(RuleVerdict::Broken), areas(RuleVerdict::Warned));
    let all = result.rules.iter().map(|rule| rule.id.area()).collect::<BTreeSet<&str>>();
    for (excused, _) in NOT_TELLING {
        assert!(all.contains(excused), "{excused}: no rule of that area is in a run");
    }
    let is_excused = |area: &&str| NOT_TELLING.iter().any(|(excused, _)| excused == area);
    let unbroken = all.into_iter().filter(|area| !broken.contains(area) && !is_excused(area));
    unbroken.chain((!warned.contains("security")).then_some("security")).collect()
}

fn with(result: &RunResult, verdict: RuleVerdict) -> BTreeSet<&str> {
    result.rules.iter().filter(|rule| rule.verdict == verdict).map(|rule| rule.id.as_str()).collect()
}

fn area(rule: &str) -> &str {
    rule.split('.').next().unwrap_or(rule)
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
    let broken = with(&result, RuleVerdict::Broken);
    assert!(broken.contains("create.new-201"), "{broken:?}");
}
