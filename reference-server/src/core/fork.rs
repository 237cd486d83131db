//! Fork headers, and where a fork branches off (section 4.2).

mod faults;

use ::http::{HeaderMap, HeaderName};

use super::{
    error::{Malformed, Refusal},
    headers::{self, plain_integer, single},
    log::Log,
    offset::Offset,
    offset_form::OffsetForm,
};
use crate::sabotage::Switches;

/// The fork headers of a `PUT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForkHeaders {
    /// The URL path of the source, as it was sent.
    pub source: Box<str>,
    /// The divergence point; `None` for the source's tail.
    pub offset: Option<Offset>,
    /// Bytes or messages to inherit past the divergence point.
    pub sub_offset: u64,
}

impl ForkHeaders {
    /// Reads the headers; `None` when the request creates no fork.
    ///
    /// # Errors
    /// A malformed value, or a divergence point without a source.
    pub fn parse(headers: &HeaderMap) -> Result<Option<Self>, Malformed> {
        Self::parse_with(headers, OffsetForm::default())
    }

    /// The same where offsets are spelled in that form.
    ///
    /// # Errors
    /// Likewise.
    pub fn parse_with(headers: &HeaderMap, form: OffsetForm) -> Result<Option<Self>, Malformed> {
        let text = |name: &HeaderName, canonical, otherwise: Malformed| {
            let value = single(headers, name, canonical)?;
            value.map(|value| value.to_str().map_err(|_| otherwise)).transpose()
        };
        let source = text(&headers::STREAM_FORKED_FROM, "Stream-Forked-From", Malformed::ForkSource)?;
        let offset = text(&headers::STREAM_FORK_OFFSET, "Stream-Fork-Offset", Malformed::ForkOffset)?;
        let sub_offset =
            text(&headers::STREAM_FORK_SUB_OFFSET, "Stream-Fork-Sub-Offset", Malformed::ForkSubOffset)?;
        let Some(source) = source else {
            return match (offset, sub_offset) {
                (None, None) => Ok(None),
                (Some(_), _) => Err(Malformed::ForkSourceMissing("Stream-Fork-Offset")),
                (None, Some(_)) => Err(Malformed::ForkSourceMissing("Stream-Fork-Sub-Offset")),
            };
        };
        let offset = offset.map(|token| form.read(token).map_err(|_| Malformed::ForkOffset)).transpose()?;
        let sub_offset = sub_offset
            .map(|count| plain_integer(count.as_bytes()).ok_or(Malformed::ForkSubOffset))
            .transpose()?;
        Ok(Some(Self { source: source.into(), offset, sub_offset: sub_offset.unwrap_or(0) }))
    }
}

/// The divergence point that was asked for: a stream's configuration remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForkRequest {
    /// The path of the source, relative to the stream root.
    pub source: Box<str>,
    /// The divergence point; `None` for the tail of the source.
    pub offset: Option<Offset>,
    /// Bytes or messages past it.
    pub sub_offset: u64,
}

/// The position as many bytes or messages behind `anchor` as `request` asks for, in one log.
///
/// # Errors
/// The anchor is no boundary of the log, or the sub-offset leaves the append that follows it.
pub(crate) fn refine(
    log: &Log,
    anchor: Offset,
    request: &ForkRequest,
    switches: Switches,
) -> Result<Offset, Refusal> {
    let sub_offset = request.sub_offset;
    if !log.may_cut_at(anchor) {
        return Err(Refusal::OffsetNotABoundary);
    }
    if switches != Switches::NONE
        && let Some(misplaced) = faults::misplace(log, anchor, request, switches)
    {
        return misplaced;
    }
    if sub_offset == 0 {
        return Ok(anchor);
    }
    log.advance(anchor, sub_offset).ok_or(Refusal::SubOffsetTooFar)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::http::HeaderValue;

    fn parse(pairs: &[(HeaderName, &str)]) -> Result<Option<ForkHeaders>, Malformed> {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.insert(name, HeaderValue::from_str(value).unwrap());
        }
        ForkHeaders::parse(&map)
    }

    #[test]
    fn a_source_alone_forks_at_its_tail() {
        let parsed = parse(&[(headers::STREAM_FORKED_FROM, "/v1/stream/a")]);
        let expected = ForkHeaders { source: "/v1/stream/a".into(), offset: None, sub_offset: 0 };
        assert_eq!(parsed, Ok(Some(expected)));
        assert_eq!(parse(&[]), Ok(None));
    }

    #[test]
    fn a_divergence_point_needs_a_source() {
        for name in [headers::STREAM_FORK_OFFSET, headers::STREAM_FORK_SUB_OFFSET] {
            assert!(matches!(parse(&[(name, "0")]), Err(Malformed::ForkSourceMissing(_))));
        }
    }

    #[test]
    fn malformed_points_are_refused() {
        for bad in ["-1", "now", "0,1", "a/b", "9999999999999999_9999999999999999"] {
            let parsed = parse(&[(headers::STREAM_FORKED_FROM, "/a"), (headers::STREAM_FORK_OFFSET, bad)]);
            assert_eq!(parsed, Err(Malformed::ForkOffset), "{bad}");
        }
        for bad in ["-1", "abc", "1.5", "05", "+1", ""] {
            let parsed =
                parse(&[(headers::STREAM_FORKED_FROM, "/a"), (headers::STREAM_FORK_SUB_OFFSET, bad)]);
            assert_eq!(parsed, Err(Malformed::ForkSubOffset), "{bad}");
        }
    }
}
