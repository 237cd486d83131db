//! `check --watch`: a round for every change, with the target started anew.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    time::Duration,
};

use rustix::process::Signal;

use crate::{
    program::{PROGRAM, free_port, root, send},
    starting::{server_with_child, still_running},
};

#[test]
fn a_change_starts_another_round() {
    let folder = tempfile::tempdir().expect("a folder");
    let watched = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let mut run = Command::new(PROGRAM)
        .args(["check", "--start", &server_with_child(folder.path(), port), &root(port), "--only", "head"])
        .args(["--watch", &watched.path().display().to_string(), "--no-config"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut lines = BufReader::new(run.stderr.take().expect("its messages")).lines().map_while(Result::ok);
    let waiting = |line: &String| line.starts_with("waiting for a change");
    assert!(lines.any(|line| waiting(&line)), "one round");
    assert_eq!(still_running(folder.path()), [""; 0], "the target is stopped between rounds");
    // Files that come one after the other are one change.
    for name in ["a", "b", "c", "d", "e"] {
        fs::write(watched.path().join(name), name).expect("a file");
        std::thread::sleep(Duration::from_millis(20));
    }
    let changed = lines.find(|line| line.starts_with("changed: ")).expect("a change");
    assert!(changed.contains("/a, ") && changed.ends_with("and 2 more"), "{changed}");
    let between: Vec<String> = lines.by_ref().take_while(|line| !waiting(line)).collect();
    assert!(between.iter().any(|line| line.starts_with("starting ")), "{between:?}");
    send(&run, Signal::INT);
    let rest: Vec<String> = lines.collect();
    assert_eq!(run.wait().expect("an end").code(), Some(130), "{rest:?}");
    assert!(!rest.iter().any(|line| line.starts_with("changed")), "{rest:?}");
    assert_eq!(still_running(folder.path()), [""; 0]);
}

#[test]
fn a_path_that_is_not_there_cannot_be_watched() {
    let output =
        Command::new(PROGRAM).args(["check", "--watch", "/no/such/path"]).output().expect("the program runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--watch /no/such/path"));
}
