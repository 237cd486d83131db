//! When streams expire: a sliding window, or an instant (section 5.1).

use ::http::HeaderMap;
use jiff::{SignedDuration, Timestamp};

use super::{
    error::Malformed,
    headers::{self, plain_integer, single},
};

/// A window of idleness in seconds; every read and write restarts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ttl(u64);

impl Ttl {
    /// Reads a `Stream-TTL` value.
    ///
    /// # Errors
    /// Anything but decimal digits without a leading zero, or more than 64 bits hold.
    pub fn parse(value: &[u8]) -> Result<Self, Malformed> {
        plain_integer(value).map(Self).ok_or(Malformed::Ttl)
    }

    /// The window.
    pub fn seconds(self) -> u64 {
        self.0
    }
}

/// An instant, in the spelling of its sender. Equal when the instants are.
#[derive(Clone, Debug)]
pub struct ExpiresAt {
    instant: Timestamp,
    text: Box<str>,
}

impl ExpiresAt {
    /// Reads a `Stream-Expires-At` value.
    ///
    /// # Errors
    /// Anything but an RFC 3339 timestamp.
    pub fn parse(value: &str) -> Result<Self, Malformed> {
        let instant = rfc3339(value).ok_or(Malformed::ExpiresAt)?;
        Ok(Self { instant, text: value.into() })
    }

    /// The instant at which the stream is gone.
    pub fn instant(&self) -> Timestamp {
        self.instant
    }

    /// The text it was read from.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for ExpiresAt {
    fn eq(&self, other: &Self) -> bool {
        self.instant == other.instant
    }
}

impl Eq for ExpiresAt {}

/// What makes a stream expire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Nothing.
    Never,
    /// Idleness.
    Sliding(Ttl),
    /// The clock.
    At(ExpiresAt),
}

impl Expiry {
    /// Reads both expiry headers; `None` when neither is there.
    ///
    /// # Errors
    /// A malformed value, or both headers at once.
    pub fn parse(headers: &HeaderMap) -> Result<Option<Self>, Malformed> {
        let ttl = single(headers, &headers::STREAM_TTL, "Stream-TTL")?;
        let at = single(headers, &headers::STREAM_EXPIRES_AT, "Stream-Expires-At")?;
        match (ttl, at) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(Malformed::TwoExpiries),
            (Some(ttl), None) => Ttl::parse(ttl.as_bytes()).map(|ttl| Some(Self::Sliding(ttl))),
            (None, Some(at)) => {
                let text = at.to_str().map_err(|_| Malformed::ExpiresAt)?;
                ExpiresAt::parse(text).map(|at| Some(Self::At(at)))
            }
        }
    }

    /// The first instant at which a stream that was last used at `last_use` is gone; `None` for never.
    pub fn deadline(&self, last_use: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Never => None,
            Self::Sliding(ttl) => {
                // A window that leads beyond the calendar never ends.
                let window = SignedDuration::from_secs(i64::try_from(ttl.0).ok()?);
                last_use.checked_add(window).ok()
            }
            Self::At(at) => Some(at.instant),
        }
    }
}

/// Jiff reads more than RFC 3339 (blanks for the T, missing parts, zone annotations) and fewer
/// fractional digits, so the shape is checked here and the calendar there.
fn rfc3339(value: &str) -> Option<Timestamp> {
    const DATE_TIME: &[u8] = b"0000-00-00T00:00:00";
    let bytes = value.as_bytes();
    let (date_time, rest) = bytes.split_at_checked(DATE_TIME.len())?;
    let fits = |(byte, model): (&u8, &u8)| match model {
        b'0' => byte.is_ascii_digit(),
        other => byte.eq_ignore_ascii_case(other),
    };
    if !date_time.iter().zip(DATE_TIME).all(fits) {
        return None;
    }
    let (fraction, zone) = split_fraction(rest)?;
    let zone_is_whole = match zone {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', offset @ ..] => is_zone_offset(offset, fits),
        _ => false,
    };
    if !zone_is_whole {
        return None;
    }
    let nanoseconds = &fraction[..fraction.len().min(".000000000".len())];
    let text = [date_time, nanoseconds, zone].concat().to_ascii_uppercase();
    std::str::from_utf8(&text).ok()?.parse().ok()
}

/// Hours and minutes of one day: jiff would take a day and more.
fn is_zone_offset(offset: &[u8], fits: impl Fn((&u8, &u8)) -> bool) -> bool {
    offset.len() == 5 && offset.iter().zip(b"00:00").all(fits) && offset < b"24".as_slice()
}

fn split_fraction(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let Some(after_point) = rest.strip_prefix(b".") else {
        return Some((&[], rest));
    };
    let digits = after_point.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (digits > 0).then(|| rest.split_at(1 + digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_plain_digits() {
        assert_eq!(Ttl::parse(b"3600").map(Ttl::seconds), Ok(3600));
        assert_eq!(Ttl::parse(b"0").map(Ttl::seconds), Ok(0));
        for text in ["+3600", "03600", "3600.0", "3.6e3", "1e3", "-1", "abc", "0x10", "12 34", ""] {
            assert_eq!(Ttl::parse(text.as_bytes()), Err(Malformed::Ttl), "{text:?}");
        }
    }

    #[test]
    fn instants_are_rfc_3339() {
        let instant = |text: &str| ExpiresAt::parse(text).unwrap().instant();
        let noon: Timestamp = "2030-01-02T12:00:00Z".parse().unwrap();
        for same in [
            "2030-01-02T12:00:00Z",
            "2030-01-02t12:00:00z",
            "2030-01-02T12:00:00+00:00",
            "2030-01-02T12:00:00-00:00",
            "2030-01-02T17:30:00+05:30",
            "2030-01-02T12:00:00.000Z",
            "2030-01-02T12:00:00.000000000000Z",
        ] {
            assert_eq!(instant(same), noon, "{same}");
        }
        for other in [
            "",
            "not-a-timestamp",
            "2030-01-02",
            "1893585600",
            "2030-01-02 12:00:00Z",
            "2030-01-02T12:00:00",
            "2030-01-02T12:00Z",
            "2030-01-02T12:00:00.Z",
            "2030-01-02T12:00:00+0530",
            "2030-01-02T12:00:00+24:00",
            "2030-01-02T12:00:00-25:59",
            "2030-01-02T12:00:00Z[UTC]",
            "2030-13-02T12:00:00Z",
            "2030-01-02T25:00:00Z",
            "2030-01-02T12:00:00é",
        ] {
            assert_eq!(ExpiresAt::parse(other), Err(Malformed::ExpiresAt), "{other}");
        }
    }

    #[test]
    fn spelling_does_not_distinguish_instants() {
        let zulu = ExpiresAt::parse("2030-01-02T12:00:00Z");
        assert_eq!(zulu, ExpiresAt::parse("2030-01-02T12:00:00+00:00"));
        assert_ne!(zulu, ExpiresAt::parse("2030-01-02T12:00:01Z"));
    }

    #[test]
    fn deadlines() {
        let now = Timestamp::UNIX_EPOCH;
        let window = |seconds| Expiry::Sliding(Ttl(seconds)).deadline(now);
        assert_eq!(Expiry::Never.deadline(now), None);
        assert_eq!(window(0), Some(now));
        assert_eq!(window(60), Some(now + SignedDuration::from_secs(60)));
        assert_eq!(window(u64::MAX), None);
        assert_eq!(window(i64::MAX as u64), None);
    }
}
