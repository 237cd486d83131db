use std::collections::BTreeMap;

use super::*;
use crate::case::LogScope;

struct Nothing;

impl Names for Nothing {
    fn value(&self, _name: &str) -> Option<String> {
        None
    }
}

fn log(events: &[(&str, &str)]) -> EventLog {
    let mut log = EventLog::default();
    for (name, data) in events {
        let event = SeenEvent { name: (*name).to_owned(), data: (*data).to_owned(), at: Instant::now() };
        log.events.push(event.into());
    }
    log
}

fn batch(lines: &[&str]) -> String {
    let logs: Vec<String> = lines
        .iter()
        .map(|line| format!(r#"{{"timestamp":"10:30:45","level":"info","message":"{line}"}}"#))
        .collect();
    let count = lines.len();
    format!(
        r#"{{"logs":[{}],"meta":{{"total_count":{count},"displayed_count":{count},"has_more":false}}}}"#,
        logs.join(",")
    )
}

fn found(expect: &LogsExpect, log: &EventLog) -> Vec<Finding> {
    logs(expect, log, "me", &Nothing, |_| false).expect("no name is used")
}

fn lines(messages: &[&str]) -> Option<Vec<Template>> {
    Some(messages.iter().map(|message| Template::parse(message).expect("a text")).collect())
}

#[test]
fn lines_of_others_are_left_aside() {
    let log =
        log(&[("logs", &batch(&["me a", "you b"])), ("ping", "{}"), ("logs", &batch(&["me c", "mean d"]))]);
    let messages: Vec<(String, usize)> =
        own_lines(&log, "me").into_iter().map(|line| (line.message, line.event)).collect();
    assert_eq!(messages, [("a".to_owned(), 0), ("c".to_owned(), 1)]);
}

#[test]
fn lines_that_are_missing_may_still_come_and_wrong_ones_stay() {
    let log = log(&[("logs", &batch(&["me a"]))]);
    let all = LogsExpect { lines: lines(&["a"]), ..LogsExpect::default() };
    assert_eq!(found(&all, &log), []);
    for (wanted, lasting) in [(&["a", "b"][..], false), (&["b"], true), (&[], true)] {
        let expect = LogsExpect { lines: lines(wanted), ..LogsExpect::default() };
        let findings = found(&expect, &log);
        assert_eq!(findings.len(), 1, "{wanted:?}");
        assert_eq!(findings[0].lasting, lasting, "{wanted:?}");
        let expect = LogsExpect { first_lines: lines(wanted), ..LogsExpect::default() };
        assert!(found(&expect, &log)[0].lasting, "{wanted:?}");
    }
}

#[test]
fn nothing_passes_on_a_silent_stream() {
    let silent = log(&[]);
    let expectations = [
        LogsExpect { lines: lines(&["a"]), ..LogsExpect::default() },
        LogsExpect { first_lines: lines(&["a"]), ..LogsExpect::default() },
        LogsExpect { first_count: Template::parse("1").ok(), ..LogsExpect::default() },
        LogsExpect { well_formed: true, ..LogsExpect::default() },
        LogsExpect { payloads: Some(LogScope::Service), ..LogsExpect::default() },
        LogsExpect { last_line: Template::parse("a").ok(), ..LogsExpect::default() },
        LogsExpect { statuses: Some(1), ..LogsExpect::default() },
        LogsExpect { last_status: Some(crate::case::BodyExpect::NotEmpty), ..LogsExpect::default() },
    ];
    for expect in expectations {
        assert_eq!(found(&expect, &silent).len(), 1, "{expect:?}");
    }
}

#[test]
fn every_event_has_a_known_name_and_one_line_of_json() {
    let expect = LogsExpect { well_formed: true, ..LogsExpect::default() };
    assert_eq!(found(&expect, &log(&[("ping", "{}"), ("logs", &batch(&[])), ("status", "{}")])), []);
    for event in [("message", "{}"), ("ping", "now"), ("ping", "{\n}"), ("logs", "[]")] {
        assert_eq!(found(&expect, &log(&[event])).len(), 1, "{event:?}");
    }
}

#[test]
fn a_payload_has_its_fields() {
    let line = r#"{"timestamp":"10:30:45","level":"info","message":"a"}"#;
    let of = |lines: &str, meta: &str| format!(r#"{{"logs":[{lines}],"meta":{meta}}}"#);
    let meta = r#"{"total_count":1,"displayed_count":1,"has_more":false}"#;
    let look = |scope: LogScope, payloads: &[String]| {
        let events: Vec<(&str, &str)> = payloads.iter().map(|payload| ("logs", payload.as_str())).collect();
        let expect = LogsExpect { payloads: Some(scope), ..LogsExpect::default() };
        found(&expect, &log(&events)).pop().map(|finding| finding.subject)
    };
    let service = |payload: String| look(LogScope::Service, &[payload]);
    assert_eq!(service(of(line, meta)), None);
    for (lines, meta, subject) in [
        (line, "{}", "logs event 1: meta.total_count"),
        (
            line,
            r#"{"total_count":"1","displayed_count":1,"has_more":false}"#,
            "logs event 1: meta.total_count",
        ),
        (
            line,
            r#"{"total_count":1,"displayed_count":2,"has_more":false}"#,
            "logs event 1: meta.displayed_count",
        ),
        (line, r#"{"total_count":1,"displayed_count":1,"has_more":true}"#, "logs event 1: meta.has_more"),
        (line, r#"{"total_count":2,"displayed_count":1,"has_more":false}"#, "logs event 1: meta.has_more"),
        (line, r#"{"total_count":0,"displayed_count":1,"has_more":false}"#, "logs event 1: meta.total_count"),
        (r#"{"timestamp":5,"level":"info","message":"a"}"#, meta, "logs event 1: logs[0].timestamp"),
        (r#"{"timestamp":"10:30:45","level":"loud","message":"a"}"#, meta, "logs event 1: logs[0].level"),
        (r#"{"timestamp":"10:30:45","level":"INF"}"#, meta, "logs event 1: logs[0].message"),
    ] {
        assert_eq!(service(of(lines, meta)).as_deref(), Some(subject), "{lines} {meta}");
    }
    let live = of(line, r#"{"total_count":0,"displayed_count":1,"has_more":false}"#);
    assert_eq!(look(LogScope::Service, &[of(line, meta), live]), None, "live batches need no total");
    assert_eq!(look(LogScope::Job, &[of(line, meta)]).as_deref(), Some("logs event 1: logs[0].job_id"));
    let in_job = r#"{"timestamp":"2026-01-01T10:30:45.123Z","level":"Warn","message":"a","job_id":"1","step_name":"","line_number":7}"#;
    assert_eq!(look(LogScope::Job, &[of(in_job, meta)]), None);
}

#[test]
fn a_ping_has_an_instant() {
    let odd = |data: &str| odd_ping(&log(&[("ping", data)]).events[0]).is_some();
    assert!(!odd(r#"{"timestamp":"2026-01-01T10:30:45Z"}"#));
    for data in ["{}", r#"{"timestamp":1767263445}"#, r#"{"timestamp":"10:30:45"}"#] {
        assert!(odd(data), "{data}");
    }
}

#[test]
fn a_status_names_its_job_and_may_name_steps() {
    let wanted: Value = serde_json::json!({ "job": { "id": "7" } });
    let expect = LogsExpect {
        last_status: Some(crate::case::BodyExpect::JsonIncludes(wanted)),
        ..LogsExpect::default()
    };
    let job = r#""job":{"id":"7","status":"running"}"#;
    let step = r#"{"id":"1","name":"build","status":"running"}"#;
    for rest in [String::new(), r#","progress":5"#.to_owned(), format!(r#","steps":[{step}]"#)] {
        assert_eq!(found(&expect, &log(&[("status", &format!("{{{job}{rest}}}"))])), [], "{rest}");
    }
    for data in
        [format!(r#"{{{job},"steps":[{{"id":"1"}}]}}"#), r#"{"job":{"id":"7"}}"#.to_owned(), "{}".to_owned()]
    {
        assert!(!found(&expect, &log(&[("status", &data)])).is_empty(), "{data}");
    }
}

#[test]
fn a_cell_that_is_left_out_leaves_out_its_line() {
    struct Row(BTreeMap<&'static str, &'static str>);
    impl Names for Row {
        fn value(&self, name: &str) -> Option<String> {
            self.0.get(name).map(|value| (*value).to_owned())
        }
    }
    let log = log(&[("logs", &batch(&["me warn"]))]);
    let expect = LogsExpect { lines: lines(&["$info", "$warn"]), ..LogsExpect::default() };
    let row = Row(BTreeMap::from([("warn", "warn")]));
    let left_out = |template: &Template| template.source() == "$info";
    assert_eq!(logs(&expect, &log, "me", &row, left_out), Ok(vec![]));
}
