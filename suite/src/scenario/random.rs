//! Random content. All of it comes from a generator that a seed repeats.

use bytes::Bytes;
use rand::{Rng, seq::SliceRandom as _};
use serde_json::{Value, json};

/// Every byte value so many times, shuffled.
pub(super) fn all_byte_values(random: &mut impl Rng, times: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..=u8::MAX).cycle().take(256 * times).collect();
    bytes.shuffle(random);
    bytes
}

/// Random bytes.
pub(super) fn bytes(random: &mut impl Rng, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    random.fill(bytes.as_mut_slice());
    bytes
}

/// Cuts content into pieces of 1 to `longest` bytes; every third is a single byte.
pub(super) fn cut(random: &mut impl Rng, content: &[u8], longest: usize) -> Vec<Bytes> {
    let mut pieces = Vec::new();
    let mut rest = content;
    while !rest.is_empty() {
        let size = if pieces.len() % 3 == 2 { 1 } else { random.random_range(1..=longest) };
        let (piece, after) = rest.split_at(size.min(rest.len()));
        pieces.push(Bytes::copy_from_slice(piece));
        rest = after;
    }
    pieces
}

/// A JSON value that survives double precision: numbers are small integers or short decimals.
pub(super) fn json_value(random: &mut impl Rng, depth: u32) -> Value {
    match random.random_range(0..if depth == 0 { 6 } else { 8 }) {
        0 => Value::Null,
        1 => Value::Bool(random.random()),
        2 => json!(random.random_range(-(1_i64 << 53) + 1..1 << 53)),
        3 => json!(f64::from(random.random_range(-100_000_i32..100_000)) / 100.0),
        4 | 5 => Value::String(text(random)),
        6 => (0..random.random_range(0..5)).map(|_| json_value(random, depth - 1)).collect(),
        _ => Value::Object(
            (0..random.random_range(0..5)).map(|_| (text(random), json_value(random, depth - 1))).collect(),
        ),
    }
}

/// A short text with all that is special in JSON, in line protocols or in Unicode.
pub(super) fn text(random: &mut impl Rng) -> String {
    const PARTS: [&str; 24] = [
        "a", "Z", "0", " ", "\"", "\\", "/", "[", "]", "{", "}", ",", ":", "\n", "\r\n", "\t", "\u{8}",
        "\u{1f}", "é", "ß", "漢", "\u{2028}", "😀", "data: x",
    ];
    (0..random.random_range(0..12)).map(|_| PARTS[random.random_range(0..PARTS.len())]).collect()
}

/// A JSON text of that value, with blanks between tokens and escapes in texts where nothing asks for them.
pub(super) fn json_text(random: &mut impl Rng, value: &Value) -> String {
    let blank = |random: &mut dyn rand::RngCore| ["", "", " ", "\n", "\t "][random.random_range(0..5)];
    let before = blank(random);
    let token = match value {
        Value::String(text) => quoted(random, text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| json_text(random, item)).collect();
            format!("[{}{}]", blank(random), items.join(","))
        }
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(name, member)| {
                    let name = quoted(random, name);
                    format!("{}{name}{}:{}", blank(random), blank(random), json_text(random, member))
                })
                .collect();
            format!("{{{}{}}}", members.join(","), blank(random))
        }
        other => other.to_string(),
    };
    format!("{before}{token}{}", blank(random))
}

/// A JSON string in which some letters are escaped, in UTF-16 as JSON has it.
fn quoted(random: &mut impl Rng, text: &str) -> String {
    let mut quoted = String::from('"');
    for letter in text.chars() {
        if random.random_ratio(1, 4) {
            let mut units = [0; 2];
            letter
                .encode_utf16(&mut units)
                .iter()
                .for_each(|unit| quoted.push_str(&format!("\\u{unit:04x}")));
        } else {
            let plain = Value::String(letter.to_string()).to_string();
            quoted.push_str(&plain[1..plain.len() - 1]);
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::StdRng};

    use super::*;

    #[test]
    fn pieces_make_up_the_content() {
        let random = &mut StdRng::seed_from_u64(1);
        let content = all_byte_values(random, 3);
        let pieces = cut(random, &content, 40);
        assert_eq!(pieces.concat(), content);
        assert!(pieces.iter().any(|piece| piece.len() == 1));
        assert!((0..=u8::MAX).all(|byte| content.iter().filter(|found| **found == byte).count() == 3));
    }

    #[test]
    fn any_notation_is_of_its_value() {
        let random = &mut StdRng::seed_from_u64(2);
        for _ in 0..500 {
            let value = json_value(random, 3);
            let text = json_text(random, &value);
            let read: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert!(crate::check::json_equal(&read, &value), "{text}");
        }
    }
}
