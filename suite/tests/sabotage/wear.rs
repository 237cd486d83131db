//! Servers that wear out: up to some exchange with a stream they are right, then they fail in a general way. They
//! break no rule in particular; what they turn red shows which expectations of a case can fail at all, step by step.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use futures_util::{StreamExt as _, stream};
use streamgauge::{
    case::{Act, Case},
    run::Job,
};
use streamgauge_reference_server::sabotage::{self, Sabotage, Source};

use super::{
    matrix::Matrix,
    outcome::{Signs, common, grouped, signs, without},
};

/// Servers side by side, look by look: some signs show only on a busy machine, others only on one that is not.
const AT_ONCE: [usize; 3] = [24, 12, 48];

/// Which exchanges are counted, and up to which one a server may be right: those with each stream; for cases with several
/// streams also all of a case, and the reads of each stream, so that each of their steps is the first to fail on some server.
const COUNTS: [(&str, usize); 3] =
    [(OF_EACH_STREAM, 12), ("nth: N, together: true", 24), ("nth: N, method: GET", 12)];

const OF_EACH_STREAM: &str = "nth: N";

/// How a server fails: the keys of a sabotage, for the exchanges from number `N` on, or for that one only.
const WAYS: [&str; 8] = [
    // It knows nothing any more.
    "{ breaks: wear, name: gone, title: x, on: { from_nth: N }, refuse: { status: 500 } }",
    // It does what it is asked to do, and says once that it failed.
    "{ breaks: wear, name: sour, title: x, on: { path: any, nth: N }, response: { status: 500 } }",
    // It does so ever after.
    "{ breaks: wear, name: soured, title: x, on: { path: any, from_nth: N }, response: { status: 500 } }",
    // It loses one answer.
    "{ breaks: wear, name: lost, title: x, on: { path: any, nth: N }, response: { body: empty } }",
    // It says nothing any more.
    "{ breaks: wear, name: mute, title: x, on: { from_nth: N }, response: { body: empty, drop: [Content-Type, ETag, \
     Location, Cache-Control, Stream-Next-Offset, Stream-Up-To-Date, Stream-Closed, Stream-Cursor, Stream-TTL, \
     Stream-Expires-At, Stream-SSE-Data-Encoding, X-Content-Type-Options, Cross-Origin-Resource-Policy, \
     Access-Control-Allow-Origin, Access-Control-Allow-Methods, Access-Control-Allow-Headers, \
     Access-Control-Expose-Headers, Producer-Epoch, Producer-Seq] } }",
    // It says too much.
    "{ breaks: wear, name: chatty, title: x, on: { from_nth: N }, response: { body: { text: chatter }, set: { \
     Stream-Closed: 'true', Stream-Up-To-Date: 'true', Stream-Cursor: '0', ETag: '\"chatter\"', Stream-TTL: '1', \
     Content-Type: text/x-chatter, Stream-SSE-Data-Encoding: base64, Cache-Control: 'public, max-age=60', \
     Stream-Expires-At: '2000-01-01T00:00:00Z', Stream-Next-Offset: chatter, Producer-Epoch: '99' } } }",
    // It takes its time.
    "{ breaks: wear, name: late, title: x, on: { nth: N }, response: { delay: 1300ms } }",
    "{ breaks: wear, name: late, title: x, on: { nth: N }, events: { delay: 1300ms } }",
];

/// Writes down, area by area, what the cases find each of so many times.
pub(crate) async fn record(matrix: &Matrix, times: usize) {
    let steady = found(matrix, matrix.jobs(), AT_ONCE[0]).await;
    write(matrix, still_found(matrix, steady, 1..times).await);
}

/// Strikes out of the record what is not found each of so many times: what showed only while the machine had other work.
pub(crate) async fn narrow(matrix: &Matrix, times: usize) {
    write(matrix, still_found(matrix, recorded(), 0..times).await);
}

async fn still_found(matrix: &Matrix, mut steady: Signs, looks: Range<usize>) -> Signs {
    for look in looks {
        steady = common(steady, &found(matrix, matrix.jobs(), at_once(look)).await);
    }
    steady
}

fn write(matrix: &Matrix, steady: Signs) {
    let jobs = matrix.jobs();
    let mut areas: BTreeMap<String, Signs> = BTreeMap::new();
    for (case, signs) in steady {
        let job = jobs.iter().find(|job| job.id() == case);
        let rule = job.and_then(|job| job.proves().into_iter().next()).expect("a case proves a rule");
        areas.entry(rule.area().to_owned()).or_default().insert(case, signs);
    }
    fs::create_dir_all(folder()).expect("a folder for the record");
    for (area, signs) in areas {
        let text = grouped(&signs).join("\n") + "\n";
        fs::write(folder().join(format!("{area}.txt")), text).expect("a file of the record");
    }
}

