//! Targets that take no writes, or no reads: what can be checked of them is checked, the rest is counted.

use std::{collections::BTreeMap, sync::Arc};

use streamgauge::{
    built_in,
    case::{CaseSet, Content, Stock},
    event::{CaseVerdict, RuleVerdict, RunResult, Unheard},
    fixture::FixtureSource,
    rule::{Capability, Catalogue},
    run::{self, Job, NamedStreams, Options, Plan, Selection, Target},
    scenario,
    wire::{Body, Client, ClientOptions, Request, Target as Address},
};
use streamgauge_reference_server::{RunningServer, Server};
use url::Url;

/// Writes are refused, but for those that say that they fill the stock.
const READ_ONLY: &str = "
- breaks: append.success-204
  name: read-only
  title: Nothing is written.
  on: { method: [PUT, POST, DELETE], path: any, request_headers: { Stocking: absent } }
  refuse: { status: 405, title: Read only }
";

#[tokio::test(flavor = "multi_thread")]
async fn a_target_without_writes_is_checked_on_streams_that_are_there() {
    let server = read_only_server().await;
    let result = check(&server, Capability::Write, &stocked(&server).await).await;
    assert_eq!(accused(&result), BTreeMap::new());
    let passed = count(&result, CaseVerdict::Passed);
    assert!(passed >= 200, "only {passed} cases were run");
    assert_eq!(count(&result, CaseVerdict::Skipped) + passed, result.cases.len());
    for proven in ["append.unsupported-405-501", "cache.not-modified-304", "longpoll.timeout-204"] {
        assert_eq!(verdict(&result, proven), RuleVerdict::Proven, "{proven}");
    }
    assert_eq!(verdict(&result, "append.success-204"), RuleVerdict::NotClaimed);
    assert_eq!(verdict(&result, "longpoll.wakes-with-new-data"), RuleVerdict::NotChecked);
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_answers_an_append_otherwise_is_warned() {
    let server = built_in::start().await.expect("a port");
    let result = check(&server, Capability::Write, &stocked(&server).await).await;
    let warned = BTreeMap::from([("append.unsupported-405-501", RuleVerdict::Warned)]);
    assert_eq!(accused(&result), warned);
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_holds_something_else_makes_the_target_unusable() {
    let server = built_in::start().await.expect("a port");
    stocked(&server).await;
    let pairs = ["hello=one-two".to_owned()];
    let result = check(&server, Capability::Write, &pairs).await;
    let why = result.unusable.expect("a reason");
    assert!(why.contains("--stream hello=one-two") && why.contains("\"one two\""), "{why}");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_without_reads_is_checked_by_what_it_answers_to_writes() {
    let server = built_in::start().await.expect("a port");
    let result = check(&server, Capability::Read, &[]).await;
    assert_eq!(accused(&result), BTreeMap::new());
    let passed = count(&result, CaseVerdict::Passed);
    assert!(passed >= 300, "only {passed} cases were run");
    let exchanges = result.cases.iter().flat_map(|case| &case.exchanges);
    // The keys of webhooks are no stream.
    let reads: Vec<&str> = exchanges
        .filter(|exchange| exchange.request.method == "GET" && !exchange.request.url.contains("/__ds/"))
        .map(|exchange| exchange.request.url.as_str())
        .collect();
    assert_eq!(reads, Vec::<&str>::new());
    assert_eq!(verdict(&result, "append.success-204"), RuleVerdict::Proven);
    assert_eq!(verdict(&result, "read.from-start-200"), RuleVerdict::NotClaimed);
    server.shutdown().await;
}

async fn read_only_server() -> RunningServer {
    let folder = tempfile::tempdir().expect("a folder");
    let sabotage = folder.path().join("sabotage");
    std::fs::create_dir(&sabotage).expect("a folder");
    std::fs::write(sabotage.join("append.yaml"), READ_ONLY).expect("a file");
    let source = FixtureSource::Directory(folder.path().to_owned());
    let mut config = built_in::config();
    config.sabotages = built_in::sabotages(&source).unwrap_or_else(|error| panic!("{error}"));
    Server::start(config).await.expect("a port")
}

/// Fills a server with the stock, and gives `NAME=URL` for each of its streams.
async fn stocked(server: &RunningServer) -> Vec<String> {
    let client = Client::new(ClientOptions::default()).expect("a client");
    let mut pairs = Vec::new();
    for stocked in stock().0 {
        let Content { media_type, body, closed } = stocked.content;
        let url = format!("{}/{}", server.root_url, stocked.name);
        let mut request = Request::new("PUT", Address::parse(&url).expect("a URL"))
            .header("Content-Type", media_type)
            .header("Stocking", "yes");
        if closed {
            request = request.header("Stream-Closed", "true");
        }
        request.body = match body {
            streamgauge::case::Body::Bytes(bytes) if bytes.is_empty() => Body::Absent,
            streamgauge::case::Body::Bytes(bytes) => Body::Bytes(bytes.into()),
            streamgauge::case::Body::Messages(messages) if messages.is_empty() => Body::Absent,
            streamgauge::case::Body::Messages(messages) => {
                Body::Bytes(format!("[{}]", messages.join(",")).into())
            }
        };
        let answer = client.fetch(&request, std::time::Duration::from_secs(5)).await.expect("an answer");
        assert_eq!(answer.status(), 201, "{}", stocked.name);
        pairs.push(format!("{}={url}", stocked.name));
    }
    pairs
}

fn stock() -> Stock {
    Stock::load(&FixtureSource::Embedded).unwrap_or_else(|error| panic!("{error}"))
}

async fn check(server: &RunningServer, lacks: Capability, streams: &[String]) -> RunResult {
    let source = FixtureSource::Embedded;
    let catalogue = Catalogue::load(&source).unwrap_or_else(|error| panic!("{error}"));
    let cases = CaseSet::load(&source, &catalogue).unwrap_or_else(|error| panic!("{error}"));
    let root = Url::parse(&server.root_url).expect("a URL");
    let streams = NamedStreams::new(stock(), &root, streams).unwrap_or_else(|error| panic!("{error}"));
    let client = Client::new(ClientOptions::default()).expect("a client");
    let target = Target::new(&server.root_url, client)
        .expect("a stream root")
        .with_timings(built_in::timings())
        .with_streams(streams)
        .without([lacks]);
    let jobs = cases.cases.into_iter().map(|case| Job::Case(Arc::new(case)));
    let jobs = jobs.chain(scenario::all().into_iter().map(Job::Scenario)).collect();
    let selection = Selection { suite: run::Suite::Streams, ..Selection::default() };
    let plan = Plan::new(jobs, &selection, &target, &catalogue).expect("a plan");
    let options = Options { keep_all_exchanges: true, ..Options::default() };
    run::run(target, Arc::new(catalogue), plan, options, &mut Unheard).await
}

fn count(result: &RunResult, verdict: CaseVerdict) -> usize {
    result.cases.iter().filter(|case| case.verdict == verdict).count()
}

fn verdict(result: &RunResult, rule: &str) -> RuleVerdict {
    result.rules.iter().find(|found| found.id.as_str() == rule).expect("the rule").verdict
}

fn accused(result: &RunResult) -> BTreeMap<&str, RuleVerdict> {
    let is_accused = |verdict| matches!(verdict, RuleVerdict::Broken | RuleVerdict::Warned);
    let accused = result.rules.iter().filter(|rule| is_accused(rule.verdict));
    accused.map(|rule| (rule.id.as_str(), rule.verdict)).collect()
}
