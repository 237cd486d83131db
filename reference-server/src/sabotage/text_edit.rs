//! Changes of texts and bodies.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::notation::OneOrMany;

/// Steps that change a text or a body, one after the other.
pub(super) type Steps = OneOrMany<Step>;

/// One change. What it cannot be done to stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// Nothing is left.
    Empty,
    /// This instead.
    Text(String),
    Uppercase,
    Lowercase,
    /// The last byte first.
    Reverse,
    /// The digits at the end, one higher; as many digits as before.
    Increment,
    /// Likewise, one lower.
    Decrement,
    /// The digits at the beginning, if there are any: what readers of numbers make of it that stop at the first
    /// character they do not know.
    LeadingDigits,
    /// The whole part of a number that passes through a double.
    AsDouble,
    /// In double quotes.
    Quote,
    /// Without double quotes at its ends.
    Unquote,
    /// Without white space at its ends.
    Trim,
    /// Every character beyond ASCII becomes a question mark.
    Ascii,
    /// JSON numbers pass through 32 bits.
    Narrow,
    /// JSON numbers pass through 64 bits of floating point.
    LossyNumbers,
    /// What is nested more than that many levels deep in JSON becomes null.
    Prune(usize),
    /// Percent-decoded.
    PercentDecode,
    /// A path without `.` and `..`.
    ResolveDots,
    /// Twice in a row.
    Double,
    /// Bytes that are not UTF-8 become replacement characters.
    Lossy,
    /// Encoded as base64.
    Base64,
    /// Decoded from base64.
    FromBase64,
    Prepend(String),
    Append(String),
    /// Without that many bytes at the end.
    Cut(usize),
    /// Without that many bytes at the beginning.
    CutFront(usize),
    /// The first bytes only.
    Keep(usize),
    /// Every occurrence of the first becomes the second.
    Replace(String, String),
    /// Each character of the first becomes the one at its place in the second.
    Translate(String, String),
    /// Without zeros in front.
    StripZeros,
    /// With zeros in front, up to that many characters.
    ZeroFill(usize),
    /// Line ends behind every that many characters.
    Wrap(usize),
    /// A JSON array with every element on lines of its own, the elements as they were.
    Spread,
    /// A JSON document with line ends and indents, written anew.
    Pretty,
    /// A URL without scheme and authority.
    WithoutOrigin,
    /// Changes of a JSON document; the text is written anew, compactly.
    Json(Vec<JsonStep>),
}

/// A change at one place of a JSON document.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct JsonStep {
    /// A JSON pointer; `-` in it is every element of an array.
    at: String,
    #[serde(default)]
    set: Option<Value>,
    #[serde(default)]
    drop: bool,
    /// Put at the end of the array.
    #[serde(default)]
    push: Option<Value>,
    /// The array without nesting, one level.
    #[serde(default)]
    flatten: bool,
    /// The value inside an array of its own.
    #[serde(default)]
    wrap: bool,
    /// The elements in the opposite order.
    #[serde(default)]
    reverse: bool,
    /// Changes of a text, or of a number as it is written.
    #[serde(default)]
    text: Steps,
}

/// The text after all steps.
pub(super) fn edit_text(steps: &Steps, text: &str) -> String {
    String::from_utf8_lossy(&edit_bytes(steps, text.as_bytes())).into_owned()
}

/// The bytes after all steps.
pub(super) fn edit_bytes(steps: &Steps, bytes: &[u8]) -> Bytes {
    steps.0.iter().fold(bytes.to_vec(), |bytes, step| step.apply(bytes)).into()
}

