//! `streamgauge.toml`: written by `init`, found by `check`, and precise about mistakes.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use crate::program::{PROGRAM, Served, free_port, json, root, status, told};

fn run_in(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).current_dir(folder).output().expect("the program runs")
}

#[test]
fn what_init_writes_is_what_check_finds() {
    let server = Served::start(&[]);
    let folder = tempfile::tempdir().expect("a folder");
    let output = run_in(folder.path(), &["init", &server.url]);
    assert_eq!(status(&output), 0, "{}", told(&output));
    let written = fs::read_to_string(folder.path().join("streamgauge.toml")).expect("a file");
    assert!(written.contains(&format!("url = {:?}", server.url)), "{written}");
    assert!(written.contains("\nlong_poll_timeout = \"500ms\""), "{written}");

    let output = run_in(folder.path(), &["check", "--only", "head"]);
    assert_eq!(status(&output), 0, "{}", told(&output));
    assert!(told(&output).contains("settings from streamgauge.toml"), "{}", told(&output));
    assert!(told(&output).contains(&server.url), "{}", told(&output));

    let output = run_in(folder.path(), &["init", &server.url]);
    assert_eq!(status(&output), 2, "{}", told(&output));
    assert!(told(&output).contains("is there already"), "{}", told(&output));
    assert_eq!(fs::read_to_string(folder.path().join("streamgauge.toml")).expect("a file"), written);
}

#[test]
fn init_without_a_server_writes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = run_in(folder.path(), &["init", &root(free_port())]);
    assert_eq!(status(&output), 3, "{}", told(&output));
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[test]
fn a_file_can_say_everything_and_flags_win() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let text = format!(
        "url = \"{}\"\nstart = \"'{PROGRAM}' serve --port {port}\"\nonly = [\"head\"]\nreport = [\"json=report.json\"]\n\
         without = [\"fork\"]\nshard = \"1/2\"\nfail_on = \"warning\"\n\n[timings]\nlong_poll_timeout = \"30s\"\n\n\
         [headers]\nX-Tenant = \"a\"\nAuthorization = \"Bearer ${{STREAMGAUGE_TEST_TOKEN}}\"\n",
        root(port)
    );
    let file = folder.path().join("target.toml");
    fs::write(&file, text).expect("a file");
    let run = |arguments: &[&str]| {
        Command::new(PROGRAM)
            .args(["check", "--config", &file.display().to_string()])
            .args(arguments)
            .env("STREAMGAUGE_TEST_TOKEN", "abcdefghijkl")
            .output()
            .expect("the program runs")
    };
    let output = run(&[]);
    assert_eq!(status(&output), 0, "{}", told(&output));
    // The report stands beside the file, wherever the program was called.
    let report = json(&folder.path().join("report.json"));
    assert_eq!(report["shard"], "1/2");
    let output =
        run(&["--shard", "2/2", "--report", &format!("json={}/other.json", folder.path().display())]);
    assert_eq!(status(&output), 0, "{}", told(&output));
    assert_eq!(json(&folder.path().join("other.json"))["shard"], "2/2");
    let output = run(&["--start", "no-such-program"]);
    assert_eq!(status(&output), 3, "{}", told(&output));
}

#[test]
fn a_mistake_has_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    for (text, expected) in [
        ("url = \"http://127.0.0.1:1/\"\nstrat = \"npm start\"\n", &["streamgauge.toml:2:1", "`start`"][..]),
        ("[headers]\nAuthorization = \"Bearer ${STREAMGAUGE_NOT_SET}\"\n", &[":2:17", "STREAMGAUGE_NOT_SET"]),
        ("url = \n", &["streamgauge.toml:1:"]),
    ] {
        fs::write(folder.path().join("streamgauge.toml"), text).expect("a file");
        let output = run_in(folder.path(), &["check"]);
        assert_eq!(status(&output), 2, "{}", told(&output));
        for words in expected {
            assert!(told(&output).contains(words), "no {words:?} in {}", told(&output));
        }
    }
    let output = run_in(folder.path(), &["check", "--no-config", "--only", "head"]);
    assert_eq!(status(&output), 0, "{}", told(&output));
    let output = run_in(folder.path(), &["check", "--config", "no-such-file.toml"]);
    assert_eq!(status(&output), 2, "{}", told(&output));
}
