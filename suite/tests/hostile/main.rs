//! Targets that mean harm, or are broken beyond measure: the program itself is run against each, and has to end in time,
//! within its memory, with a sentence that names what happened. Nothing that means nothing may pass.

mod attacks;
mod peer;
mod program;
mod treachery;

use std::{sync::Arc, time::Duration};

use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    attacks::Attack,
    program::{MOST_MEMORY, Outcome, run},
};

/// How long one run may take.
const LONGEST: Duration = Duration::from_secs(60);

/// Runs side by side that work; those that wait take no turn.
const AT_ONCE: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn no_target_hurts_the_suite() {
    let only = std::env::var("HOSTILE").unwrap_or_default();
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    let (midway, right) = attacks::midway::attacks().await;
    let all = attacks::all().into_iter().chain(midway);
    for attack in all.filter(|attack| attack.name.contains(&only)) {
        let turns = Arc::clone(&turns);
        running.spawn(async move {
            let _turn = match attack.waits {
                true => None,
                false => Some(turns.acquire_owned().await.expect("the turns are never closed")),
            };
            let server = peer::Server::start(attack.serve.clone()).await;
            let outcome = run(&server.root(), &[], LONGEST).await;
            let found = complaints(&attack, &outcome);
            println!(
                "{:44} {:>6.1?} {:>3} MiB  exit {:?}  {}",
                attack.name,
                outcome.took,
                outcome.peak_kib.unwrap_or_default() / 1024,
                outcome.status,
                outcome.last_line()
            );
            (attack.name, found, outcome)
        });
    }
    assert!(!running.is_empty(), "HOSTILE={only} names no attack");
    let mut failed = Vec::new();
    while let Some(done) = running.join_next().await {
        let (name, found, outcome) = done.expect("a run is looked at to its end");
        if !found.is_empty() {
            let told: String = outcome.told().chars().take(6000).collect();
            failed.push(format!("{name}: {}\n{told}", found.join("; ")));
        }
    }
    right.shutdown().await;
    assert!(failed.is_empty(), "{} attacks hurt:\n\n{}", failed.len(), failed.join("\n\n"));
}

/// What a run did that it must not do, whatever the target does.
fn complaints(attack: &Attack, outcome: &Outcome) -> Vec<String> {
    let mut found = Vec::new();
    match outcome.status {
        None => found.push(format!("it had not ended after {LONGEST:?}")),
        Some(status) if !attack.exits.contains(&status) => found.push(format!("exit {status}")),
        Some(_) => {}
    }
    if let Some(peak) = outcome.peak_kib
        && peak * 1024 > MOST_MEMORY
    {
        found.push(format!("{} MiB of memory", peak / 1024));
    }
    let told = outcome.told();
    if told.contains("panicked") {
        found.push("it panicked".to_owned());
    }
    if !attack.told.iter().any(|sentence| told.contains(sentence)) {
        found.push(format!("it did not tell any of {:?}", attack.told));
    }
    if let Some(passed) = outcome.passed()
        && passed > attack.may_pass
    {
        found.push(format!("{passed} cases passed"));
    }
    found.extend(treachery::raw_in(&outcome.stdout).map(|raw| format!("raw in the output: {raw}")));
    found
}

/// A target that puts orders for terminals and readers into all that it sends, through every report.
#[tokio::test(flavor = "multi_thread")]
async fn no_order_of_a_target_reaches_a_report() {
    for attack in attacks::treacherous() {
        let folder = tempfile::tempdir().expect("a folder");
        let formats = ["json", "junit", "tap", "markdown", "html", "har"];
        let flags: Vec<String> = formats
            .iter()
            .flat_map(|format| {
                ["--report".to_owned(), format!("{format}={}", folder.path().join(format).display())]
            })
            .collect();
        let server = peer::Server::start(attack.serve.clone()).await;
        let outcome = run(&server.root(), &flags, LONGEST).await;
        assert_eq!(complaints(&attack, &outcome), Vec::<String>::new(), "{}", attack.name);
        assert_eq!(treachery::raw_in(&outcome.stderr).next(), None, "{} on stderr", attack.name);
        for format in formats {
            let report = std::fs::read(folder.path().join(format)).expect("a report");
            if format == "html" {
                assert!(!String::from_utf8_lossy(&report).contains(treachery::SCRIPT), "{}", attack.name);
            }
            assert!(!report.is_empty(), "{format}");
            assert_eq!(treachery::raw_in(&report).next(), None, "{} in {format}", attack.name);
        }
    }
}
