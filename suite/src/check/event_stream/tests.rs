use std::time::Instant;

use super::*;
use crate::case::{Matcher, Template};

struct NoNames;

impl Names for NoNames {
    fn value(&self, _name: &str) -> Option<String> {
        None
    }
}

fn log(events: &[(&str, &str)]) -> EventLog {
    let event = |(name, data): &(&str, &str)| {
        Arc::new(SeenEvent { name: (*name).to_owned(), data: (*data).to_owned(), at: Instant::now() })
    };
    EventLog { events: events.iter().map(event).collect(), ..EventLog::default() }
}

/// How many findings there are, and whether waiting can still mend them.
fn verdict(expect: &EventStreamExpect, events: &[(&str, &str)]) -> (usize, bool) {
    let findings = event_stream(expect, &log(events), &NoNames).expect("no names are used");
    (findings.len(), findings.iter().all(|finding| !finding.lasting))
}

const MET: (usize, bool) = (0, true);
const NOT_YET: (usize, bool) = (1, true);
const NEVER: (usize, bool) = (1, false);

fn text(text: &str) -> BodyExpect {
    BodyExpect::Text(Template::parse(text).expect("a template"))
}

#[test]
fn pairs_are_data_with_control_right_behind() {
    let expect = EventStreamExpect { paired: true, ..Default::default() };
    assert_eq!(verdict(&expect, &[]), NOT_YET);
    assert_eq!(verdict(&expect, &[("control", "{}")]), NOT_YET);
    assert_eq!(verdict(&expect, &[("data", "a")]), NOT_YET);
    assert_eq!(verdict(&expect, &[("data", "a"), ("control", "{}")]), MET);
    assert_eq!(
        verdict(&expect, &[("control", "{}"), ("data", "a"), ("control", "{}"), ("control", "{}")]),
        MET
    );
    assert_eq!(verdict(&expect, &[("data", "a"), ("data", "b"), ("control", "{}")]), NEVER);
    assert_eq!(verdict(&expect, &[("data", "a"), ("ping", "")]), NEVER);
}

#[test]
fn strangers_among_the_names_are_told() {
    let known = Some(vec!["data".to_owned(), "control".to_owned()]);
    let expect = EventStreamExpect { names_among: known, ..Default::default() };
    assert_eq!(verdict(&expect, &[]), NOT_YET);
    assert_eq!(verdict(&expect, &[("control", "{}")]), MET);
    assert_eq!(verdict(&expect, &[("control", "{}"), ("ping", "")]), NEVER);
}

#[test]
fn a_field_that_never_falls_is_an_integer_everywhere() {
    let expect = EventStreamExpect { never_falls: vec!["c".to_owned()], ..Default::default() };
    let controls = |fields: &[&'static str]| -> Vec<(&'static str, &'static str)> {
        fields.iter().map(|field| ("control", *field)).collect()
    };
    assert_eq!(verdict(&expect, &[]), NOT_YET);
    assert_eq!(verdict(&expect, &controls(&[r#"{"c":"9"}"#, r#"{"c":"9"}"#, r#"{"c":"10"}"#])), MET);
    assert_eq!(verdict(&expect, &controls(&[r#"{"c":"10"}"#, r#"{"c":"9"}"#])), NEVER);
    assert_eq!(verdict(&expect, &controls(&[r#"{"c":"10"}"#, "{}"])), NEVER);
    assert_eq!(verdict(&expect, &controls(&[r#"{"c":"x"}"#])), NEVER);
}

#[test]
fn a_field_may_be_absent_or_say_so() {
    let not_closed = Matcher::AbsentOr(vec![Template::parse("false").expect("a template")]);
    let fields = BTreeMap::from([("streamClosed".to_owned(), Matchers(vec![not_closed]))]);
    let expect = EventStreamExpect { every_control: Some(fields), ..Default::default() };
    assert_eq!(verdict(&expect, &[]), NOT_YET);
    assert_eq!(verdict(&expect, &[("control", "{}")]), MET);
    assert_eq!(verdict(&expect, &[("control", r#"{"streamClosed":false}"#)]), MET);
    assert_eq!(verdict(&expect, &[("control", r#"{"streamClosed":true}"#)]), NEVER);
}

#[test]
fn data_is_waited_for_while_it_may_still_become_what_is_wanted() {
    let expect = EventStreamExpect { data: Some(text("a\r\nb")), ..Default::default() };
    assert_eq!(verdict(&expect, &[]), NOT_YET);
    assert_eq!(verdict(&expect, &[("data", "a\n")]), NOT_YET);
    assert_eq!(verdict(&expect, &[("data", "a\n"), ("data", "b")]), MET);
    assert_eq!(verdict(&expect, &[("data", "b")]), NEVER);
    assert_eq!(verdict(&expect, &[("data", "a\nb"), ("data", "c")]), NEVER);
    let nothing = EventStreamExpect { data: Some(BodyExpect::Empty), ..Default::default() };
    assert_eq!(verdict(&nothing, &[("control", "{}")]), MET);
    assert_eq!(verdict(&nothing, &[("data", "x")]), NEVER);
}

#[test]
fn an_exact_list_is_waited_for_while_it_may_still_come() {
    let names = Some(vec!["data".to_owned(), "control".to_owned()]);
    let expect = EventStreamExpect { names, ..Default::default() };
    assert_eq!(verdict(&expect, &[("data", "a")]), NOT_YET);
    assert_eq!(verdict(&expect, &[("data", "a"), ("control", "{}")]), MET);
    assert_eq!(verdict(&expect, &[("control", "{}")]), NEVER);
    assert_eq!(verdict(&expect, &[("data", "a"), ("control", "{}"), ("control", "{}")]), NEVER);
}

#[test]
fn a_broken_connection_is_told_beside_what_it_lacks() {
    let expect = EventStreamExpect { data: Some(text("a")), ..Default::default() };
    let mut log = log(&[]);
    log.end = LogEnd::Torn("reset".to_owned());
    let findings = event_stream(&expect, &log, &NoNames).expect("no names are used");
    let subjects: Vec<&str> = findings.iter().map(|finding| finding.subject.as_str()).collect();
    assert_eq!(subjects, ["data events", "connection"]);
}
