//! The event stream format: from payload to bytes, without any I/O (section 5.8).
//!
//! No blank is written after a colon. One blank is allowed there and every reader strips it, so a
//! line that begins with a blank of its own gets a second one in front.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;

use crate::sabotage::{Switch, Switches};

/// What a control event says.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Control {
    /// Where to continue after everything sent so far.
    pub stream_next_offset: String,
    /// The cursor to come back with; left out when there is no reason to come back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_cursor: Option<String>,
    /// Whether the client has everything.
    #[serde(skip_serializing_if = "is_false")]
    pub up_to_date: bool,
    /// Whether nothing will ever follow.
    #[serde(skip_serializing_if = "is_false")]
    pub stream_closed: bool,
}

/// Adds a data event whose payload is text. CR, LF and CRLF all become ends of lines, since a reader
/// would take them for such anyway; bytes that are not UTF-8 become replacement characters.
pub fn write_text(event: &mut Vec<u8>, payload: &[u8], switches: Switches) {
    let text = String::from_utf8_lossy(payload);
    event.extend_from_slice(b"event: data\n");
    if switches.on(Switch::SseKeepsCarriageReturns) {
        text.split('\n').for_each(|line| write_line(event, line));
        event.push(b'\n');
        return;
    }
    for line in Lines::of(&text) {
        write_line(event, line);
    }
    event.push(b'\n');
}

/// Adds a data event whose payload is base64 of the bytes, in one line.
pub fn write_binary(event: &mut Vec<u8>, payload: &[u8]) {
    event.extend_from_slice(b"event: data\ndata:");
    event.extend_from_slice(STANDARD.encode(payload).as_bytes());
    event.extend_from_slice(b"\n\n");
}

/// Adds a control event.
pub fn write_control(event: &mut Vec<u8>, control: &Control) {
    event.extend_from_slice(b"event: control\ndata:");
    serde_json::to_writer(&mut *event, control).expect("strings and booleans");
    event.extend_from_slice(b"\n\n");
}

/// A comment: readers skip it, broken connections show.
pub const KEEP_ALIVE: &[u8] = b":\n\n";

fn write_line(event: &mut Vec<u8>, line: &str) {
    event.extend_from_slice(b"data:");
    if line.starts_with(' ') {
        event.push(b' ');
    }
    event.extend_from_slice(line.as_bytes());
    event.push(b'\n');
}

/// Lines that end in CR, LF or CRLF. Unlike `str::lines`, a final line end is followed by an empty line.
struct Lines<'a> {
    rest: Option<&'a str>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        Self { rest: Some(text) }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.rest?;
        let Some(end) = text.find(['\r', '\n']) else {
            self.rest = None;
            return Some(text);
        };
        let (line, behind) = text.split_at(end);
        let after = behind.strip_prefix("\r\n").unwrap_or(&behind[1..]);
        self.rest = Some(after);
        Some(line)
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(payload: &str) -> String {
        let mut event = Vec::new();
        write_text(&mut event, payload.as_bytes(), Switches::NONE);
        String::from_utf8(event).unwrap()
    }

    #[test]
    fn every_line_has_its_own_field() {
        assert_eq!(text("a\nb"), "event: data\ndata:a\ndata:b\n\n");
        assert_eq!(text("a\r\nb\rc"), "event: data\ndata:a\ndata:b\ndata:c\n\n");
        assert_eq!(text("a\n"), "event: data\ndata:a\ndata:\n\n");
        assert_eq!(text("\n\r\n"), "event: data\ndata:\ndata:\ndata:\n\n");
        assert_eq!(text(""), "event: data\ndata:\n\n");
    }

    #[test]
    fn a_leading_blank_survives_the_reader() {
        assert_eq!(text(" x\n  y\n:z"), "event: data\ndata:  x\ndata:   y\ndata::z\n\n");
    }

    #[test]
    fn no_payload_ends_its_event() {
        for line_end in ["\n", "\r", "\r\n"] {
            let forged = ["x", "", "event: control", "data: {}", "", ""].join(line_end);
            let event = text(&forged);
            assert_eq!(event.matches("\n\n").count(), 1);
            assert_eq!(event.lines().filter(|line| line.starts_with("event:")).count(), 1);
        }
    }

    #[test]
    fn binary_is_one_line_of_base64() {
        let mut event = Vec::new();
        write_binary(&mut event, &[0xfb, 0xff]);
        assert_eq!(event, b"event: data\ndata:+/8=\n\n");
    }

    #[test]
    fn control_leaves_out_what_does_not_hold() {
        let mut event = Vec::new();
        let mut control = Control {
            stream_next_offset: "0_5".into(),
            stream_cursor: Some("7".into()),
            up_to_date: false,
            stream_closed: false,
        };
        write_control(&mut event, &control);
        control.stream_cursor = None;
        control.up_to_date = true;
        control.stream_closed = true;
        write_control(&mut event, &control);
        let expected = "event: control\ndata:{\"streamNextOffset\":\"0_5\",\"streamCursor\":\"7\"}\n\n\
                        event: control\ndata:{\"streamNextOffset\":\"0_5\",\"upToDate\":true,\"streamClosed\":true}\n\n";
        assert_eq!(String::from_utf8(event).unwrap(), expected);
    }
}