impl Step {
    fn apply(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        match self {
            Self::Empty => Vec::new(),
            Self::Text(text) => text.clone().into_bytes(),
            Self::Uppercase => bytes.to_ascii_uppercase(),
            Self::Lowercase => bytes.to_ascii_lowercase(),
            Self::Reverse => bytes.into_iter().rev().collect(),
            Self::Increment => counted(bytes, 1),
            Self::Decrement => counted(bytes, -1),
            Self::LeadingDigits => on_text(&bytes, leading_digits),
            Self::AsDouble => on_text(&bytes, as_double),
            Self::Quote => [b"\"", bytes.as_slice(), b"\""].concat(),
            Self::Unquote => on_text(&bytes, |text| text.trim_matches('"').to_owned()),
            Self::Trim => bytes.trim_ascii().to_vec(),
            Self::Ascii => on_text(&bytes, |text| text.replace(|held: char| !held.is_ascii(), "?")),
            Self::Narrow => {
                on_json(bytes, |document| map_numbers(document, &|number| f64::from(number as f32)))
            }
            Self::LossyNumbers => on_json(bytes, |document| map_numbers(document, &|number| number)),
            Self::Prune(depth) => on_json(bytes, |document| prune(document, *depth)),
            Self::PercentDecode => percent_encoding::percent_decode(&bytes).collect(),
            Self::ResolveDots => on_text(&bytes, without_dots),
            Self::Double => bytes.repeat(2),
            Self::Lossy => on_text(&bytes, str::to_owned),
            Self::Base64 => STANDARD.encode(bytes).into_bytes(),
            Self::FromBase64 => STANDARD.decode(&bytes).unwrap_or(bytes),
            Self::Prepend(text) => [text.as_bytes(), &bytes].concat(),
            Self::Append(text) => [&bytes, text.as_bytes()].concat(),
            Self::Cut(count) => {
                bytes.truncate(bytes.len().saturating_sub(*count));
                bytes
            }
            Self::CutFront(count) => bytes.split_off(bytes.len().min(*count)),
            Self::Keep(count) => {
                bytes.truncate(*count);
                bytes
            }
            Self::Replace(from, to) => replaced(&bytes, from.as_bytes(), to.as_bytes()),
            Self::Translate(from, to) => on_text(&bytes, |text| translated(text, from, to)),
            Self::StripZeros => on_text(&bytes, |text| match text.trim_start_matches('0') {
                "" => "0".to_owned(),
                rest => rest.to_owned(),
            }),
            Self::ZeroFill(width) => on_text(&bytes, |text| format!("{text:0>width$}")),
            Self::Wrap(width) => wrapped(&bytes, *width),
            Self::Spread => spread(&bytes).unwrap_or(bytes),
            Self::Pretty => pretty(&bytes).unwrap_or(bytes),
            Self::WithoutOrigin => on_text(&bytes, |text| without_origin(text).to_owned()),
            Self::Json(steps) => {
                on_json(bytes, |document| steps.iter().for_each(|step| step.apply(document)))
            }
        }
    }
}

fn on_text(bytes: &[u8], change: impl Fn(&str) -> String) -> Vec<u8> {
    change(&String::from_utf8_lossy(bytes)).into_bytes()
}

fn on_json(bytes: Vec<u8>, change: impl Fn(&mut Value)) -> Vec<u8> {
    let Ok(mut document) = serde_json::from_slice::<Value>(&bytes) else {
        return bytes;
    };
    change(&mut document);
    document.to_string().into_bytes()
}

