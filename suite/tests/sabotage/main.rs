//! The cases can fail: every sabotage of the built-in server is caught by a case of the rule that it breaks.
//!
//! `SABOTAGE=seq.` looks only at sabotages with that in their names.

mod matrix;

use matrix::{Matrix, Outcome};

/// One basic case an area: they show what else a sabotage turns red.
const CANARIES: [&str; 1] = ["matching-etag-gets-304"];

/// Areas in which every rule has a sabotage, and in which every case fails on one.
const COMPLETE: [&str; 0] = [];

#[tokio::test(flavor = "multi_thread")]
async fn every_sabotage_is_caught() {
    let matrix = Matrix::load();
    let outcomes = matrix.run().await;
    let missed: Vec<String> = outcomes.iter().filter(|outcome| !outcome.caught).map(Outcome::why).collect();
    assert!(missed.is_empty(), "{} sabotages are not caught:\n{}", missed.len(), missed.join("\n"));
    if matrix.is_partial() {
        println!("{}", red_rules(&outcomes));
        return;
    }
    let idle = matrix.never_failing(&outcomes, &COMPLETE);
    assert!(idle.is_empty(), "{} cases fail on no sabotage:\n{}", idle.len(), idle.join("\n"));
    let unbroken = matrix.rules_without_sabotage(&COMPLETE);
    assert!(unbroken.is_empty(), "{} rules have no sabotage:\n{}", unbroken.len(), unbroken.join("\n"));
    insta::assert_snapshot!("red-rules", red_rules(&outcomes));
}

fn red_rules(outcomes: &[Outcome]) -> String {
    let line = |outcome: &Outcome| {
        let red: Vec<&str> = outcome.red.iter().map(String::as_str).collect();
        format!("{}: {}", outcome.sabotage, red.join(", "))
    };
    outcomes.iter().map(line).collect::<Vec<_>>().join("\n")
}
