//! Entity tags: different answers have different tags, and `If-None-Match` finds exactly those that it lists.

use streamgauge_reference_server::core::{
    entity_tag::{EntityTag, matches},
    offset::Offset,
};

/// Lines: what the current tag holds, and the header. An `@` in the header stands for the current tag.
pub fn run(data: &[u8]) {
    distinct(data);
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (opaque, header) = text.split_once('\n').unwrap_or(("", text));
    if !opaque.chars().all(is_etag_character) {
        return;
    }
    let current = format!("\"{opaque}\"");
    let header = header.replace('@', &current);
    let found = matches(&header, &current);
    match listed(&header) {
        Some(Listed::All) => assert!(found, "* matches everything"),
        Some(Listed::Tags(tags)) => assert_eq!(found, tags.contains(&opaque), "{current} in {header:?}"),
        // No list at all: only what stands there can be found.
        None => assert!(!found || header.contains(&current), "{current} in {header:?}"),
    }
}

/// Two tags made of the same bytes are equal exactly when all their parts are.
fn distinct(data: &[u8]) {
    let Some((left, rest)) = data.split_at_checked(13) else { return };
    let Some((right, _)) = rest.split_at_checked(13) else { return };
    let (left, right) = (tag(left), tag(right));
    assert_eq!(left.to_string() == right.to_string(), left == right, "{left} and {right}");
    assert!(matches(&left.to_string(), &left.to_string()));
    assert!(matches(&format!("W/{left}, {right}"), &right.to_string()));
    assert_eq!(matches(&left.to_string(), &right.to_string()), left == right);
}

fn tag(bytes: &[u8]) -> EntityTag {
    let number = |range: std::ops::Range<usize>| {
        bytes[range].iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte))
    };
    EntityTag {
        stream_id: number(0..8),
        start: Offset::at(number(8..10)),
        end: Offset::at(number(10..12)),
        at_tail: bytes[12] & 1 == 0,
        closed: bytes[12] & 2 == 0,
    }
}

enum Listed<'a> {
    All,
    Tags(Vec<&'a str>),
}

/// The header by the grammar of RFC 9110, sections 5.6.1 and 13.1.2: empty elements do not count.
fn listed(header: &str) -> Option<Listed<'_>> {
    let header = header.trim_matches([' ', '\t']);
    if header == "*" {
        return Some(Listed::All);
    }
    let mut tags = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        if let Some(behind) = rest.strip_prefix(',') {
            rest = behind;
            continue;
        }
        if rest.is_empty() {
            return Some(Listed::Tags(tags));
        }
        let opaque = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"')?;
        let (tag, behind) = opaque.split_once('"')?;
        if !tag.chars().all(is_etag_character) {
            return None;
        }
        tags.push(tag);
        rest = behind.trim_start_matches([' ', '\t']);
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
    }
}

fn is_etag_character(character: char) -> bool {
    matches!(character, '!' | '#'..='~') || character >= '\u{80}'
}
