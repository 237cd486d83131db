//! `check --start`: the target is started, waited for, and gone at the end, however the end comes.

use std::{
    fs,
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::Signal;

use crate::program::{PROGRAM, Served, check, free_port, json, root, send, status, told};

/// A command that serves the protocol, has a child beside, and notes the ids of both in `folder`.
pub(crate) fn server_with_child(folder: &Path, port: u16) -> String {
    let pids = folder.join("pids").display().to_string();
    format!(
        "echo $$ > '{pids}'; sleep 600 & echo $! >> '{pids}'; exec '{PROGRAM}' serve --port {port} --long-poll-timeout 500ms"
    )
}

/// The ids of those processes that `folder` tells of and that still run; one that is dead and only not yet
/// taken note of does not.
pub(crate) fn still_running(folder: &Path) -> Vec<String> {
    let pids = fs::read_to_string(folder.join("pids")).expect("ids of processes");
    assert!(pids.lines().count() >= 2, "{pids}");
    pids.lines()
        .filter(|pid| {
            let state = Command::new("ps").args(["-o", "stat=", "-p", pid]).output().expect("ps");
            let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
            !state.is_empty() && !state.starts_with('Z')
        })
        .map(str::to_owned)
        .collect()
}

/// A run in its midst. It lasts long enough to be met there, as the timeout of the target is not told.
fn waiting_run(start: &str, port: u16) -> Child {
    let run = Command::new(PROGRAM)
        .args(["check", "--start", start, &root(port), "--only", "longpoll"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(began.elapsed() < Duration::from_secs(20), "the server does not answer");
        std::thread::sleep(Duration::from_millis(20));
    }
    run
}

#[test]
fn the_target_is_started_checked_and_gone_with_its_child() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let log = folder.path().join("server.log").display().to_string();
    let start = server_with_child(folder.path(), port);
    let output = check(&["--start", &start, "--start-log", &log, &root(port), "--only", "head"]);
    assert_eq!(status(&output), 0, "{}", told(&output));
    assert!(told(&output).contains("waiting for an answer at"), "{}", told(&output));
    assert!(!told(&output).contains("printed last"), "{}", told(&output));
    assert_eq!(still_running(folder.path()), [""; 0]);
    assert!(fs::read_to_string(log).expect("a log").contains("serving http://"));
}

#[test]
fn a_run_that_is_told_to_end_leaves_no_process_behind() {
    for (signal, status) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let folder = tempfile::tempdir().expect("a folder");
        let port = free_port();
        let start = server_with_child(folder.path(), port);
        let mut run = waiting_run(&start, port);
        send(&run, signal);
        assert_eq!(run.wait().expect("an end").code(), Some(status), "{signal:?}");
        assert_eq!(still_running(folder.path()), [""; 0], "{signal:?}");
    }
}

#[test]
fn a_target_that_does_not_want_to_end_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let start = format!("trap '' TERM; {}", server_with_child(folder.path(), port).replace("exec ", ""));
    let output = check(&["--start", &start, &root(port), "--only", "head"]);
    assert_eq!(status(&output), 0, "{}", told(&output));
    assert_eq!(still_running(folder.path()), [""; 0]);
}

#[test]
fn a_target_that_cannot_be_started_is_told_with_what_it_printed() {
    let url = root(free_port());
    for (start, expected) in [
        ("no-such-program --port 1", &["cannot run \"no-such-program\"", "check its name, and PATH"][..]),
        ("sh -c 'echo no database >&2; exit 7'", &["exit status: 7", "no database", "by hand"]),
        ("no-such-program --port $PORT", &["exit status: 127", "not found"]),
        ("sleep 600", &["did not answer", "within 1s", "--start-timeout", "printed nothing"]),
    ] {
        let output = check(&["--start", start, "--start-timeout", "1s", &url]);
        assert_eq!(status(&output), 3, "{start}: {}", told(&output));
        for words in expected {
            assert!(told(&output).contains(words), "{start}: no {words:?} in {}", told(&output));
        }
    }
}

