//! The cases can fail: every sabotage of the built-in server is caught by a case of the rule that it breaks, every
//! rule is broken by a sabotage, and every case fails on one. What each sabotage turns red stands in `snapshots`.
//!
//! `SABOTAGE=seq.,json.` looks only at sabotages with one of these in their names, and prints what they turn red.

mod experiment;
mod leaf;
mod matrix;
mod outcome;
mod record;
mod wear;

use matrix::Matrix;
use outcome::{Outcome, Signs};
use record::Record;

/// Basic cases, one an area. They run against every sabotage, so that the snapshots tell how far a fault reaches.
const CANARIES: [&str; 20] = [
    "a-deleted-stream-is-gone",
    "a-fork-is-read-without-a-seam",
    "a-producer-begins-at-zero",
    "all-messages-are-read-in-one-array",
    "an-append-is-answered-204",
    "an-append-without-sequence-is-taken",
    "answers-forbid-sniffing",
    "append-answers-every-waiting-reader",
    "bytes-keep-their-offset",
    "close-only-is-204-at-the-unchanged-tail",
    "every-position-has-an-offset-of-its-own",
    "head-describes-the-stream/text",
    "head-tells-the-window",
    "links-show-path-type-and-cursor/by-name",
    "matching-etag-gets-304",
    "no-offset-reads-like-minus-one",
    "now-tells-the-tail",
    "put-to-an-unused-url-is-201",
    "stored-data-comes-first-then-appends-as-they-happen/text",
    "the-present-cursor-is-passed",
];

/// Areas in which every rule has a sabotage, and in which every case fails on one.
const COMPLETE: [&str; 27] = [
    "append",
    "cache",
    "closure",
    "core",
    "create",
    "cursor",
    "delete",
    "fence",
    "fork",
    "head",
    "json",
    "jwks",
    "logs",
    "longpoll",
    "now",
    "offset",
    "producer",
    "pull",
    "read",
    "security",
    "seq",
    "sse",
    "ssrf",
    "subscription",
    "ttl",
    "wake",
    "webhook",
];

/// Areas for which it is recorded and reviewed what each sabotage turns red.
const RECORDED: [&str; 16] = [
    "append", "cache", "closure", "core", "create", "cursor", "delete", "head", "json", "longpoll", "now",
    "offset", "read", "security", "seq", "sse",
];

/// Sabotages whose reach depends on chance, and why: the snapshots have only the rule that they break.
const UNSTEADY: [(&str, &str); 0] = [];

/// How often a sabotage is looked at before it counts as missed, or as other than recorded: a race that one run does
/// not hit, another one does.
const LOOKS: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn every_sabotage_is_caught() {
    let matrix = Matrix::load();
    let record = Record::read(&RECORDED);
    let is_settled = |outcome: &Outcome| outcome.caught && record.agrees(&outcome.sabotage, &red_by(outcome));
    let outcomes = matrix.run(LOOKS, is_settled).await;
    let mut holes: Vec<String> =
        outcomes.iter().filter(|outcome| !outcome.caught).map(Outcome::why).collect();
    if matrix.is_partial() {
        println!("{}", red(outcomes.iter()));
    } else {
        holes.extend(matrix.never_failing(&outcomes, &complete()).await);
        holes.extend(matrix.rules_without_sabotage(&complete()));
        holes.extend(matrix.unknown_names(&CANARIES, UNSTEADY.map(|(sabotage, _)| sabotage)));
    }
    assert!(holes.is_empty(), "{} holes:\n\n{}\n", holes.len(), holes.join("\n\n"));
    if !matrix.is_partial() {
        for area in RECORDED {
            let of_area = outcomes.iter().filter(|outcome| outcome.area() == area);
            record::compare(area, &red(of_area));
        }
    }
}

/// Every case, with all that it finds on servers that wear out, is recorded, too: what the expectation experiment holds
/// a case without one of its expectations against.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a tool: what wears out first depends on how busy the machine is; run it on a quiet one"]
async fn worn_out_servers_are_found_out() {
    let matrix = &Matrix::load();
    let areas = RECORDED;
    let jobs = matrix.jobs_of(&areas);
    let texts = |signs: &Signs| -> Vec<(String, String)> {
        areas.iter().map(|area| (format!("worn/{area}"), wear::lines(signs, &jobs, area))).collect()
    };
    let mut signs = Signs::new();
    let mut open = jobs.clone();
    for _ in 0..LOOKS {
        wear::merge(&mut signs, wear::found(matrix, &open).await);
        let missing: Vec<String> =
            texts(&signs).iter().flat_map(|(name, text)| record::missing(name, text)).collect();
        open.retain(|job| missing.iter().any(|case| job.id().split('/').next() == Some(case.as_str())));
    }
    for (name, text) in texts(&signs) {
        record::compare(&name, &text);
    }
}

/// Another list of areas can be tried out: `COMPLETE=fork,ttl`.
fn complete() -> Vec<String> {
    match std::env::var("COMPLETE") {
        Ok(areas) => areas.split(',').map(str::to_owned).collect(),
        Err(_) => COMPLETE.map(str::to_owned).to_vec(),
    }
}

fn red<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> String {
    outcomes.map(red_by).collect::<Vec<_>>().join("\n")
}

fn red_by(outcome: &Outcome) -> String {
    outcome.red(!UNSTEADY.iter().any(|(sabotage, _)| *sabotage == outcome.sabotage))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a tool: draws expectations and removes them, see experiment.rs"]
async fn expectation_experiment() {
    experiment::run(&Matrix::load()).await;
}