fn map_numbers(value: &mut Value, change: &impl Fn(f64) -> f64) {
    match value {
        Value::Number(number) => {
            if let Some(known) = number.as_f64() {
                *value = change(known).into();
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| map_numbers(element, change)),
        Value::Object(members) => members.values_mut().for_each(|member| map_numbers(member, change)),
        _ => {}
    }
}

fn prune(value: &mut Value, depth: usize) {
    match value {
        Value::Array(_) | Value::Object(_) if depth == 0 => *value = Value::Null,
        Value::Array(elements) => elements.iter_mut().for_each(|element| prune(element, depth - 1)),
        Value::Object(members) => members.values_mut().for_each(|member| prune(member, depth - 1)),
        _ => {}
    }
}

fn without_dots(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "." => {}
            ".." if segments.len() > 1 => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    segments.join("/")
}

fn counted(bytes: Vec<u8>, step: i128) -> Vec<u8> {
    on_text(&bytes, |text| {
        let (front, digits) = text.split_at(text.trim_end_matches(|held: char| held.is_ascii_digit()).len());
        let width = digits.len();
        match digits.parse::<i128>() {
            Ok(number) => format!("{front}{:0>width$}", number + step),
            Err(_) => text.to_owned(),
        }
    })
}

fn leading_digits(text: &str) -> String {
    let digits = text.len() - text.trim_start_matches(|held: char| held.is_ascii_digit()).len();
    text[..if digits == 0 { text.len() } else { digits }].to_owned()
}

fn as_double(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => format!("{:.0}", number.trunc()),
        _ => text.to_owned(),
    }
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        match rest.strip_prefix(from) {
            Some(behind) if !from.is_empty() => {
                out.extend_from_slice(to);
                rest = behind;
            }
            _ => {
                out.push(*first);
                rest = &rest[1..];
            }
        }
    }
    out
}

fn translated(text: &str, from: &str, to: &str) -> String {
    let place = |character| from.chars().position(|known| known == character);
    text.chars()
        .map(|character| place(character).and_then(|place| to.chars().nth(place)).unwrap_or(character))
        .collect()
}

fn wrapped(bytes: &[u8], width: usize) -> Vec<u8> {
    bytes.chunks(width.max(1)).collect::<Vec<_>>().join(&b'\n')
}

fn spread(bytes: &[u8]) -> Option<Vec<u8>> {
    let elements: Vec<&RawValue> = serde_json::from_slice(bytes).ok()?;
    let elements: Vec<&str> = elements.into_iter().map(RawValue::get).collect();
    Some(format!("[\n\t{}\r\n ]\n", elements.join(" ,\n\t")).into_bytes())
}

fn pretty(bytes: &[u8]) -> Option<Vec<u8>> {
    let document: Value = serde_json::from_slice(bytes).ok()?;
    serde_json::to_vec_pretty(&document).ok()
}

fn without_origin(url: &str) -> &str {
    let behind_scheme = url.split_once("://").map(|(_, rest)| rest);
    behind_scheme.and_then(|rest| Some(&rest[rest.find('/')?..])).unwrap_or(url)
}

impl JsonStep {
    fn apply(&self, document: &mut Value) {
        self.apply_at(document, &self.at);
    }

    fn apply_at(&self, document: &mut Value, pointer: &str) {
        if let Some((array, rest)) = split_at_every(pointer) {
            if let Some(Value::Array(elements)) = document.pointer_mut(array) {
                elements.iter_mut().for_each(|element| self.apply_at(element, rest));
            }
            return;
        }
        if self.drop {
            remove(document, pointer);
        } else if let Some(value) = document.pointer_mut(pointer) {
            self.change(value);
        } else if let Some(set) = &self.set {
            insert(document, pointer, set.clone());
        }
    }

    fn change(&self, value: &mut Value) {
        if let Some(set) = &self.set {
            *value = set.clone();
        }
        if let (Some(push), Value::Array(elements)) = (&self.push, &mut *value) {
            elements.push(push.clone());
        }
        if let (true, Value::Array(elements)) = (self.flatten, &mut *value) {
            *elements = std::mem::take(elements).into_iter().flat_map(inner).collect();
        }
        if let (true, Value::Array(elements)) = (self.reverse, &mut *value) {
            elements.reverse();
        }
        if self.wrap {
            *value = Value::Array(vec![value.take()]);
        }
        match value {
            _ if self.text.0.is_empty() => {}
            Value::String(text) => *text = edit_text(&self.text, text),
            Value::Number(number) => {
                if let Ok(changed) = edit_text(&self.text, &number.to_string()).parse() {
                    *number = changed;
                }
            }
            _ => {}
        }
    }
}

/// What stands before and behind the first `/-` of a pointer, which means every element.
fn split_at_every(pointer: &str) -> Option<(&str, &str)> {
    let places =
        pointer.match_indices("/-").map(|(at, every)| (&pointer[..at], &pointer[at + every.len()..]));
    places.into_iter().find(|(_, rest)| rest.is_empty() || rest.starts_with('/'))
}

