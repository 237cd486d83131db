//! `Stream-Seq`: order among writers, per stream (section 5.2).

use ::http::HeaderMap;

use super::{
    error::{Malformed, Refusal},
    headers::{self, single},
};
use crate::sabotage::{Switch, Switches};

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
    pub fn follows(&self, last: Option<&Self>, switches: Switches) -> Result<(), Refusal> {
        match last {
            Some(last) if !self.is_after(last, switches) => Err(Refusal::SequenceNotGreater),
            _ => Ok(()),
        }
    }

    fn is_after(&self, last: &Self, switches: Switches) -> bool {
        let numbers = (self.as_number(), last.as_number());
        match numbers {
            _ if switches.on(Switch::SeqLowerAccepted) => self != last,
            _ if switches.on(Switch::SeqEqualAccepted) => self >= last,
            _ if switches.on(Switch::SeqCaseFolded) => {
                self.0.to_ascii_lowercase() > last.0.to_ascii_lowercase()
            }
            (Some(own), Some(last)) if switches.on(Switch::SeqAsNumber) => own > last,
            _ => self > last,
        }
    }

    fn as_number(&self) -> Option<u64> {
        headers::digits(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follows(next: &str, last: &str) -> bool {
        let seq = |text: &str| StreamSeq(text.as_bytes().into());
        seq(next).follows(Some(&seq(last)), Switches::NONE).is_ok()
    }

    #[test]
    fn values_are_compared_as_bytes() {
        for (last, next) in [("09", "10"), ("B", "a"), ("a", "aa"), ("Z", "_")] {
            assert!(follows(next, last), "{next} after {last}");
            assert!(!follows(last, next), "{last} after {next}");
        }
        assert!(!follows("10", "2"));
        assert!(!follows("a", "a"));
        assert!(StreamSeq(Box::default()).follows(None, Switches::NONE).is_ok());
    }
}
