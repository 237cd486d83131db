//! `Cache-Control` of reads, and conditional requests (section 10.1).

use ::http::{HeaderMap, HeaderValue, header};
use jiff::Timestamp;

use crate::{config::CacheVisibility, core::entity_tag};

const FRESH_SECONDS: i64 = 60;
const STALE_SECONDS: i64 = 300;

/// What a read may be cached for: never past the end of the stream's life.
pub(super) fn cache_control(
    visibility: CacheVisibility,
    deadline: Option<Timestamp>,
    now: Timestamp,
) -> HeaderValue {
    let (visibility, endless) = match visibility {
        CacheVisibility::Public => ("public", "public, max-age=60, stale-while-revalidate=300"),
        CacheVisibility::Private => ("private", "private, max-age=60, stale-while-revalidate=300"),
    };
    let Some(deadline) = deadline else {
        return HeaderValue::from_static(endless);
    };
    let remaining = deadline.duration_since(now).as_secs().max(0);
    let fresh = remaining.min(FRESH_SECONDS);
    let stale = (remaining - fresh).min(STALE_SECONDS);
    let text = format!("{visibility}, max-age={fresh}, stale-while-revalidate={stale}");
    HeaderValue::from_str(&text).expect("words and numbers")
}

/// Whether the client holds the answer already.
pub(super) fn client_has(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| entity_tag::matches(value, tag))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn freshness_ends_with_the_stream() {
        let now = Timestamp::UNIX_EPOCH;
        let control = |seconds: Option<i64>| {
            let deadline = seconds.map(|seconds| now + SignedDuration::from_secs(seconds));
            cache_control(CacheVisibility::Public, deadline, now)
        };
        assert_eq!(control(None), "public, max-age=60, stale-while-revalidate=300");
        assert_eq!(control(Some(1_000_000)), control(None));
        assert_eq!(control(Some(100)), "public, max-age=60, stale-while-revalidate=40");
        assert_eq!(control(Some(20)), "public, max-age=20, stale-while-revalidate=0");
        assert_eq!(control(Some(-5)), "public, max-age=0, stale-while-revalidate=0");
    }
}
