use anstream::{AutoStream, ColorChoice};

use super::*;
use crate::{baseline::Difference, event::RuleVerdict, report::sample, rule::RuleId};

fn report(run: &RunResult, choice: ColorChoice, standard: Standard<'_>) -> String {
    let mut out = AutoStream::new(Vec::new(), choice);
    write(&mut out, run, standard, Layout { width: 100 }).unwrap();
    String::from_utf8(out.into_inner()).unwrap()
}

fn plain(run: &RunResult) -> String {
    report(run, ColorChoice::Never, sample::standard())
}

#[test]
fn a_run_with_every_kind_of_trouble() {
    insta::assert_snapshot!(plain(&sample::troubled()));
}

#[test]
fn a_run_in_which_all_is_well() {
    insta::assert_snapshot!(plain(&sample::clean()));
}

#[test]
fn a_target_that_cannot_be_used() {
    insta::assert_snapshot!(plain(&sample::unusable()));
}

#[test]
fn warnings_are_shown_in_full_where_they_fail_the_run() {
    let run = sample::warned_only();
    assert!(plain(&run).contains("PASSED"));
    insta::assert_snapshot!(report(&run, ColorChoice::Never, sample::strict()));
}

#[test]
fn colours_change_nothing_but_the_colours() {
    let run = sample::troubled();
    let coloured = report(&run, ColorChoice::AlwaysAnsi, sample::standard());
    assert!(coloured.contains("\u{1b}["));
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain(&run));
}

#[test]
fn nothing_that_a_target_sends_reaches_the_terminal_as_a_command() {
    let report = plain(&sample::hostile());
    assert!(!report.contains(|c: char| c.is_control() && c != '\n'), "{report}");
    insta::assert_snapshot!(report);
}

#[test]
fn known_failures_are_told_in_short_and_differences_in_full() {
    let difference = Difference {
        unexpected: vec![(RuleId::new("create.response-next-offset"), RuleVerdict::Broken)],
        outdated: vec![
            "known.yaml:3: head.* is listed as failing and is proven; take it off the list".to_owned(),
        ],
        ..Difference::default()
    };
    let standard = Standard { known: Some(&difference), ..sample::standard() };
    insta::assert_snapshot!(report(&sample::troubled(), ColorChoice::Never, standard));
}

#[test]
fn a_run_that_is_as_known_passes() {
    let same = Difference::default();
    let standard = Standard { known: Some(&same), ..sample::standard() };
    let report = report(&sample::hostile(), ColorChoice::Never, standard);
    insta::assert_snapshot!(report.lines().last().unwrap(), @"PASSED: 1 rule broken or warned, all as known; 1 case: 1 failed; in 4.13 s");
}