/// What is recorded and is not found, although it is looked for so many times. A sentence each.
pub(crate) async fn missing(matrix: &Matrix, looks: usize) -> Vec<String> {
    let mut missing = recorded();
    assert!(!missing.is_empty(), "nothing is recorded: WORN=record writes it");
    for look in 0..looks {
        let open: Vec<Job> =
            matrix.jobs().iter().filter(|job| missing.contains_key(job.id())).cloned().collect();
        missing = without(missing, &found(matrix, &open, at_once(look)).await);
        if missing.is_empty() {
            break;
        }
    }
    let lines = grouped(&missing).into_iter();
    lines.map(|line| format!("{line}: recorded, and not found any more; is an expectation gone?")).collect()
}

fn at_once(look: usize) -> usize {
    AT_ONCE[look % AT_ONCE.len()]
}

fn recorded() -> Signs {
    let files = fs::read_dir(folder()).expect("the record");
    let texts = files.map(|file| fs::read_to_string(file.expect("a file").path()).expect("a text"));
    texts.flat_map(|text| text.lines().flat_map(entries).collect::<Vec<_>>()).collect()
}

/// The cases of a line, which share their signs.
fn entries(line: &str) -> Vec<(String, BTreeSet<String>)> {
    let (cases, signs) = line.split_once(": ").unwrap_or((line, ""));
    let signs: BTreeSet<String> = signs.split("; ").map(str::to_owned).collect();
    match cases.split_once('/') {
        None => vec![(cases.to_owned(), signs)],
        Some((case, rows)) => rows.split(',').map(|row| (format!("{case}/{row}"), signs.clone())).collect(),
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sabotage/worn")
}

/// All signs by which these cases find worn-out servers, so many of which run at once.
pub(crate) async fn found(matrix: &Matrix, jobs: &[Job], at_once: usize) -> Signs {
    let mut all = Signs::new();
    let exchanges =
        COUNTS.into_iter().flat_map(|(count, longest)| (1..=longest).map(move |exchange| (exchange, count)));
    let mut runs =
        stream::iter(exchanges.flat_map(|(exchange, count)| WAYS.map(|way| (exchange, count, way))))
            .map(|(exchange, count, way)| async move {
                let is_meant = |job: &&Job| {
                    goes_as_far_as(job, exchange) && (count == OF_EACH_STREAM || has_several_streams(job))
                };
                let jobs: Vec<Job> = jobs.iter().filter(is_meant).cloned().collect();
                match jobs.is_empty() {
                    true => Signs::new(),
                    false => signs(&jobs, &matrix.against(&worn(way, count, exchange), jobs.clone()).await),
                }
            })
            .buffer_unordered(at_once);
    while let Some(found) = runs.next().await {
        merge(&mut all, found);
    }
    all
}

pub(crate) fn merge(all: &mut BTreeMap<String, BTreeSet<String>>, more: Signs) {
    for (case, signs) in more {
        all.entry(case).or_default().extend(signs);
    }
}

fn worn(way: &str, count: &str, exchange: usize) -> Sabotage {
    let text = format!("- {}", way.replace("nth: N", &count.replace('N', &exchange.to_string())));
    let read = sabotage::sabotages([Source { path: "wear.rs", text: &text }]);
    read.unwrap_or_else(|error| panic!("{error}")).remove(0)
}

fn goes_as_far_as(job: &Job, exchange: usize) -> bool {
    match job {
        Job::Case(case) => exchange <= steps_of(case),
        Job::Scenario(_) => false,
    }
}

/// Whether a case names a stream or another path besides the one that needs no name.
fn has_several_streams(job: &Job) -> bool {
    let Job::Case(case) = job else { return false };
    case.given.iter().chain(case.steps.iter()).any(|step| match &step.value {
        Act::Put(request)
        | Act::Post(request)
        | Act::Get(request)
        | Act::Head(request)
        | Act::Delete(request) => request.stream.is_some() || request.at.is_some(),
        Act::StartGet(read) | Act::StartSse(read) => read.stream.is_some(),
        _ => false,
    })
}

/// Steps, which are exchanges or less; one that repeats a request is many.
fn steps_of(case: &Case) -> usize {
    let steps = case.given.iter().chain(case.steps.iter());
    steps.map(|step| if let Act::AtOnce(at_once) = &step.value { at_once.times } else { 1 }).sum()
}
