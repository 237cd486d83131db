//! Names of the protocol's headers (section 13.2), and the reading of single-valued ones.

use ::http::{HeaderMap, HeaderName, HeaderValue};

use super::error::Malformed;

macro_rules! header_names {
    ($($constant:ident = $lower:literal),+ $(,)?) => {
        $(#[doc = concat!("`", $lower, "`")] pub const $constant: HeaderName = HeaderName::from_static($lower);)+
    };
}

header_names! {
    STREAM_NEXT_OFFSET = "stream-next-offset",
    STREAM_UP_TO_DATE = "stream-up-to-date",
    STREAM_CLOSED = "stream-closed",
    STREAM_CURSOR = "stream-cursor",
    STREAM_SEQ = "stream-seq",
    STREAM_TTL = "stream-ttl",
    STREAM_EXPIRES_AT = "stream-expires-at",
    STREAM_FORKED_FROM = "stream-forked-from",
    STREAM_FORK_OFFSET = "stream-fork-offset",
    STREAM_FORK_SUB_OFFSET = "stream-fork-sub-offset",
    STREAM_SSE_DATA_ENCODING = "stream-sse-data-encoding",
    PRODUCER_ID = "producer-id",
    PRODUCER_EPOCH = "producer-epoch",
    PRODUCER_SEQ = "producer-seq",
    PRODUCER_EXPECTED_SEQ = "producer-expected-seq",
    PRODUCER_RECEIVED_SEQ = "producer-received-seq",
}

/// Whether `Stream-Closed` is present, which it is with the value `true` in any case and with no
/// other (section 4.1).
pub fn stream_closed(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(STREAM_CLOSED).iter();
    values.next().is_some_and(means_closed) && values.next().is_none()
}

fn means_closed(value: &HeaderValue) -> bool {
    value.as_bytes().eq_ignore_ascii_case(b"true")
}

/// The value of a header that may occur once.
///
/// # Errors
/// The header occurs several times.
pub(crate) fn single<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    canonical: &'static str,
) -> Result<Option<&'a HeaderValue>, Malformed> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    match values.next() {
        None => Ok(first),
        Some(_) => Err(Malformed::RepeatedHeader(canonical)),
    }
}

/// Digits only, without a leading zero, within 64 bits.
pub(crate) fn plain_integer(value: &[u8]) -> Option<u64> {
    let leading_zero = value.len() > 1 && value[0] == b'0';
    if leading_zero {
        return None;
    }
    digits(value)
}

/// Digits only, within 64 bits.
pub(crate) fn digits(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_true_closes() {
        let closes = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(STREAM_CLOSED, HeaderValue::from_static(value));
            stream_closed(&headers)
        };
        for value in ["true", "TRUE", "True", "tRuE"] {
            assert!(closes(value), "{value}");
        }
        for value in ["false", "yes", "1", "", "true,true", "truee"] {
            assert!(!closes(value), "{value}");
        }
        assert!(!stream_closed(&HeaderMap::new()));
    }

    #[test]
    fn integers_are_plain_digits() {
        assert_eq!(plain_integer(b"0"), Some(0));
        assert_eq!(plain_integer(b"3600"), Some(3600));
        for text in ["", "00", "03600", "+1", "-1", "1.0", "1e3", "0x10", "12 34"] {
            assert_eq!(plain_integer(text.as_bytes()), None, "{text}");
        }
        assert_eq!(plain_integer(&[b'9'; 40]), None);
        assert_eq!(digits(b"007"), Some(7));
    }
}
