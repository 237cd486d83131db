use std::time::Duration;

use serde_json::{Value, json};

use super::super::entry::Level;
use super::*;

/// A store whose clock the test sets.
struct Bench {
    store: Store,
    now: Instant,
    windows: Vec<OpenWindow>,
}

impl Bench {
    fn new(config: LogsConfig) -> Self {
        Self { store: Store::new(config, 0), now: Instant::now(), windows: Vec::new() }
    }

    fn read(&mut self, query: &str) -> (Vec<String>, Subscription) {
        let (first, subscription) = self.store.subscribe(LogsQuery::parse(query).unwrap());
        (messages(&value_of(&first.into_event())), subscription)
    }

    fn log(&mut self, message: &str) {
        self.log_as(Level::Info, None, None, message);
    }

    fn log_as(&mut self, level: Level, job: Option<&str>, step: Option<&str>, message: &str) {
        let new = NewEntry {
            level,
            message: message.to_owned(),
            job_id: job.map(str::to_owned),
            step_name: step.map(str::to_owned),
            line_number: None,
        };
        let arrival = Arrival { now: self.now, time_of_day: "10:30:45" };
        self.windows.extend(self.store.push(new, arrival));
    }

    fn wait(&mut self, milliseconds: u64) {
        self.now += Duration::from_millis(milliseconds);
        for (scope, until) in std::mem::take(&mut self.windows) {
            if until <= self.now {
                self.store.close_window_if_due(&scope, self.now);
            } else {
                self.windows.push((scope, until));
            }
        }
    }

    /// All events there are now.
    fn events(&mut self, subscription: &mut Subscription) -> Vec<Value> {
        std::iter::from_fn(|| self.store.next_event(subscription)).map(|event| value_of(&event)).collect()
    }

    fn batches(&mut self, subscription: &mut Subscription) -> Vec<Vec<String>> {
        self.events(subscription).iter().map(messages).collect()
    }

    fn change_status(&mut self, id: &str, status: &str) {
        let new = serde_json::from_value(json!({ "status": status })).unwrap();
        self.store.change_status(id, new);
    }
}

fn value_of(event: &[u8]) -> Value {
    let text = std::str::from_utf8(event).unwrap();
    serde_json::from_str(text.split_once("data: ").unwrap().1).unwrap()
}

fn messages(payload: &Value) -> Vec<String> {
    let logs = payload["logs"].as_array().expect("a logs event");
    logs.iter().map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
}

fn small(ring_entries: usize) -> LogsConfig {
    LogsConfig { ring_entries, ..LogsConfig::default() }
}

#[test]
fn a_reader_gets_what_was_and_then_what_comes_each_once() {
    let mut bench = Bench::new(LogsConfig::default());
    let (_, mut other) = bench.read("scope=service");
    bench.log("0");
    bench.wait(100);
    let (first, mut reader) = bench.read("scope=service");
    assert_eq!(first, ["0"], "even though it still waits for its batch");
    bench.log("1");
    bench.wait(50);
    assert_eq!(bench.batches(&mut reader), [["1"]], "the window that 0 opened");
    assert_eq!(bench.batches(&mut other), [["0", "1"]]);
    bench.wait(1_000);
    assert_eq!(bench.batches(&mut reader), Vec::<Vec<String>>::new());
}

