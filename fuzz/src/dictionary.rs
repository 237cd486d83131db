//! Words that chance rarely forms, for each kind of input.

use std::fmt::Write as _;

pub(crate) const OFFSET: &[&str] =
    &["0000000000000000_", "0000000000000042", "9999999999999999", "-1", "now", "_", "+"];

pub(crate) const JSON: &[&str] = &[
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "\"",
    "\\",
    "\\u",
    "\\ud83d",
    "\"a\":",
    "true",
    "false",
    "null",
    "1e400",
    "-0",
    "12345678901234567890.5",
    "\u{feff}",
    " ",
    "[[",
    "]]",
];

pub(crate) const SSE: &[&str] = &[
    "data:",
    "data: ",
    "event:",
    "event: control",
    "id:",
    "retry:",
    "\r",
    "\n",
    "\r\n",
    "\n\n",
    "\r\r",
    ": ",
    ":",
    "\u{feff}",
    "\0",
    " ",
];

pub(crate) const NUMBER: &[&str] = &[
    "0",
    "9007199254740991",
    "9007199254740992",
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775808",
    "-1",
    "+1",
    "1e3",
    "0x10",
    "1.0",
    "\ni",
    "\ne",
    "\ns",
];

pub(crate) const INSTANT: &[&str] = &[
    "2030-01-02",
    "T12:00:00",
    "Z",
    "z",
    "t",
    "+00:00",
    "-23:59",
    "+24:00",
    ".5",
    ".123456789",
    "23:59:60",
    "02-29",
    "0000-",
    "9999-12-31",
    "[UTC]",
];

pub(crate) const MEDIA_TYPE: &[&str] = &[
    "application/json",
    "text/plain",
    "application/octet-stream",
    "; charset=utf-8",
    ";",
    "/",
    "*/*",
    "+json",
    "\n",
];

pub(crate) const ETAG: &[&str] = &["W/", "\"", "*", ", ", ",", "@", "\n", "w/"];

pub(crate) const FORK: &[&str] = &[
    "f/v1/stream/a",
    "\no",
    "\ns",
    "\nf",
    "0000000000000000_",
    "0000000000000042",
    "-1",
    "now",
    "18446744073709551616",
];

pub(crate) const GLOB: &[&str] = &["*", "**", "/", "**/", "/**", "a", "\n", "*/", "?", "["];

pub(crate) const URL: &[&str] = &[
    "https://",
    "http://",
    "localhost",
    "127.0.0.1",
    "10.0.0.1",
    "169.254.169.254",
    "0x7f000001",
    "2130706433",
    "[::1]",
    "[::ffff:10.0.0.1]",
    "[64:ff9b::a00:1]",
    "[2002:a00:1::]",
    "user@",
    ".local",
    ".internal",
    "home.arpa",
    ":443",
    "%2e",
    "0177.0.0.1",
    "\\",
    "\t",
    "example.com",
    "xn--",
];

pub(crate) const LOGS: &[&str] = &[
    "scope=service",
    "scope=job",
    "&job_id=",
    "&step=",
    "&level=",
    "&limit=",
    "debug",
    "dbg",
    "info",
    "inf",
    "warn",
    "WRN",
    "error",
    "err",
    "&",
    "%",
    "%2B",
    "+",
    "100",
    "500",
    "501",
    "5000",
    "5001",
    "18446744073709551615",
];

pub(crate) const YAML: &[&str] = &[
    "- id: ",
    "- breaks: ",
    "- name: ",
    "&a",
    "*a",
    "<<: ",
    "!!int ",
    "%YAML 1.2",
    "---",
    "...",
    "? ",
    ": ",
    "- ",
    "|",
    ">",
    "{",
    "}",
    "[",
    "]",
    "'",
    "\"",
    "null",
    "~",
    "\n  ",
    "steps:",
    "given:",
    "expect:",
    "proves:",
    "put: {}",
    "get: {}",
    "post: {}",
    "status: 200",
    "headers:",
    "body:",
    "each:",
    "save:",
    "accept:",
    "$",
    "request:",
    "response:",
    "on:",
    "title: ",
    "switch: ",
    "0o7",
    ".inf",
    "\u{feff}",
];

pub(crate) const HTTP: &[&str] = &[
    "PUT /v1/stream/a",
    "POST /v1/stream/a",
    "GET /v1/stream/a",
    "HEAD /v1/stream/a",
    "DELETE /v1/stream/a",
    "OPTIONS ",
    "?offset=",
    "&offset=",
    "&live=long-poll",
    "&live=sse",
    "&cursor=",
    "0000000000000000_0000000000000000",
    "-1",
    "now",
    "/v1/stream/__ds/",
    "subscriptions/s",
    "/streams",
    "/claim",
    "/ack",
    "/release",
    "/callback",
    "jwks.json",
    "webhooks/",
    "/api/logs",
    "/stream?scope=service",
    "/api/jobs/1/status",
    "%2F",
    "%00",
    "..",
    "\n%%\n",
    "\n\n",
    "\nContent-Type: ",
    "application/json",
    "text/plain",
    "\nStream-Closed: true",
    "\nStream-TTL: ",
    "\nStream-Expires-At: ",
    "\nStream-Seq: ",
    "\nStream-Forked-From: /v1/stream/a",
    "\nStream-Fork-Offset: ",
    "\nStream-Fork-Sub-Offset: ",
    "\nProducer-Id: p",
    "\nProducer-Epoch: 0",
    "\nProducer-Seq: 0",
    "\nIf-None-Match: *",
    "\nAuthorization: Bearer ",
    "\nHost: ",
    "{\"type\":\"pull-wake\",",
    "\"pattern\":\"**\"",
    "\"wake_stream\":\"w\"",
    "\"streams\":[\"a\"]",
    "\"worker\":\"w\"",
    "\"lease_ttl_ms\":1000",
    "\"webhook\":{\"url\":\"http://localhost/\"}",
];

/// One word a line, in quotes, with bytes that are not printable as `\xAB`.
pub(crate) fn file(words: &[&str]) -> String {
    let mut text = String::new();
    for word in words {
        text.push('"');
        for byte in word.bytes() {
            match byte {
                b'"' | b'\\' => text.extend(['\\', char::from(byte)]),
                b' '..=b'~' => text.push(char::from(byte)),
                _ => write!(text, "\\x{byte:02X}").expect("a string takes all"),
            }
        }
        text.push_str("\"\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_escaped() {
        assert_eq!(file(&["a\"\\", "\r\n", "é"]), "\"a\\\"\\\\\"\n\"\\x0D\\x0A\"\n\"\\xC3\\xA9\"\n");
    }
}
