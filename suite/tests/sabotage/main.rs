//! The cases can fail: every sabotage of the built-in server is caught by a case of the rule that it breaks, every
//! rule is broken by a sabotage, and every case fails on one. What each sabotage turns red stands in `snapshots`.
//!
//! `SABOTAGE=seq.,json.` looks only at sabotages with one of these in their names, and prints what they turn red.
//! `WORN=record` writes anew what is found on servers that wear out; `WORN=narrow` strikes out what is found no more.

mod experiment;
mod leaf;
mod matrix;
mod outcome;
mod record;
mod wear;

use matrix::Matrix;
use outcome::{Detail, Outcome};
use record::Record;
use tokio::sync::Mutex;

/// One test at a time: each keeps the machine busy by itself.
static TURN: Mutex<()> = Mutex::const_new(());

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

/// Areas in which every rule has a sabotage, every case fails on one, and it is recorded what each turns red.
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

/// Areas whose cases wait for deliveries, leases and lifetimes: the step at which they fail is up to the machine. Which
/// rules each sabotage turns red is recorded and reviewed; of the other areas also which cases, and where.
const RULES_RECORDED: [&str; 11] =
    ["fence", "fork", "jwks", "logs", "producer", "pull", "ssrf", "subscription", "ttl", "wake", "webhook"];

/// Sabotages whose reach depends on chance, and why: the snapshots have only the rule that they break.
const UNSTEADY: [(&str, &str); 1] =
    [("wake.on-pending#every-stream", "whoever appends meanwhile wakes the receivers of all cases")];

/// How often a sabotage is looked at before it counts as missed, or as other than recorded: a race that one run does
/// not hit, another one does.
const LOOKS: usize = 5;

/// How often a sign has to come in a row before it is recorded.
const TIMES_SEEN: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn every_sabotage_is_caught() {
    let _turn = TURN.lock().await;
    let matrix = Matrix::load();
    let record = Record::read(&COMPLETE);
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
        for area in COMPLETE {
            let of_area = outcomes.iter().filter(|outcome| outcome.area() == area);
            record::compare(area, &red(of_area));
        }
    }
}

/// What every case finds on servers that wear out is recorded in `worn`: an expectation that is taken out of a case
/// leaves a sign that is missing. More may be found than is recorded: what wears out first is up to how busy the machine is.
#[tokio::test(flavor = "multi_thread")]
async fn worn_out_servers_are_found_out() {
    let _turn = TURN.lock().await;
    let matrix = Matrix::load();
    if matrix.is_partial() {
        return;
    }
    match std::env::var("WORN").as_deref() {
        Ok("record") => wear::record(&matrix, TIMES_SEEN).await,
        Ok("narrow") => wear::narrow(&matrix, TIMES_SEEN).await,
        _ => {
            let missing = wear::missing(&matrix, LOOKS).await;
            assert!(missing.is_empty(), "{} signs are missing:\n{}\n", missing.len(), missing.join("\n"));
        }
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
    let detail = if UNSTEADY.iter().any(|(sabotage, _)| *sabotage == outcome.sabotage) {
        Detail::Nothing
    } else if RULES_RECORDED.contains(&outcome.area()) {
        Detail::Rules
    } else {
        Detail::Signs
    };
    outcome.red(detail)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a tool: draws expectations and removes them, see experiment.rs"]
async fn expectation_experiment() {
    experiment::run(&Matrix::load()).await;
}
