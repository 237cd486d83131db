//! Entity tags of reads, and `If-None-Match` (section 10.1, RFC 9110 section 13.1.2).

use std::fmt;

use super::offset::Offset;
use crate::sabotage::{Switch, Switches};

/// Identifies one answer to one range of one stream.
///
/// It changes with the data, with closure, with the end of a page becoming or ceasing to be the
/// tail, and with the incarnation of the stream at its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntityTag {
    /// Unique to the stream, not to its path.
    pub stream_id: u64,
    /// Where the range begins.
    pub start: Offset,
    /// Where it ends.
    pub end: Offset,
    /// Whether the range reached the tail when it was read.
    pub at_tail: bool,
    /// Whether the stream was closed then.
    pub closed: bool,
}

impl EntityTag {
    /// The tag of a server that leaves something out of it.
    pub(crate) fn as_told(mut self, switches: Switches) -> Self {
        if switches.on(Switch::EtagLacksIncarnation) {
            self.stream_id = 0;
        }
        if switches.on(Switch::EtagLacksEnd) {
            (self.end, self.at_tail) = (self.start, true);
        }
        if switches.on(Switch::EtagLacksClosure) {
            self.closed = false;
        }
        self
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, end) = (self.start.position(), self.end.position());
        write!(formatter, "\"{:016x}:{start}:{end}", self.stream_id)?;
        if !self.at_tail {
            formatter.write_str(":p")?;
        }
        if self.closed {
            formatter.write_str(":c")?;
        }
        formatter.write_str("\"")
    }
}

/// Whether the value of an `If-None-Match` header names `current`: a list of tags, weak or not, or `*`.
///
/// The comparison is the weak one, as RFC 9110 asks for this header.
pub fn matches(if_none_match: &str, current: &str) -> bool {
    let mut rest = if_none_match.trim_matches(BLANKS);
    if rest == "*" {
        return true;
    }
    // Empty elements of a list do not count, the first ones included (RFC 9110 section 5.6.1).
    rest = rest.trim_start_matches(BETWEEN_TAGS);
    while !rest.is_empty() {
        let opaque = rest.strip_prefix("W/").unwrap_or(rest);
        let Some(end) = opaque.strip_prefix('"').and_then(|tag| tag.find('"')) else {
            return false;
        };
        let (tag, behind) = opaque.split_at(end + 2);
        if tag == current {
            return true;
        }
        rest = behind.trim_start_matches(BETWEEN_TAGS);
    }
    false
}

const BLANKS: [char; 2] = [' ', '\t'];
const BETWEEN_TAGS: [char; 3] = [' ', '\t', ','];

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: EntityTag = EntityTag {
        stream_id: 0xabc,
        start: Offset::START,
        end: Offset::START,
        at_tail: true,
        closed: false,
    };

    #[test]
    fn every_part_changes_the_tag() {
        let variations = [
            TAG,
            EntityTag { stream_id: 1, ..TAG },
            EntityTag { end: Offset::at(1), ..TAG },
            EntityTag { at_tail: false, ..TAG },
            EntityTag { closed: true, ..TAG },
        ];
        let mut texts = variations.map(|tag| tag.to_string()).to_vec();
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), variations.len());
        assert_eq!(TAG.to_string(), "\"0000000000000abc:0:0\"");
    }

    #[test]
    fn lists_weak_tags_and_the_asterisk_match() {
        let tag = "\"a:1\"";
        for header in [
            "\"a:1\"",
            " \"a:1\" ",
            "W/\"a:1\"",
            "\"x\", \"a:1\"",
            "\"x\",W/\"a:1\",\"y\"",
            "\"with, comma\" , \"a:1\"",
            ", ,\"a:1\"",
            "*",
        ] {
            assert!(matches(header, tag), "{header}");
        }
        for header in ["", "a:1", "\"a:1", "\"a\"", "w/\"a:1\"", "\"*\"", ",", "\"x\" \"", "W/"] {
            assert!(!matches(header, tag), "{header}");
        }
    }
}