#[test]
fn filters_hold_for_live_entries_and_share_nothing_wrongly() {
    let mut bench = Bench::new(LogsConfig::default());
    let (_, mut warn) = bench.read("scope=job&job_id=1&level=warn");
    let (_, mut all) = bench.read("scope=job&job_id=1&level=debug");
    let (_, mut all_too) = bench.read("scope=job&job_id=1&level=debug");
    let (_, mut build) = bench.read("scope=job&job_id=1&step=build");
    let (_, mut other) = bench.read("scope=job&job_id=2&level=debug");
    let (_, mut service) = bench.read("scope=service&level=debug");
    bench.log_as(Level::Debug, Some("1"), None, "debug");
    bench.log_as(Level::Warn, Some("1"), Some("test"), "warn");
    bench.log_as(Level::Info, Some("1"), Some("build"), "info");
    bench.wait(150);
    assert_eq!(bench.batches(&mut warn), [["warn"]]);
    assert_eq!(bench.batches(&mut all), [["debug", "warn", "info"]]);
    assert_eq!(bench.batches(&mut all_too), [["debug", "warn", "info"]]);
    assert_eq!(bench.batches(&mut build), [["info"]]);
    assert_eq!(bench.batches(&mut other), Vec::<Vec<String>>::new());
    assert_eq!(bench.batches(&mut service), Vec::<Vec<String>>::new());
}

#[test]
fn readers_with_one_filter_share_the_bytes_of_a_batch() {
    let mut bench = Bench::new(LogsConfig::default());
    let (_, mut one) = bench.read("scope=service");
    let (_, mut two) = bench.read("scope=service");
    bench.log("shared");
    bench.wait(150);
    let first = bench.store.next_event(&mut one).unwrap();
    let second = bench.store.next_event(&mut two).unwrap();
    assert_eq!(first.as_ptr(), second.as_ptr());
}

#[test]
fn a_slow_reader_is_told_exactly_what_it_lost() {
    let mut bench = Bench::new(small(10));
    let (_, mut slow) = bench.read("scope=service&level=warn");
    let (_, mut slower) = bench.read("scope=service&level=debug");
    for n in 0..25 {
        let level = if n % 5 == 0 { Level::Error } else { Level::Debug };
        bench.log_as(level, None, None, &n.to_string());
    }
    bench.wait(150);
    let events = bench.events(&mut slow);
    assert_eq!(events[0]["meta"]["dropped"], 3, "0, 5 and 10");
    assert_eq!(messages(&events[0]), ["15", "20"]);
    assert_eq!(events.len(), 1);
    let events = bench.events(&mut slower);
    assert_eq!(events[0]["meta"]["dropped"], 15);
    assert_eq!(events[0]["meta"]["total_count"], 10);
    assert_eq!(events[0]["meta"]["displayed_count"], 10);
}

#[test]
fn what_was_lost_is_said_even_when_nothing_else_is_ready() {
    let mut bench = Bench::new(small(2));
    let (_, mut reader) = bench.read("scope=service");
    for n in 0..5 {
        bench.log(&n.to_string());
    }
    let events = bench.events(&mut reader);
    assert_eq!(
        events[0]["meta"],
        json!({
            "total_count": 2, "displayed_count": 0, "has_more": false, "dropped": 3,
        })
    );
    bench.wait(150);
    assert_eq!(bench.batches(&mut reader), [["3", "4"]]);
}

#[test]
fn losing_only_what_the_filter_keeps_out_is_no_loss() {
    let mut bench = Bench::new(small(2));
    let (_, mut reader) = bench.read("scope=service&level=warn");
    for n in 0..5 {
        bench.log(&n.to_string());
    }
    bench.wait(150);
    assert!(bench.events(&mut reader).is_empty());
    bench.log_as(Level::Warn, None, None, "now");
    bench.wait(150);
    assert_eq!(bench.events(&mut reader)[0]["meta"]["dropped"], 0);
}