fn inner(value: Value) -> Vec<Value> {
    match value {
        Value::Array(elements) => elements,
        other => vec![other],
    }
}

fn parent<'a, 'b>(document: &'a mut Value, pointer: &'b str) -> Option<(&'a mut Value, &'b str)> {
    let (parent, key) = pointer.rsplit_once('/')?;
    Some((document.pointer_mut(parent)?, key))
}

fn remove(document: &mut Value, pointer: &str) {
    match parent(document, pointer) {
        Some((Value::Object(members), key)) => {
            members.remove(key);
        }
        Some((Value::Array(elements), key)) => {
            if let Some(index) = key.parse().ok().filter(|index| *index < elements.len()) {
                elements.remove(index);
            }
        }
        _ => {}
    }
}

fn insert(document: &mut Value, pointer: &str, value: Value) {
    if let Some((Value::Object(members), key)) = parent(document, pointer) {
        members.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(yaml: &str, text: &str) -> String {
        edit_text(&serde_saphyr::from_str(yaml).unwrap(), text)
    }

    #[test]
    fn steps_follow_each_other() {
        assert_eq!(edited("empty", "abc"), "");
        assert_eq!(edited("[{ cut: 1 }, uppercase, { append: x }]", "abc"), "ABx");
        assert_eq!(edited("{ replace: [b, xx] }", "abab"), "axxaxx");
        assert_eq!(edited("[strip_zeros, { zero_fill: 4 }]", "0012"), "0012");
        assert_eq!(edited("increment", "41"), "42");
        assert_eq!(edited("increment", "x"), "x");
        assert_eq!(edited("{ translate: [ab, xy] }", "abc"), "xyc");
        assert_eq!(edited("{ wrap: 2 }", "abcde"), "ab\ncd\ne");
        assert_eq!(edited("leading_digits", "1e3"), "1");
        assert_eq!(edited("leading_digits", "x1"), "x1");
        assert_eq!(edited("as_double", "1e3"), "1000");
        assert_eq!(edited("as_double", "1.5"), "1");
        assert_eq!(edited("as_double", "1x"), "1x");
        assert_eq!(edited("spread", "[1.0,[2]]"), "[\n\t1.0 ,\n\t[2]\r\n ]\n");
        assert_eq!(edited("without_origin", "http://a:1/b?c"), "/b?c");
        assert_eq!(edited("without_origin", "/b"), "/b");
    }

    #[test]
    fn json_is_edited_by_pointer() {
        assert_eq!(
            edited("{ json: [{ at: /a, set: 2 }, { at: /b, drop: true }] }", r#"{"a":1,"b":1}"#),
            r#"{"a":2}"#
        );
        assert_eq!(edited("{ json: [{ at: '', push: 3 }] }", "[1]"), "[1,3]");
        assert_eq!(edited("{ json: [{ at: '', flatten: true }] }", "[[1],[2]]"), "[1,2]");
        assert_eq!(edited("{ json: [{ at: /-, wrap: true }] }", "[1,2]"), "[[1],[2]]");
        assert_eq!(edited("{ json: [{ at: /c, set: 1 }] }", "{}"), r#"{"c":1}"#);
        assert_eq!(edited("{ json: [{ at: /a, text: uppercase }] }", r#"{"a":"x"}"#), r#"{"a":"X"}"#);
        assert_eq!(edited("{ json: [{ at: /a, text: { cut: 2 } }] }", r#"{"a":123}"#), r#"{"a":1}"#);
        let both = r#"{"a":[{"b":1,"-":1},{"b":2}]}"#;
        assert_eq!(edited("{ json: [{ at: /a/-/b, drop: true }] }", both), r#"{"a":[{"-":1},{}]}"#);
        assert_eq!(edited("{ json: [{ at: /a, set: 1 }] }", "no json"), "no json");
    }
}
