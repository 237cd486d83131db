//! Glob patterns over stream paths (section 6.2).
//!
//! Not `globset`: there `**` needs a slash on one side to cross segments, `events/**` leaves out `events`, and
//! `?`, `[`, `{` and `\` have meanings of their own. Here a pattern is a list of segments and nothing else.

use thiserror::Error;

use crate::sabotage::{Switch, Switches};

const LONGEST_PATTERN_BYTES: usize = 2048;

/// `*` stands for exactly one path segment, `**` for any number of them including none, and every other segment
/// for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    One,
    AnyNumber,
}

#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum PatternError {
    #[error("pattern must not be empty")]
    Empty,
    #[error("pattern must not be longer than {LONGEST_PATTERN_BYTES} bytes")]
    TooLong,
    #[error("in pattern, * and ** stand for whole path segments only")]
    PartialSegment,
}

impl Pattern {
    /// Reads a pattern; slashes at its ends do not count.
    ///
    /// # Errors
    ///
    /// Besides an empty pattern, one where `*` stands beside other characters is refused: the protocol gives it
    /// no meaning, and taking it literally would leave its author waiting for matches.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let text = text.trim_matches('/');
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        if text.len() > LONGEST_PATTERN_BYTES {
            return Err(PatternError::TooLong);
        }
        let segments = text.split('/').map(Segment::parse).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), segments })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn matches(&self, path: &str, switches: Switches) -> bool {
        let path: Vec<&str> = path.split('/').collect();
        let (mut at, mut taken) = (0, 0);
        // Only the last `**` seen has to be widened after a mismatch: all before it is settled. That keeps the
        // work at pattern length times path length, however many `**` there are.
        let mut widen: Option<(usize, usize)> = None;
        while taken < path.len() {
            match self.segments.get(at) {
                Some(Segment::AnyNumber) if switches.on(Switch::GlobTakesRest) => return true,
                Some(Segment::AnyNumber) => {
                    at += 1;
                    widen = Some((at, taken));
                }
                Some(segment) if segment.takes(path[taken], switches) => {
                    at += 1;
                    taken += 1;
                }
                _ => {
                    let Some((after, from)) = widen else {
                        return false;
                    };
                    widen = Some((after, from + 1));
                    at = after;
                    taken = from + 1;
                }
            }
        }
        self.segments[at..].iter().all(|segment| *segment == Segment::AnyNumber)
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, PatternError> {
        match text {
            "*" => Ok(Self::One),
            "**" => Ok(Self::AnyNumber),
            _ if text.contains('*') => Err(PatternError::PartialSegment),
            _ => Ok(Self::Literal(text.to_owned())),
        }
    }

    fn takes(&self, segment: &str, switches: Switches) -> bool {
        match self {
            Self::Literal(text) => text == segment || resembles(text, segment, switches),
            Self::One => true,
            Self::AnyNumber => false,
        }
    }
}

/// Whether a faulty server takes a segment for a literal one.
fn resembles(text: &str, segment: &str, switches: Switches) -> bool {
    let is_like = |(given, held): (char, char)| given == held || given == '.';
    let dots =
        || text.chars().count() == segment.chars().count() && text.chars().zip(segment.chars()).all(is_like);
    (switches.on(Switch::GlobCaseFolded) && text.eq_ignore_ascii_case(segment))
        || (switches.on(Switch::GlobByPrefix) && segment.starts_with(text))
        || (switches.on(Switch::GlobDotIsAnything) && dots())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(path, Switches::NONE)
    }

    #[test]
    fn one_star_is_one_segment() {
        assert!(matches("events/*", "events/a"));
        assert!(!matches("events/*", "events"));
        assert!(!matches("events/*", "events/a/b"));
        assert!(!matches("events/*", "other/events/a"));
        assert!(matches("*/b/*", "a/b/c"));
    }

    #[test]
    fn two_stars_are_any_number_of_segments() {
        for path in ["events", "events/a", "events/a/b"] {
            assert!(matches("events/**", path), "{path}");
        }
        assert!(matches("a/**/z", "a/z"));
        assert!(matches("a/**/z", "a/b/c/z"));
        assert!(!matches("a/**/z", "a/b/c"));
        assert!(matches("**", "a/b"));
        assert!(matches("**/a/**/a", "x/a/a/b/a"));
        assert!(!matches("**/a/*/a", "x/a/a"));
    }

    #[test]
    fn other_glob_characters_stand_for_themselves() {
        assert!(matches("a?/[b]/{c,d}", "a?/[b]/{c,d}"));
        assert!(!matches("a?", "ab"));
    }

    #[test]
    fn a_star_within_a_segment_is_refused() {
        for pattern in ["ev*", "*s/a", "a/***", "a**"] {
            assert_eq!(Pattern::parse(pattern), Err(PatternError::PartialSegment), "{pattern}");
        }
        assert_eq!(Pattern::parse("/"), Err(PatternError::Empty));
    }

    /// The definition itself: tries every way to spread the path over the pattern.
    fn by_definition(pattern: &[Segment], path: &[&str]) -> bool {
        match pattern.split_first() {
            None => path.is_empty(),
            Some((Segment::AnyNumber, rest)) => {
                (0..=path.len()).any(|taken| by_definition(rest, &path[taken..]))
            }
            Some((segment, rest)) => path.split_first().is_some_and(|(first, others)| {
                segment.takes(first, Switches::NONE) && by_definition(rest, others)
            }),
        }
    }

    proptest! {
        #[test]
        fn matching_agrees_with_the_definition(
            pattern in "(a|b|\\*|\\*\\*)(/(a|b|\\*|\\*\\*)){0,5}",
            path in "[ab](/[ab]){0,6}",
        ) {
            let pattern = Pattern::parse(&pattern).unwrap();
            let segments: Vec<&str> = path.split('/').collect();
            prop_assert_eq!(pattern.matches(&path, Switches::NONE), by_definition(&pattern.segments, &segments));
        }
    }
}