#[test]
fn a_state_comes_after_the_entries_before_it_and_before_those_after_it() {
    let mut bench = Bench::new(LogsConfig::default());
    let (_, mut reader) = bench.read("scope=job&job_id=1");
    let (_, mut other) = bench.read("scope=job&job_id=2");
    let (_, mut filtered) = bench.read("scope=job&job_id=1&level=error");
    let (_, mut service) = bench.read("scope=service");
    bench.log_as(Level::Info, Some("1"), None, "before");
    bench.change_status("1", "running");
    bench.log_as(Level::Info, Some("1"), None, "between");
    bench.change_status("1", "done");
    bench.change_status("1", "done");
    bench.log_as(Level::Info, Some("1"), None, "after");
    let events = bench.events(&mut reader);
    assert_eq!(messages(&events[0]), ["before"]);
    assert_eq!(events[1], json!({"job": {"id": "1", "status": "running"}, "steps": []}));
    assert_eq!(messages(&events[2]), ["between"]);
    assert_eq!(events[3]["job"]["status"], "done");
    assert_eq!(events.len(), 4, "an unchanged state is not told, and `after` waits");
    bench.wait(150);
    assert_eq!(bench.batches(&mut reader), [["after"]]);
    assert_eq!(bench.events(&mut filtered).len(), 2);
    assert!(bench.events(&mut other).is_empty());
    assert!(bench.events(&mut service).is_empty());
}

#[test]
fn a_reader_far_behind_learns_the_last_state() {
    let mut bench = Bench::new(LogsConfig::default());
    let (_, mut reader) = bench.read("scope=job&job_id=1");
    for n in 0..200 {
        bench.change_status("1", &n.to_string());
    }
    let events = bench.events(&mut reader);
    assert_eq!(events.last().unwrap()["job"]["status"], "199");
    assert!(events.len() <= 64, "{}", events.len());
}

#[test]
fn lines_of_a_job_are_numbered_and_sequences_grow_over_all() {
    let mut bench = Bench::new(LogsConfig::default());
    bench.log_as(Level::Info, Some("1"), None, "a");
    bench.log("b");
    bench.log_as(Level::Info, Some("1"), None, "c");
    let newest = bench.store.newest(&LogsQuery::parse("scope=job&job_id=1").unwrap());
    let payload = value_of(&newest.into_event());
    let column = |name: &str| -> Vec<_> {
        payload["logs"].as_array().unwrap().iter().map(|e| e[name].as_u64().unwrap()).collect()
    };
    assert_eq!(column("line_number"), [1, 2]);
    assert_eq!(column("sequence"), [0, 2]);
}

#[test]
fn jobs_are_bounded_and_those_being_read_stay() {
    let config = LogsConfig { max_jobs: 3, ..LogsConfig::default() };
    let mut bench = Bench::new(config);
    let (_, mut reader) = bench.read("scope=job&job_id=read");
    for n in 0..10 {
        bench.log_as(Level::Info, Some(&format!("job {n}")), None, "x");
    }
    assert_eq!(bench.store.jobs.len(), 3);
    bench.log_as(Level::Info, Some("read"), None, "still here");
    bench.wait(150);
    assert_eq!(bench.batches(&mut reader), [["still here"]]);
    let newest = bench.store.newest(&LogsQuery::parse("scope=job&job_id=job+9").unwrap());
    assert_eq!(newest.entries.len(), 1);
    let forgotten = bench.store.newest(&LogsQuery::parse("scope=job&job_id=job+0").unwrap());
    assert!(forgotten.entries.is_empty());
}

#[test]
fn all_entries_together_are_bounded() {
    let total_bytes = 100_000;
    let config = LogsConfig { total_bytes, ..LogsConfig::default() };
    let mut bench = Bench::new(config);
    let (_, _reader) = bench.read("scope=job&job_id=read");
    let kilobyte = "x".repeat(1_000);
    for n in 0..200 {
        bench.log_as(Level::Info, Some(&format!("job {}", n % 20)), None, &kilobyte);
        assert!(bench.store.bytes <= total_bytes);
    }
    for _ in 0..200 {
        bench.log_as(Level::Info, Some("read"), None, &kilobyte);
        bench.log(&kilobyte);
        assert!(bench.store.bytes <= total_bytes);
    }
    let held: usize = bench.store.jobs.values().map(|job| job.channel.bytes()).sum();
    assert_eq!(bench.store.bytes, held + bench.store.service.bytes());
}
