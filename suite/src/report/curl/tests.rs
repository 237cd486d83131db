use std::{process::Command, time::Duration};

use crate::wire::RecordedResponse;

use super::*;

fn exchange(method: &str, url: &str, headers: &[(&str, &str)], body: RecordedBody) -> Exchange {
    let header = |(name, value): &(&str, &str)| RecordedHeader {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
    };
    Exchange {
        started_at: Duration::ZERO,
        duration: Duration::ZERO,
        request: RecordedRequest {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: headers.iter().map(header).collect(),
            body,
        },
        outcome: Outcome::Failure("not asked".to_owned()),
    }
}

fn text(text: &str) -> RecordedBody {
    RecordedBody { size: text.len(), shown: text.len(), text: Some(text.to_owned()), base64: None }
}

fn line(exchange: &Exchange) -> String {
    repeat(exchange).line
}

/// The arguments that a POSIX shell hands to curl when it runs the line, and what curl finds on its input.
fn as_a_shell_sees_it(line: &str) -> (Vec<String>, Vec<u8>) {
    let script = format!(
        "curl() {{ printf '%s\\0' \"$@\"; case \" $* \" in *' @- '*) printf '<input>\\0'; cat;; esac; }}\n{line}"
    );
    let output =
        Command::new("sh").arg("-c").arg(&script).env("STREAMGAUGE_HEADER_X_KEY", "s3cret").output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    let mark = b"<input>\0";
    let at = output.stdout.windows(mark.len()).position(|window| window == mark);
    let (arguments, input) = match at {
        Some(at) => (&output.stdout[..at], output.stdout[at + mark.len()..].to_vec()),
        None => (output.stdout.as_slice(), Vec::new()),
    };
    let arguments = String::from_utf8(arguments.to_vec()).unwrap();
    (arguments.split_terminator('\0').map(str::to_owned).collect(), input)
}

const URL: &str = "http://127.0.0.1:4437/v1/stream/a";

#[test]
fn each_method_has_its_own_way_to_say_it() {
    let said = |method, body| line(&exchange(method, URL, &[("Content-Type", "text/plain")], body));
    insta::assert_snapshot!(
        [
            said("GET", text("")),
            said("HEAD", text("")),
            said("POST", text("a")),
            said("POST", text("")),
            said("PUT", text("a")),
            said("DELETE", text("")),
            said("GET", text("a")),
        ]
        .join("\n")
    );
}

#[test]
fn headers_that_curl_adds_itself_are_left_out_and_all_others_repeated() {
    let headers = [
        ("host", "127.0.0.1:4437"),
        ("Accept", "*/*"),
        ("User-Agent", "streamgauge/0.1.0"),
        ("Content-Length", "1"),
        ("stream-SEQ", "a"),
        ("stream-SEQ", "b"),
        ("X-Empty", ""),
    ];
    let (arguments, _) = as_a_shell_sees_it(&line(&exchange("POST", URL, &headers, text("a"))));
    let expected = [
        "-i",
        "-H",
        "stream-SEQ: a",
        "-H",
        "stream-SEQ: b",
        "-H",
        "X-Empty;",
        "-H",
        "Content-Type:",
        "--data-binary",
        "a",
        URL,
    ];
    assert_eq!(arguments, expected);
    let odd = [
        ("Host", "elsewhere"),
        ("Accept", "text/event-stream"),
        ("User-Agent", "mine"),
        ("Content-Length", "0"),
    ];
    let (arguments, _) = as_a_shell_sees_it(&line(&exchange("PUT", URL, &odd, text(""))));
    for (name, value) in odd {
        assert!(arguments.contains(&format!("{name}: {value}")), "{name}: {arguments:?}");
    }
    assert!(arguments.contains(&"-N".to_owned()));
}

#[test]
fn a_secret_comes_from_the_environment() {
    let curl =
        repeat(&exchange("GET", URL, &[("X-Key", "[withheld]"), ("odd`$name", "[withheld]")], text("")));
    insta::assert_snapshot!(format!("{}\n{}", curl.line, curl.notes.join("\n")));
    let (arguments, _) = as_a_shell_sees_it(&curl.line);
    assert_eq!(arguments[2], "X-Key: s3cret");
    assert_eq!(arguments[4], "odd`$name: ");
}

