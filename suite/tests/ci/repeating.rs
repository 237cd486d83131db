//! `check --repeat`: what is not the same each time is told, and fails.

use std::{
    io::{self, BufRead as _, BufReader, Read as _},
    net::{Shutdown, TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
};

use serde_json::Value;

use crate::program::{PROGRAM, Served, check, json, status, told};

/// Leads to one server, and later to another.
#[derive(Clone)]
struct Switch(Arc<Mutex<State>>);

struct State {
    leads_to: String,
    open: Vec<TcpStream>,
}

impl Switch {
    fn start(leads_to: &str) -> (Self, u16) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let switch = Self(Arc::new(Mutex::new(State { leads_to: leads_to.to_owned(), open: Vec::new() })));
        let accepting = switch.clone();
        // It ends with the test's process.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                accepting.lead(client);
            }
        });
        (switch, port)
    }

    fn lead(&self, client: TcpStream) -> Option<()> {
        let mut state = self.0.lock().expect("the state");
        let server = TcpStream::connect(&state.leads_to).ok()?;
        state.open.extend([client.try_clone().ok()?, server.try_clone().ok()?]);
        let ways = [(client.try_clone().ok()?, server.try_clone().ok()?), (server, client)];
        for (mut from, mut to) in ways {
            std::thread::spawn(move || {
                let _ = io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Both);
            });
        }
        Some(())
    }

    fn lead_to(&self, address: &str) {
        let mut state = self.0.lock().expect("the state");
        address.clone_into(&mut state.leads_to);
        for stream in state.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn address(server: &Served) -> &str {
    server.url.trim_start_matches("http://").split('/').next().expect("an address")
}

/// Runs twelve times against a server that begins to break a rule after the second; the exit status, what was
/// printed, and the report.
fn run_with_a_change(arguments: &[&str]) -> (Option<i32>, String, Value) {
    let (right, wrong) = (Served::start(&[]), Served::start(&["--break", "cache.not-modified-304"]));
    let (switch, port) = Switch::start(address(&right));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("report.json");
    let mut run = Command::new(PROGRAM)
        .args(["check", &format!("http://127.0.0.1:{port}/v1/stream"), "--only", "cache.not-modified-304"])
        .args(["--repeat", "12", "--report", &format!("json={}", file.display())])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut lines = BufReader::new(run.stderr.take().expect("its messages")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("run 2 of 12")), "two runs");
    switch.lead_to(address(&wrong));
    lines.for_each(drop);
    let mut printed = String::new();
    run.stdout.take().expect("its report").read_to_string(&mut printed).expect("text");
    (run.wait().expect("an end").code(), printed, json(&file))
}

#[test]
fn what_is_not_the_same_each_time_is_told_and_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    let list = folder.path().join("known.yaml").display().to_string();
    let (status, printed, report) = run_with_a_change(&["--write-known-failures", &list]);
    assert_eq!(status, Some(1), "{printed}");
    assert!(printed.to_lowercase().contains("not the same in every run"), "{printed}");
    assert!(printed.contains("rule cache.not-modified-304: "), "{printed}");
    assert_eq!(report["conclusion"], "failed");
    assert_eq!(report["repeats"]["runs"], 12);
    let rule = &report["repeats"]["rules"][0];
    assert_eq!(rule["id"], "cache.not-modified-304");
    let times = |verdict: &str| rule["verdicts"][verdict].as_u64().unwrap_or(0);
    assert!(times("proven") >= 2 && times("broken") >= 2, "{rule}");
    // The list that such a run writes says that it was a race, and excuses the next one.
    let written = std::fs::read_to_string(&list).expect("a list");
    assert!(written.contains("unsteady: true"), "{written}");
    let (status, printed, report) = run_with_a_change(&["--known-failures", &list]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.contains("; known to be unsteady"), "{printed}");
    assert!(printed.contains("all known to be"), "{printed}");
    let excused = report["known_failures"]["unsteady"].as_array().expect("a list");
    assert!(excused.contains(&"cache.not-modified-304".into()), "{excused:?}");
}

#[test]
fn what_is_listed_as_steady_and_is_not_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    let list = folder.path().join("known.yaml");
    std::fs::write(&list, "- { rule: cache.not-modified-304, verdict: broken, reason: old }\n")
        .expect("a list");
    let (status, printed, report) = run_with_a_change(&["--known-failures", &list.display().to_string()]);
    assert_eq!(status, Some(1), "{printed}");
    assert!(!printed.contains("known to be"), "{printed}");
    assert_eq!(report["known_failures"]["unsteady"], serde_json::json!([]));
}

#[test]
fn what_is_the_same_each_time_passes() {
    let output = check(&["--only", "head", "--repeat", "3"]);
    assert_eq!(status(&output), 0, "{}", told(&output));
    assert!(told(&output).contains("run 3 of 3"), "{}", told(&output));
    assert!(told(&output).contains("the same in all 3 runs"), "{}", told(&output));
}
