//! Text that a target sent, made safe to print: what a terminal or a reader would obey rather than show is escaped.

use std::{borrow::Cow, fmt::Write};

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
    fn bytes_that_are_no_text_are_shown_as_bytes() {
        assert_eq!(visible_bytes(b"ok \xff\xfe \xe6\xb5"), r"ok \xff\xfe \xe6\xb5");
        assert_eq!(visible_bytes("流\0".as_bytes()), r"流\x00");
    }
}
