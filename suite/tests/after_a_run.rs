//! What is done with reports once they are written: compared, and made into badges. And what a shell and `man` are told.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;

const RULE: &str = "cache.not-modified-304";

fn streamgauge(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_streamgauge")).args(arguments).output().expect("the program runs")
}

fn status(output: &Output) -> i32 {
    output.status.code().expect("an exit status")
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The reference server as a process, ended with the test.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(flags: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_streamgauge"))
            .args(["serve", "--port", "0"])
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let stdout = process.stdout.take().expect("its output");
        let url = BufReader::new(stdout)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("serving ").map(str::to_owned))
            .expect("it says where it serves");
        Self { process, url: url.split_whitespace().next().expect("a URL").to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Checks one rule and its neighbour, and writes the report into the folder.
fn report(folder: &Path, name: &str, flags: &[&str]) -> String {
    let server = Server::start(flags);
    let file = folder.join(name).display().to_string();
    let report = format!("json={file}");
    let only = ["--only", RULE, "--only", "cache.etag-quoted"];
    let output = streamgauge(&[&["check", &server.url, "--report", &report], &only[..]].concat());
    assert!(status(&output) < 2, "{}", told(&output));
    file
}

#[test]
fn a_rule_that_broke_between_two_runs_fails_the_comparison_and_one_that_was_mended_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let right = report(folder.path(), "right.json", &[]);
    let wrong = report(folder.path(), "wrong.json", &["--break", RULE]);

    let broke = streamgauge(&["compare", &right, &wrong, "--fail-on-regression"]);
    assert_eq!(status(&broke), 1, "{}", told(&broke));
    assert!(told(&broke).contains(RULE) && told(&broke).contains("broken, was proven"), "{}", told(&broke));
    let mended = streamgauge(&["compare", &wrong, &right, "--fail-on-regression"]);
    assert_eq!(status(&mended), 0, "{}", told(&mended));
    assert!(told(&mended).contains("MENDED (1)"), "{}", told(&mended));
    // Only told of, a regression fails nothing.
    assert_eq!(status(&streamgauge(&["compare", &right, &wrong, "--changes"])), 0);

    let table = streamgauge(&["compare", &format!("ours={right}"), &wrong, "--only-differences"]);
    let table = told(&table);
    let row = table.lines().find(|line| line.contains(RULE)).expect("the rule");
    assert!(row.contains("proven") && row.contains("broken"), "{table}");
    assert!(table.contains("ours") && !table.contains("cache.etag-quoted"), "{table}");
}

#[test]
fn a_comparison_goes_to_a_file_in_every_format() {
    let folder = tempfile::tempdir().expect("a folder");
    let right = report(folder.path(), "right.json", &[]);
    for (format, beginning) in
        [("text", "SERVERS"), ("markdown", "## Servers"), ("html", "<!doctype"), ("json", "{")]
    {
        let file = folder.path().join(format).display().to_string();
        let output = streamgauge(&["compare", &right, &right, "--format", format, "--out", &file]);
        assert_eq!(status(&output), 0, "{}", told(&output));
        assert_eq!(told(&output), "");
        let text = std::fs::read_to_string(&file).expect("the file");
        assert!(text.starts_with(beginning), "{text}");
        assert!(!text.contains('\u{1b}'));
    }
    let badge = streamgauge(&["badge", &right]);
    let badge: Value = serde_json::from_slice(&badge.stdout).expect("JSON");
    assert_eq!(badge["message"], "2 rules proven");
}

#[test]
fn what_cannot_be_compared_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let (no_json, other) = (file("a.xml", "<testsuites/>"), file("b.json", r#"{"schema": "other/1"}"#));
    let absent = folder.path().join("absent.json").display().to_string();
    for (arguments, wanted) in [
        (&["compare", &no_json, &other][..], "a.xml"),
        (&["compare", &other, &no_json], "\"other/1\""),
        (&["compare", &absent, &other], "absent.json: No such file"),
        (&["compare", &other], "2 values required"),
        (&["compare", &other, &other, "--only-differences", "--changes"], "cannot be used with"),
        (&["badge", &absent], "absent.json: No such file"),
        (&["badge", &no_json], "no JSON report"),
    ] {
        let output = streamgauge(arguments);
        assert_eq!(status(&output), 2, "{arguments:?}");
        assert!(told(&output).contains(wanted), "{arguments:?}: {}", told(&output));
    }
    let right = report(folder.path(), "right.json", &[]);
    let three = streamgauge(&["compare", &right, &right, &right, "--changes"]);
    assert_eq!(status(&three), 2);
    assert!(told(&three).contains("3 reports were given"), "{}", told(&three));
    let unwritable = folder.path().join("absent/out.html").display().to_string();
    let output = streamgauge(&["compare", &right, &right, "--out", &unwritable]);
    assert_eq!(status(&output), 2);
    assert!(told(&output).contains("cannot be written"), "{}", told(&output));
}

#[test]
fn shells_and_man_know_every_command() {
    let help = told(&streamgauge(&["--help"]));
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| !line.is_empty())
        // What goes on from the line before is indented further.
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|command| *command != "help")
        .collect();
    assert!(commands.contains(&"check") && commands.contains(&"compare"), "{commands:?}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = streamgauge(&["completions", shell]);
        assert_eq!(status(&script), 0);
        let script = told(&script);
        assert!(commands.iter().all(|command| script.contains(command)), "{shell}");
        assert!(script.contains("known-failures"), "{shell}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(status(&streamgauge(&["man", "--dir", &folder.path().display().to_string()])), 0);
    for command in &commands {
        let page = folder.path().join(format!("streamgauge-{command}.1"));
        let page = std::fs::read_to_string(&page).expect("a page");
        assert!(page.contains(".SH OPTIONS"), "{command}");
    }
    assert!(told(&streamgauge(&["man", "check"])).contains("known\\-failures"));
    assert_eq!(status(&streamgauge(&["man", "chekc"])), 2);
}
