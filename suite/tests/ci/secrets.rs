//! A secret that goes with every request is in no report, whatever the target makes of it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::program::{PROGRAM, status, told};

const TOKEN: &str = "tk_9f8e7d6c5b4a/Zz+Qq==";
const KEY: &str = "k3y \"of\" the \\ house, 2024";

/// Requests that came with both secrets, and without.
#[derive(Default)]
struct Seen {
    with: AtomicUsize,
    raw: AtomicUsize,
}

/// A server that repeats everything that it is told, in every place that it has.
fn echo() -> (u16, Arc<Seen>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let seen = Arc::new(Seen::default());
    let noted = Arc::clone(&seen);
    // Both end with the test's process.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let seen = Arc::clone(&noted);
            std::thread::spawn(move || answer(stream, &seen));
        }
    });
    (port, seen)
}

fn answer(stream: TcpStream, seen: &Seen) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let field = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    let length = field("Content-Length").and_then(|length| length.parse().ok()).unwrap_or(0_u64);
    reader.by_ref().take(length).read_to_end(&mut Vec::new()).ok()?;
    let (token, key) = (field("Authorization").unwrap_or_default(), field("X-Key").unwrap_or_default());
    if token == format!("Bearer {TOKEN}") && key == KEY {
        seen.with.fetch_add(1, Ordering::Relaxed);
        // Of this program's own requests only the written ones have no such header.
        if field("User-Agent").is_none() {
            seen.raw.fetch_add(1, Ordering::Relaxed);
        }
    }
    let echoed = serde_json::json!({
        "token": token,
        "key": key,
        "base64": BASE64_STANDARD.encode(format!("{token}{key}")),
        "padding": "x".repeat(token.len() % 7),
        "head": head,
    });
    let (kind, body) = match head {
        ref head if head.contains("live=sse") => (
            "text/event-stream",
            format!("event: data\ndata: {echoed}\n\nevent: control\ndata: {echoed}\n\n"),
        ),
        ref head if head.contains("application/json") => ("application/json", format!("[{echoed}]")),
        _ => ("text/plain", format!("{token}{key}{echoed}")),
    };
    let status = if head.starts_with("PUT") { "201 Created" } else { "200 OK" };
    let content = if head.starts_with("HEAD") { "" } else { &body };
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nStream-Next-Offset: {token}\r\nETag: \"{key}\"\r\n\
         Location: /{token}\r\nStream-Cursor: {key}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{content}",
        body.len()
    )
    .ok()
}

/// Every beginning and middle part of a secret that would give it away.
fn parts(secret: &str) -> impl Iterator<Item = &str> {
    (0..secret.len() - 8).map(|at| &secret[at..at + 8])
}

#[test]
fn secrets_of_file_and_environment_are_nowhere() {
    let (port, seen) = echo();
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("headers"), format!("X-Key: {KEY}\n")).expect("a file");
    let formats = ["json", "junit", "tap", "markdown", "html", "har"];
    let reports: Vec<String> = formats.iter().map(|format| format!("{format}={}", path(format))).collect();
    let output = Command::new(PROGRAM)
        .args(["check", &format!("http://127.0.0.1:{port}/root"), "--max-wait", "1s", "--no-config"])
        .args(["--header-env", "Authorization=Bearer ${API_TOKEN}", "--header-file", &path("headers")])
        .args(["--write-known-failures", &path("known"), "--suite", "all", "--jobs", "64"])
        .args(reports.iter().flat_map(|report| ["--report", report]))
        .env("API_TOKEN", TOKEN)
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", path("summary"))
        .output()
        .expect("the program runs");
    assert_eq!(status(&output), 1, "{}", told(&output));
    let mut texts = vec![("the terminal", told(&output))];
    for name in formats.into_iter().chain(["known", "summary"]) {
        texts.push((name, fs::read_to_string(path(name)).expect(name)));
    }
    for (name, text) in &texts {
        assert!(text.contains("withheld"), "nothing is withheld in {name}");
        for secret in [TOKEN, KEY, &BASE64_STANDARD.encode(TOKEN), &BASE64_STANDARD.encode(KEY)] {
            for part in parts(secret) {
                if let Some(at) = text.find(part) {
                    let start = (0..=at.saturating_sub(200)).rev().find(|at| text.is_char_boundary(*at));
                    panic!("{part:?} is in {name}: {}", &text[start.unwrap_or(0)..at + part.len()]);
                }
            }
        }
    }
    assert!(seen.with.load(Ordering::Relaxed) > 300, "the secrets went with the requests");
    assert!(seen.raw.load(Ordering::Relaxed) > 0, "and with those that are written by hand");
}

#[test]
fn a_variable_that_is_missing_is_told() {
    for arguments in [["--header-env", "Authorization=NO_SUCH_VARIABLE"], ["--header-env", "s3cret-value"]] {
        let output = Command::new(PROGRAM)
            .args(["check", "http://127.0.0.1:1/", "--no-config"])
            .args(arguments)
            .output()
            .expect("the program runs");
        assert_eq!(status(&output), 2, "{}", told(&output));
        assert!(!told(&output).contains("s3cret-value"), "{}", told(&output));
        assert!(told(&output).contains("Authorization") || told(&output).contains("Name=VARIABLE"));
    }
}
