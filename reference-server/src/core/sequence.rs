//! `Stream-Seq`: order among writers, per stream (section 5.2).

use ::http::HeaderMap;

use super::{
    error::{Malformed, Refusal},
    headers::{self, single},
};

/// An opaque sequence value, ordered byte by byte.
///
/// This server keeps one last value per stream, whoever writes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamSeq(Box<[u8]>);

impl StreamSeq {
    /// Reads the header, if it is there.
    ///
    /// # Errors
    /// The header occurs several times.
    pub fn parse(headers: &HeaderMap) -> Result<Option<Self>, Malformed> {
        let value = single(headers, &headers::STREAM_SEQ, "Stream-Seq")?;
        Ok(value.map(|value| Self(value.as_bytes().into())))
    }

    /// Whether the value may follow the last accepted one.
    ///
    /// # Errors
    /// [`Refusal::SequenceNotGreater`] unless it is strictly greater.
    pub fn follows(&self, last: Option<&Self>) -> Result<(), Refusal> {
        match last {
            Some(last) if self <= last => Err(Refusal::SequenceNotGreater),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follows(next: &str, last: &str) -> bool {
        let seq = |text: &str| StreamSeq(text.as_bytes().into());
        seq(next).follows(Some(&seq(last))).is_ok()
    }

    #[test]
    fn values_are_compared_as_bytes() {
        for (last, next) in [("09", "10"), ("B", "a"), ("a", "aa"), ("Z", "_")] {
            assert!(follows(next, last), "{next} after {last}");
            assert!(!follows(last, next), "{last} after {next}");
        }
        assert!(!follows("10", "2"));
        assert!(!follows("a", "a"));
        assert!(StreamSeq(Box::default()).follows(None).is_ok());
    }
}
