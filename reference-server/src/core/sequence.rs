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
        let (own, other) = (&*self.0, &*last.0);
        if switches == Switches::NONE {
            own > other
        } else if switches.on(Switch::SeqLowerAccepted) {
            own != other
        } else if switches.on(Switch::SeqEqualAccepted) {
            own >= other
        } else if switches.on(Switch::SeqCaseFolded) {
            own.to_ascii_lowercase() > other.to_ascii_lowercase()
        } else if switches.on(Switch::SeqUpperCased) {
            own.to_ascii_uppercase() > other.to_ascii_uppercase()
        } else if switches.on(Switch::SeqDescending) {
            own < other
        } else if switches.on(Switch::SeqByCommonPrefix) {
            let shorter = own.len().min(other.len());
            own[..shorter] > other[..shorter]
        } else if switches.on(Switch::SeqAsNumber) {
            match (as_number(own), as_number(other)) {
                (Some(own), Some(other)) => own > other,
                _ => own > other,
            }
        } else {
            own > other
        }
    }
}

fn as_number(value: &[u8]) -> Option<f64> {
    std::str::from_utf8(value).ok()?.parse().ok()
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
