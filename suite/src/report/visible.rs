//! Text that a target sent, made safe to print: what a terminal or a reader would obey rather than show is escaped.

use std::{borrow::Cow, fmt::Write, io};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

/// The text with every character escaped that is invisible, moves the cursor or reorders what stands around it.
/// Line breaks are escaped too: whoever wants lines splits them first.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_treacherous) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        push_visible(&mut shown, character);
    }
    Cow::Owned(shown)
}

/// The same for bytes: what is not UTF-8 is shown as `\xNN`.
pub(super) fn visible_bytes(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            push_visible(&mut shown, character);
        }
        for byte in chunk.invalid() {
            push_byte(&mut shown, *byte);
        }
    }
    shown
}

/// Writes JSON for people and programs: the same values as always, and nothing in it that a terminal obeys.
pub(super) fn write_json(out: &mut dyn io::Write, value: &impl Serialize) -> serde_json::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(out, VisibleJson(PrettyFormatter::new()));
    value.serialize(&mut serializer)
}

/// Pretty JSON whose strings escape what is treacherous.
struct VisibleJson(PrettyFormatter<'static>);

impl Formatter for VisibleJson {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, order)) = rest.char_indices().find(|(_, character)| is_treacherous(*character)) {
            CompactFormatter.write_string_fragment(out, &rest[..at])?;
            for unit in order.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = &rest[at + order.len_utf8()..];
        }
        CompactFormatter.write_string_fragment(out, rest)
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

fn push_visible(shown: &mut String, character: char) {
    match character {
        '\n' => shown.push_str("\\n"),
        '\r' => shown.push_str("\\r"),
        '\t' => shown.push_str("\\t"),
        // A single byte on the wire is best known by its byte.
        low if low.is_ascii() && is_treacherous(low) => push_byte(shown, low as u8),
        high if is_treacherous(high) => shown.extend(high.escape_unicode()),
        plain => shown.push(plain),
    }
}

fn push_byte(shown: &mut String, byte: u8) {
    write!(shown, "\\x{byte:02x}").expect("a String takes all that is written to it");
}

/// Control characters, and those of Unicode that hide, join or reorder their neighbours.
fn is_treacherous(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_of_any_language_stays_as_it_is() {
        for text in ["", "a b", r#"{"a": "b\n"}"#, "größer", "流れ", "🦀"] {
            assert!(matches!(visible(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn what_a_terminal_obeys_is_shown() {
        assert_eq!(visible("\u{1b}[2Jgone\u{7}"), r"\x1b[2Jgone\x07");
        assert_eq!(visible("a\r\nb\tc\u{7f}"), r"a\r\nb\tc\x7f");
        assert_eq!(visible("\u{9b}31m"), r"\u{9b}31m");
    }

    #[test]
    fn what_reorders_or_hides_is_shown() {
        assert_eq!(visible("user\u{202e}txt.exe\u{2066}"), r"user\u{202e}txt.exe\u{2066}");
        assert_eq!(visible("zero\u{200b}width\u{feff}"), r"zero\u{200b}width\u{feff}");
    }

    #[test]
    fn json_keeps_its_values_and_shows_what_is_treacherous() {
        let value = serde_json::json!({ "a\u{7f}": ["\u{1b}[2J\"\u{9b}", "\u{202e}x\u{e0001}", "größer\n"], "b": { "c": [] } });
        let mut written = Vec::new();
        write_json(&mut written, &value).unwrap();
        let text = String::from_utf8(written).unwrap();
        assert!(!text.chars().any(|character| character != '\n' && is_treacherous(character)), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
        let plain = serde_json::json!({ "a": [1, { "b": "c" }], "d": [] });
        let mut written = Vec::new();
        write_json(&mut written, &plain).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), serde_json::to_string_pretty(&plain).unwrap());
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_bytes() {
        assert_eq!(visible_bytes(b"ok \xff\xfe \xe6\xb5"), r"ok \xff\xfe \xe6\xb5");
        assert_eq!(visible_bytes("流\0".as_bytes()), r"流\x00");
    }
}
