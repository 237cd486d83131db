//! JSON mode: a body becomes messages, messages become an array again (section 9.1).
//!
//! Messages are kept as the text that was sent, so that digits, key order and duplicate keys
//! survive. Each is stored with a comma behind it: any run of whole messages becomes an array by
//! cutting the last comma and adding brackets.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::{error::Malformed, payload::Payload};

/// What separates stored messages.
pub(crate) const SEPARATOR: u8 = b',';

/// The messages of one JSON text: the elements of an array, or the one value.
///
/// # Errors
/// [`Malformed::Json`] when the body is not exactly one JSON text in UTF-8.
pub fn flatten(body: &[u8]) -> Result<Vec<&str>, Malformed> {
    let invalid = |error: serde_json::Error| Malformed::Json(error.to_string());
    let messages: Vec<&RawValue> = if starts_an_array(body) {
        serde_json::from_slice(body).map_err(invalid)?
    } else {
        vec![serde_json::from_slice(body).map_err(invalid)?]
    };
    Ok(messages.into_iter().map(RawValue::get).collect())
}

/// Messages in the form in which a stream stores them; `None` for no message.
pub(crate) fn store_form(messages: &[&str]) -> Option<Payload> {
    let length = messages.iter().map(|message| message.len() + 1).sum();
    let mut bytes = Vec::with_capacity(length);
    let mut ends = Vec::with_capacity(messages.len());
    for message in messages {
        bytes.extend_from_slice(message.as_bytes());
        bytes.push(SEPARATOR);
        ends.push(bytes.len());
    }
    Payload::of_messages(Bytes::from(bytes), ends)
}

fn starts_an_array(body: &[u8]) -> bool {
    let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    body.iter().find(|byte| !is_blank(byte)) == Some(&b'[')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(body: &str) -> Vec<&str> {
        flatten(body.as_bytes()).unwrap()
    }

    #[test]
    fn exactly_one_level_is_flattened() {
        assert_eq!(messages(r#"{"a":1}"#), [r#"{"a":1}"#]);
        assert_eq!(messages(r#" [ {"a":1} , 2 ] "#), [r#"{"a":1}"#, "2"]);
        assert_eq!(messages("[[1,2], [3,4]]"), ["[1,2]", "[3,4]"]);
        assert_eq!(messages("[[[1,2,3]]]"), ["[[1,2,3]]"]);
        assert_eq!(messages("[[]]"), ["[]"]);
        assert!(messages("\n[ \t]\r").is_empty());
    }

    #[test]
    fn values_keep_their_text() {
        let long = "0.123456789012345678901234567890";
        let body = format!(r#"[12345678901234567890, {long}, {{"b":1,"a":2,"a":3}}, "\u00e9,]"]"#);
        assert_eq!(
            messages(&body),
            ["12345678901234567890", long, r#"{"b":1,"a":2,"a":3}"#, r#""\u00e9,]""#]
        );
    }

    #[test]
    fn anything_but_one_json_text_is_refused() {
        for body in ["", " ", "{bad}", "[1,]", "1 2", "[1] [2]", "[1", "NaN", "01", "\"\n\"", "[1]x"] {
            assert!(matches!(flatten(body.as_bytes()), Err(Malformed::Json(_))), "{body:?}");
        }
        assert!(flatten(b"\"\xff\"").is_err());
        assert!(flatten(b"\xef\xbb\xbf1").is_err());
    }

    #[test]
    fn depth_is_no_danger() {
        let deep = "[".repeat(200_000) + &"]".repeat(200_000);
        assert_eq!(messages(&deep).len(), 1);
    }
}