#[test]
fn reports_are_written_where_nothing_could_be_checked_and_say_so() {
    // Nobody listens there, nor will any test beside this one.
    let url = root(1);
    for (arguments, expected) in [
        (&["--start", "no-such-program"][..], "cannot run"),
        (&["--start", "sh -c 'exit 7'"], "exit status: 7"),
        (&["--start", "sleep 600", "--start-timeout", "300ms"], "did not answer"),
        (&[], "refused"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let formats = ["json", "junit", "tap", "markdown", "html", "har"];
        let reports: Vec<String> =
            formats.iter().map(|format| format!("{format}={}", path(format))).collect();
        fs::write(path("known"), "- { rule: head.closed-flag, verdict: broken, reason: old }\n")
            .expect("a list");
        let mut all = vec![url.as_str()];
        all.extend(arguments);
        reports.iter().for_each(|report| all.extend(["--report", report]));
        let list = path("known");
        all.extend(["--known-failures", &list, "--write-known-failures", &list]);
        let output = check(&all);
        assert_eq!(status(&output), 3, "{arguments:?}: {}", told(&output));
        assert!(told(&output).contains(expected), "{arguments:?}: {}", told(&output));
        let report = json(Path::new(&path("json")));
        assert_eq!(report["conclusion"], "unusable");
        assert!(report["unusable"].as_str().expect("a reason").contains(expected), "{}", report["unusable"]);
        let read = |name: &str| fs::read_to_string(path(name)).expect(name);
        // What an interface for JUnit shows as red.
        assert!(
            read("junit").contains("errors=\"1\"") && read("junit").contains(expected),
            "{}",
            read("junit")
        );
        assert!(read("tap").contains("Bail out!"), "{}", read("tap"));
        for page in ["markdown", "html"] {
            assert!(read(page).contains("UNUSABLE"), "{page}: {}", read(page));
        }
        assert_eq!(json(Path::new(&path("har")))["log"]["entries"], serde_json::json!([]));
        assert!(read("known").contains("head.closed-flag"), "a list that says something is kept");
    }
}

#[test]
fn a_run_that_is_killed_takes_the_target_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let start = server_with_child(folder.path(), port);
    let mut run = waiting_run(&start, port);
    send(&run, Signal::KILL);
    assert_eq!(run.wait().expect("an end").code(), None);
    let began = Instant::now();
    while !still_running(folder.path()).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", still_running(folder.path()));
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_wrong_call_is_told() {
    let url = root(free_port());
    for (arguments, expected) in [
        (&["--start", "server 'a", &url][..], "quote"),
        (&["--start", "", &url], "empty"),
        (&["--start", "server"], "give the URL"),
        (&["--start-timeout", "1s", &url], "--start"),
        (&["--start", "server", "--start-log", "/no/such/folder/log", &url], "--start-log"),
    ] {
        let output = check(arguments);
        assert_eq!(status(&output), 2, "{arguments:?}: {}", told(&output));
        assert!(told(&output).contains(expected), "{arguments:?}: {}", told(&output));
    }
}

#[test]
fn another_server_at_the_url_is_not_taken_for_the_target() {
    let other = Served::start(&[]);
    let output = check(&["--start", "sleep 600", &other.url]);
    assert_eq!(status(&output), 3, "{}", told(&output));
    assert!(told(&output).contains("answers already"), "{}", told(&output));
}

#[tokio::test]
async fn a_panic_leaves_no_process_behind() {
    use streamgauge::{
        start::{Start, StartedServer},
        wire::{Client, ClientOptions, Target},
    };

    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let start = Start {
        invocation: server_with_child(folder.path(), port).parse().expect("a command"),
        timeout: Duration::from_secs(20),
        log: None,
        folder: None,
    };
    let panicking = tokio::spawn(async move {
        let client = Client::new(ClientOptions::default()).expect("a client");
        let url = Target::parse(&root(port)).expect("a URL");
        let mut server = StartedServer::start(&start, &client, &url).await.expect("a server");
        server.ready(&client, &url, start.timeout).await.expect("an answer");
        panic!("in the midst of it");
    });
    assert!(panicking.await.expect_err("a panic").is_panic());
    let began = Instant::now();
    while !still_running(folder.path()).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", still_running(folder.path()));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
