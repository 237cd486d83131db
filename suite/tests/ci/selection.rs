//! Parts of the whole: shards, and patterns that match nothing.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::program::{Served, check, json, status, told};

fn cases(report: &Value) -> BTreeSet<String> {
    let cases = report["cases"].as_array().expect("cases").iter();
    cases.filter_map(|case| case["id"].as_str().map(str::to_owned)).collect()
}

#[test]
fn shards_are_disjoint_and_make_up_the_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| {
        let file = folder.path().join("report.json");
        let junit = folder.path().join("report.xml");
        let reports = [format!("json={}", file.display()), format!("junit={}", junit.display())];
        let fixed = ["--only", "cache", "--report", &reports[0], "--report", &reports[1]];
        let output = check(&[&fixed[..], arguments].concat());
        assert_eq!(status(&output), 0, "{}", told(&output));
        (json(&file), told(&output), std::fs::read_to_string(junit).expect("a report"))
    };
    let (whole, printed, junit) = run(&[]);
    assert!(!junit.contains("name=\"shard\""));
    assert_eq!(whole["shard"], Value::Null);
    assert!(!printed.contains("shard "), "{printed}");
    let mut left = cases(&whole);
    assert!(left.len() > 10);
    for index in 1..=3 {
        let shard = format!("{index}/3");
        let (part, printed, junit) = run(&["--shard", &shard]);
        assert!(junit.contains(&format!("name=\"shard\" value=\"{shard}\"")));
        assert_eq!(part["shard"], shard.as_str());
        assert!(printed.contains(&format!("shard {shard}: ")), "{printed}");
        // A case that is gone already would have been in two parts.
        for case in cases(&part) {
            assert!(left.remove(&case), "{case}");
        }
    }
    assert_eq!(left, BTreeSet::new());
}

#[test]
fn a_list_of_known_failures_serves_every_shard() {
    let server = Served::start(&["--break", "cache.not-modified-304"]);
    let folder = tempfile::tempdir().expect("a folder");
    let list = folder.path().join("known.yaml");
    let known = "- { rule: cache.not-modified-304, verdict: broken, reason: old }\n\
                 - { case: matching-etag-gets-304, reason: old }\n";
    std::fs::write(&list, known).expect("a list");
    let list = list.display().to_string();
    for shard in ["1/6", "2/6", "3/6", "4/6", "5/6", "6/6"] {
        let output = check(&[&server.url, "--only", "cache", "--known-failures", &list, "--shard", shard]);
        assert_eq!(status(&output), 0, "{shard}: {}", told(&output));
    }
}

#[test]
fn a_missing_capability_is_one_failure_over_all_shards() {
    let server = Served::start(&["--break", "fork.default-offset-is-tail#headers-ignored"]);
    let folder = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| {
        let file = folder.path().join("report.json");
        let report = format!("json={}", file.display());
        check(&[&[&server.url, "--only", "fork", "--report", &report], arguments].concat());
        json(&file)
    };
    let count = |report: &Value, verdict: &str| report["summary"][verdict].as_u64().expect("a number");
    let whole = run(&[]);
    let parts = ["1/3", "2/3", "3/3"].map(|shard| run(&["--shard", shard]));
    for verdict in ["passed", "failed", "warned", "blocked", "skipped", "errored"] {
        let all: u64 = parts.iter().map(|part| count(part, verdict)).sum();
        assert_eq!(all, count(&whole, verdict), "{verdict}");
    }
    assert_eq!(count(&whole, "failed"), 1);
    assert!(
        parts.iter().all(|part| count(part, "blocked") > 10),
        "{:?}",
        parts.map(|part| part["summary"].clone())
    );
    let reasons = parts.iter().flat_map(|part| part["cases"].as_array().expect("cases"));
    let of_others = |case: &&Value| {
        case["reason"].as_str().is_some_and(|why| why.contains("of which another shard tells"))
    };
    assert!(reasons.filter(of_others).count() > 20);
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
