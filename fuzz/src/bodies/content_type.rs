//! Media types: what is one, what a stream of it holds, and which two are the same.

use streamgauge_reference_server::{
    core::content_type::{ContentType, Format},
    sabotage::Switches,
};

/// Lines: a stream's type, and the types of appends.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.split('\n').take(4);
    let Some(own) = lines.next().and_then(check) else { return };
    assert_agreement(&own, own.as_str());
    lines.for_each(|other| assert_agreement(&own, other));
}

/// Compares how the server reads a type with what its text says.
fn check(text: &str) -> Option<ContentType> {
    let parsed = ContentType::parse(text, Switches::NONE).ok();
    let essence = essence(text);
    assert_eq!(parsed.is_some(), essence.is_some(), "{text:?}");
    let (parsed, essence) = parsed.zip(essence)?;
    assert_eq!(parsed.as_str(), text.trim(), "the spelling is kept");
    let format = match essence.as_str() {
        "application/json" => Format::Json,
        other if other.starts_with("text/") => Format::Text,
        _ => Format::Binary,
    };
    assert_eq!(parsed.format(), format, "{text:?}");
    Some(parsed)
}

fn assert_agreement(own: &ContentType, other: &str) {
    let agrees = own.agrees_with(other, Switches::NONE).ok();
    let expected = essence(other).map(|other| essence(own.as_str()) == Some(other));
    assert_eq!(agrees, expected, "{:?} and {other:?}", own.as_str());
}

/// Type and subtype in lower case, without parameters.
fn essence(text: &str) -> Option<String> {
    let essence = text.split(';').next()?.trim();
    let parts: Vec<&str> = essence.split('/').collect();
    let are_tokens = parts.iter().all(|part| {
        !part.is_empty()
            && part.chars().all(|character| character.is_ascii_graphic() && !is_separator(character))
    });
    (parts.len() == 2 && are_tokens).then(|| essence.to_ascii_lowercase())
}

/// The delimiters of RFC 9110, section 5.6.2.
fn is_separator(character: char) -> bool {
    "\"(),/:;<=>?@[\\]{}".contains(character)
}
