//! Parts of the whole: shards, and patterns that match nothing.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::program::{check, json, status, told};

fn cases_run(report: &Value) -> BTreeSet<String> {
    let cases = report["cases"].as_array().expect("cases").iter();
    cases
        .filter(|case| case["skipped"]["kind"] != "filtered")
        .filter_map(|case| case["id"].as_str().map(str::to_owned))
        .collect()
}

#[test]
fn shards_are_disjoint_and_make_up_the_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| {
        let file = folder.path().join("report.json");
        let report = format!("json={}", file.display());
        let output = check(&[&["--only", "cache", "--report", &report], arguments].concat());
        assert_eq!(status(&output), 0, "{}", told(&output));
        (json(&file), told(&output))
    };
    let (whole, printed) = run(&[]);
    assert_eq!(whole["shard"], Value::Null);
    assert!(!printed.contains("shard "), "{printed}");
    let mut left = cases_run(&whole);
    assert!(left.len() > 10);
    for index in 1..=3 {
        let shard = format!("{index}/3");
        let (part, printed) = run(&["--shard", &shard]);
        assert_eq!(part["shard"], shard.as_str());
        assert!(printed.contains(&format!("shard {shard}: ")), "{printed}");
        // A case that is gone already would have been in two parts.
        for case in cases_run(&part) {
            assert!(left.remove(&case), "{case}");
        }
    }
    assert_eq!(left, BTreeSet::new());
}

#[test]
fn a_pattern_that_matches_nothing_is_a_wrong_call() {
    for flag in ["--only", "--skip"] {
        for pattern in ["no-such-thing", "cache.no-such-rule", "zz*"] {
            let output = check(&[flag, pattern]);
            assert_eq!(status(&output), 2, "{flag} {pattern}: {}", told(&output));
            assert!(told(&output).contains(pattern), "{}", told(&output));
            assert!(told(&output).contains("streamgauge rules"), "{}", told(&output));
        }
    }
}
