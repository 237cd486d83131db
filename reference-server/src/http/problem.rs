//! Refusals as HTTP: a status, the headers that the protocol asks for, and a body in the form of
//! RFC 9457.

use ::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;

use super::{Response, ResponseBody};
use crate::core::{error::Refusal, headers, offset_form::OffsetForm};

#[derive(Serialize)]
struct Problem<'a> {
    title: &'a str,
    status: u16,
    detail: &'a str,
}

/// An error response that says in words what is wrong.
pub fn problem(status: StatusCode, detail: &str) -> Response {
    let problem =
        Problem { title: status.canonical_reason().unwrap_or("Error"), status: status.as_u16(), detail };
    let text = serde_json::to_vec(&problem).expect("plain strings and a number");
    let mut response = Response::new(ResponseBody::from(bytes::Bytes::from(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pub(super) fn refuse(refusal: &Refusal, offsets: OffsetForm) -> Response {
    let mut response = problem(status_of(refusal), &refusal.to_string());
    add_details(refusal, offsets, response.headers_mut());
    response
}

fn status_of(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Malformed(_)
        | Refusal::EpochMustStartAtZero
        | Refusal::ForkOffsetBeyondTail
        | Refusal::SubOffsetTooFar
        | Refusal::OffsetBeyondTail
        | Refusal::OffsetNotABoundary => StatusCode::BAD_REQUEST,
        Refusal::StaleEpoch { .. } => StatusCode::FORBIDDEN,
        Refusal::NotFound | Refusal::SourceNotFound => StatusCode::NOT_FOUND,
        Refusal::BodyTimedOut => StatusCode::REQUEST_TIMEOUT,
        Refusal::PathBlocked
        | Refusal::ConfigurationDiffers
        | Refusal::ContentTypeDiffers
        | Refusal::Closed { .. }
        | Refusal::SequenceNotGreater
        | Refusal::SequenceGap { .. }
        | Refusal::SourceGone => StatusCode::CONFLICT,
        Refusal::Gone => StatusCode::GONE,
        Refusal::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::TooManyStreams | Refusal::MemoryExhausted(_) => StatusCode::INSUFFICIENT_STORAGE,
    }
}

fn add_details(refusal: &Refusal, offsets: OffsetForm, map: &mut HeaderMap) {
    match refusal {
        Refusal::Closed { final_offset } => {
            map.insert(headers::STREAM_CLOSED, HeaderValue::from_static("true"));
            map.insert(headers::STREAM_NEXT_OFFSET, super::router::offset_value(*final_offset, offsets));
        }
        Refusal::StaleEpoch { current } => {
            map.insert(headers::PRODUCER_EPOCH, HeaderValue::from(*current));
        }
        Refusal::SequenceGap { expected, received } => {
            map.insert(headers::PRODUCER_EXPECTED_SEQ, HeaderValue::from(*expected));
            map.insert(headers::PRODUCER_RECEIVED_SEQ, HeaderValue::from(*received));
        }
        Refusal::BodyTooLarge { .. } | Refusal::BodyTimedOut => {
            map.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
}
