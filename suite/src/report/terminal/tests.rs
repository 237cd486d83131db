use anstream::{AutoStream, ColorChoice};

use super::*;
use crate::report::sample;

fn report(run: &RunResult, choice: ColorChoice, fail_on: Judgement) -> String {
    let mut out = AutoStream::new(Vec::new(), choice);
    write(&mut out, run, Layout { width: 100, fail_on }).unwrap();
    String::from_utf8(out.into_inner()).unwrap()
}

fn plain(run: &RunResult) -> String {
    report(run, ColorChoice::Never, Judgement::Error)
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
    insta::assert_snapshot!(report(&run, ColorChoice::Never, Judgement::Warning));
}

#[test]
fn colours_change_nothing_but_the_colours() {
    let run = sample::troubled();
    let coloured = report(&run, ColorChoice::AlwaysAnsi, Judgement::Error);
    assert!(coloured.contains("\u{1b}["));
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain(&run));
}

#[test]
fn nothing_that_a_target_sends_reaches_the_terminal_as_a_command() {
    let report = plain(&sample::hostile());
    assert!(!report.contains(|c: char| c.is_control() && c != '\n'), "{report}");
    insta::assert_snapshot!(report);
}
