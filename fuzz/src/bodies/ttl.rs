//! `Stream-TTL`: plain digits and nothing else, and the window that they open.

use ::http::{HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use streamgauge_reference_server::core::{
    headers::STREAM_TTL,
    ttl::{Expiry, Ttl},
};

pub fn run(data: &[u8]) {
    let parsed = Ttl::parse(data).ok().map(Ttl::seconds);
    assert_eq!(parsed, meant_by(data), "{:?}", String::from_utf8_lossy(data));
    let Ok(value) = HeaderValue::from_bytes(data) else { return };
    let mut headers = HeaderMap::with_capacity(1);
    headers.insert(STREAM_TTL, value.clone());
    let expiry = Expiry::parse(&headers).ok().flatten();
    assert_eq!(expiry.is_some(), parsed.is_some(), "the header is read as its value is");
    if let (Some(expiry), Some(seconds)) = (expiry, parsed) {
        assert!(matches!(expiry, Expiry::Sliding(ttl) if ttl.seconds() == seconds));
        window(&expiry, seconds);
    }
    headers.append(STREAM_TTL, value);
    assert!(Expiry::parse(&headers).is_err(), "a doubled header is refused");
}

/// One digit, or digits that begin with none that is 0, as far as 64 bits go.
fn meant_by(data: &[u8]) -> Option<u64> {
    if data.is_empty() || data.len() > 20 || (data[0] == b'0' && data.len() > 1) {
        return None;
    }
    let sum = data
        .iter()
        .try_fold(0_u128, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u128::from(byte - b'0')))?;
    u64::try_from(sum).ok()
}

/// The stream ends exactly that many seconds after its last use, unless the calendar ends before.
fn window(expiry: &Expiry, seconds: u64) {
    let last_use = Timestamp::UNIX_EPOCH;
    let left = Timestamp::MAX.duration_since(last_use).as_secs();
    match expiry.deadline(last_use) {
        Some(deadline) => {
            let window = i64::try_from(seconds).map(SignedDuration::from_secs);
            assert_eq!(Ok(deadline.duration_since(last_use)), window);
        }
        None => assert!(i64::try_from(seconds).is_ok_and(|seconds| seconds >= left) || seconds > left as u64),
    }
}
