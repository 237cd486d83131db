//! Stream paths as they stand in subscription bodies.

use serde::Serialize;
use thiserror::Error;

use crate::core::path::RESERVED_SEGMENT;

const LONGEST_PATH_BYTES: usize = 2048;

/// Path of an application stream relative to the stream root, without slashes at its ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub(super) struct StreamPath(String);

#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(super) enum PathError {
    #[error("a stream path must not be empty")]
    Empty,
    #[error("a stream path must not be longer than {LONGEST_PATH_BYTES} bytes")]
    TooLong,
    #[error("a stream path must not hold control characters")]
    ControlCharacter,
    #[error("paths below {RESERVED_SEGMENT} are reserved")]
    Reserved,
}

impl StreamPath {
    pub(super) fn parse(text: &str) -> Result<Self, PathError> {
        let path = text.trim_matches('/');
        if path.is_empty() {
            return Err(PathError::Empty);
        }
        if path.len() > LONGEST_PATH_BYTES {
            return Err(PathError::TooLong);
        }
        if path.chars().any(char::is_control) {
            return Err(PathError::ControlCharacter);
        }
        if path.split('/').next() == Some(RESERVED_SEGMENT) {
            return Err(PathError::Reserved);
        }
        Ok(Self(path.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_at_the_ends_do_not_count() {
        assert_eq!(StreamPath::parse("/events/a/"), StreamPath::parse("events/a"));
        assert_eq!(StreamPath::parse("a//b").unwrap().as_str(), "a//b");
    }

    #[test]
    fn what_can_be_no_stream_is_refused() {
        assert_eq!(StreamPath::parse("//"), Err(PathError::Empty));
        assert_eq!(StreamPath::parse("a\nb"), Err(PathError::ControlCharacter));
        assert_eq!(StreamPath::parse("__ds/x"), Err(PathError::Reserved));
        assert_eq!(StreamPath::parse(&"a".repeat(2049)), Err(PathError::TooLong));
        assert!(StreamPath::parse("__dsx/a").is_ok());
        assert!(StreamPath::parse("a/__ds").is_ok());
    }
}