#[test]
fn a_shell_hands_on_exactly_what_was_sent() {
    for value in [
        "plain",
        "it's",
        r#"{"a": "b\n", "$c": `d`}"#,
        "$(touch /tmp/x) && ! ; | * ? ~ #",
        "größer 流れ",
        "\\",
        "\u{1b}[31m 100% 'quoted' \\n",
        "-n",
        "\u{202e}",
    ] {
        let sent = exchange(
            "POST",
            &format!("{URL}?q={value}"),
            &[("X-A", value), ("Content-Type", "a/b")],
            text(value),
        );
        let (arguments, input) = as_a_shell_sees_it(&line(&sent));
        assert!(arguments.contains(&format!("X-A: {value}")), "{value}: {arguments:?}");
        assert_eq!(arguments.last(), Some(&format!("{URL}?q={value}")));
        if !arguments.contains(&"@-".to_owned()) {
            let at = arguments.iter().position(|argument| argument == "--data-binary").unwrap();
            assert_eq!(arguments[at + 1], value);
        } else {
            assert_eq!(input, value.as_bytes());
        }
    }
}

#[test]
fn bodies_that_are_no_single_line_come_through_a_pipe() {
    for body in ["@file", "two\nlines\n", "-tail\r\n\t%s%%\\", "bell\u{7}'"] {
        let sent = line(&exchange("POST", URL, &[], text(body)));
        assert!(!sent.contains(|c: char| c.is_control()), "{sent}");
        let (arguments, input) = as_a_shell_sees_it(&sent);
        assert!(arguments.contains(&"@-".to_owned()), "{sent}");
        assert_eq!(input, body.as_bytes(), "{sent}");
    }
    let binary = RecordedBody { size: 4, shown: 4, text: None, base64: Some("AP8KIg==".to_owned()) };
    let (_, input) = as_a_shell_sees_it(&line(&exchange("POST", URL, &[], binary)));
    assert_eq!(input, [0, 255, 10, 34]);
}

#[test]
fn a_body_that_was_not_kept_is_asked_for() {
    let body = RecordedBody { size: 1_000_000, ..text("aaa") };
    let curl = repeat(&exchange("POST", URL, &[], body));
    assert!(curl.line.contains("--data-binary @body"), "{}", curl.line);
    assert_eq!(curl.notes.len(), 1);
}

#[test]
fn bytes_that_need_not_be_a_request_go_through_a_plain_connection() {
    let raw = |url: &str| line(&exchange("", url, &[], text("GET / HTTP/1.1\r\nHost: a\r\n\r\n")));
    insta::assert_snapshot!(
        [
            "http://127.0.0.1:4437",
            "http://[::1]:80",
            "http://[::1]",
            "https://localhost",
            "https://[::1]:8443"
        ]
        .map(raw)
        .join("\n")
    );
    let binary = RecordedBody { size: 2, shown: 2, text: None, base64: Some("FgM=".to_owned()) };
    assert_eq!(line(&exchange("", "http://a:1", &[], binary)), "printf %s 'FgM=' | base64 -d | nc -w 5 a 1");
}

#[test]
fn addresses_are_sent_as_they_stand() {
    let odd = "http://127.0.0.1:4437/v1/./stream/../a%2Fb?x[]={1,2}";
    let sent = line(&exchange("GET", odd, &[], text("")));
    assert!(sent.contains("--path-as-is") && sent.contains("--globoff"), "{sent}");
}

#[test]
fn the_version_that_was_spoken_is_spoken_again() {
    let spoken = |url: &str, version: &str| {
        let mut exchange = exchange("GET", url, &[], text(""));
        exchange.outcome = Outcome::Response(RecordedResponse {
            version: version.to_owned(),
            status: 200,
            headers: vec![],
            body: text(""),
            complete: true,
            ending: String::new(),
            to_head: Duration::ZERO,
        });
        line(&exchange)
    };
    assert!(spoken(URL, "HTTP/2").contains("--http2-prior-knowledge"));
    assert!(spoken("https://localhost/", "HTTP/2").contains("--http2 "));
    assert!(!spoken(URL, "HTTP/1.1").contains("http2"));
}
