//! The program as a user meets it: what it prints, and its exit status.

use std::{
    fs,
    process::{Command, Output},
    time::{Duration, Instant},
};

fn streamgauge(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_streamgauge")).args(arguments).output().expect("the program runs")
}

fn status(output: &Output) -> i32 {
    output.status.code().expect("an exit status")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A port of loopback that nothing listens on.
fn closed_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

#[test]
fn a_target_that_is_not_there_is_told_soon() {
    let began = Instant::now();
    let output = streamgauge(&["check", &format!("http://127.0.0.1:{}/v1/stream", closed_port())]);
    assert_eq!(status(&output), 3);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let told = text(&output.stdout) + &text(&output.stderr);
    assert!(told.contains("connection was refused"), "{told}");
    assert!(told.contains("Is the server running"), "{told}");
}

#[test]
fn a_wrong_fault_is_told() {
    for (arguments, told) in [
        (&["serve", "--fault", "slow"][..], "\"slow\": \"slow\" is no kind of fault; write latency=D"),
        (&["serve", "--fault", "503@10"], "write @10%, @nth=3, @every=3 or @first=3"),
        (&["serve", "--seed", "3"], "add a fault"),
    ] {
        let output = streamgauge(arguments);
        assert_eq!(status(&output), 2, "{arguments:?}");
        assert!(text(&output.stderr).contains(told), "{}", text(&output.stderr));
    }
    let listed = streamgauge(&["serve", "--fault", "list"]);
    assert_eq!(status(&listed), 0);
    assert!(text(&listed.stdout).contains("--fault 503@10%,retry-after=1s"));
}

#[test]
fn what_is_no_stream_root_is_told() {
    for url in
        ["127.0.0.1:4437", "ftp://127.0.0.1/", "http://127.0.0.1/?a=b", "http://user:secret@127.0.0.1/"]
    {
        let output = streamgauge(&["check", url]);
        assert_eq!(status(&output), 2, "{url}");
        assert!(text(&output.stderr).contains("no stream root"), "{}", text(&output.stderr));
    }
}

#[test]
fn a_wrong_flag_is_told() {
    for arguments in [
        &["check", "--onyl", "cache"][..],
        &["check", "--without", "forks"],
        &["check", "--only", "no-such-thing"],
        &["check", "--header", "no header"],
        &["check", "--stream", "hello=hello"],
        &["check", "--without", "write", "--stream", "hello"],
        &["check", "--without", "write", "--stream", "no-such-content=a"],
        &["check", "--without", "write", "--stream", "hello=http://elsewhere.example/hello"],
        &["check", "--shard", "3/2"],
        &["check", "--long-poll-timeout", "soon"],
        &["rules", "cache.no-such-rule"],
    ] {
        let output = streamgauge(arguments);
        assert_eq!(status(&output), 2, "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_typo_in_a_fixture_is_told_with_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |path: &str, content: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, content).expect("a file");
    };
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/rules/cache.yaml");
    write("rules/cache.yaml", &fs::read_to_string(rules).expect("the rules"));
    let case = "- id: a-case\n  proves: [cache.not-modified-304]\n  title: A case.\n  steps:\n";
    for (steps, told) in [
        ("    - get: { expect: { statsu: 200 } }\n", "statsu"),
        ("    - get: { expect: { status: 200, body: { text: $nothing } } }\n", "$nothing"),
        ("    - get: {}\n", "cannot fail"),
        ("    - finish_get: { as: reader, expect: { status: 200 } }\n", "no read named"),
        ("    - get: { expect: { status: 200, proves: [cache.no-such-rule] } }\n", "there is no rule"),
    ] {
        write("cases/cache.yaml", &format!("{case}{steps}"));
        let output = streamgauge(&["check", "--fixtures", &folder.path().display().to_string()]);
        let error = text(&output.stderr);
        assert_eq!(status(&output), 2, "{steps}: {error}");
        assert!(error.contains(told), "{error}");
        assert!(error.contains("cases/cache.yaml"), "{error}");
        assert!(error.contains(":5") || error.contains("a-case") || error.contains("5 |"), "{error}");
    }
}

#[test]
fn another_revision_of_the_text_shows_what_is_new() {
    let folder = tempfile::tempdir().expect("a folder");
    let revision = folder.path().join("PROTOCOL.md");
    fs::write(&revision, "# P\n\n### 5.1. Create Stream\n\nA stream MUST be blue. That is all.\n")
        .expect("a file");
    let output = streamgauge(&["keywords", revision.to_str().expect("a path"), "--new"]);
    assert_eq!(status(&output), 1);
    let told = text(&output.stdout);
    for part in ["NEW 5.1, line 5: MUST", "A stream MUST be blue.", "create.new-201", "1 new since"] {
        assert!(told.contains(part), "{part} is missing in {told}");
    }
    fs::write(&revision, "no headings, no demands").expect("a file");
    let output = streamgauge(&["keywords", revision.to_str().expect("a path")]);
    assert_eq!(status(&output), 2);
    assert!(text(&output.stderr).contains("give a copy of PROTOCOL.md"));
}
