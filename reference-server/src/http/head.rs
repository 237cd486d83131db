//! `HEAD`: what is known of a stream (section 5.5).

use ::http::{HeaderValue, header};
use http_body::Body as _;

use super::{App, Response, ResponseBody, router::offset_value};
use crate::core::{error::Refusal, headers, path::StreamPath, store::Description, ttl::Expiry};

pub(super) fn answer(app: &App, path: &StreamPath<'_>) -> Result<Response, Refusal> {
    let description = app.store.describe(path.as_str(), app.now())?;
    Ok(respond(&description))
}

fn respond(description: &Description) -> Response {
    let mut response = Response::new(ResponseBody::Empty);
    let map = response.headers_mut();
    let content_type = HeaderValue::from_str(&description.content_type).expect("taken from a header");
    map.insert(header::CONTENT_TYPE, content_type);
    map.insert(headers::STREAM_NEXT_OFFSET, offset_value(description.tail));
    map.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if description.closed {
        map.insert(headers::STREAM_CLOSED, HeaderValue::from_static("true"));
    }
    match &description.expiry {
        Expiry::Never => {}
        Expiry::Sliding(ttl) => {
            map.insert(headers::STREAM_TTL, HeaderValue::from(ttl.seconds()));
        }
        Expiry::At(at) => {
            let text = HeaderValue::from_str(at.as_str()).expect("taken from a header");
            map.insert(headers::STREAM_EXPIRES_AT, text);
        }
    }
    response
}

/// An answer as it goes out to HEAD: it says how long its body would be, and has none. HTTP/1.1 would drop the body
/// by itself; in HTTP/2 it would tear the stream.
pub(super) fn without_body(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    if let Some(size) = body.size_hint().exact().filter(|size| *size > 0) {
        parts.headers.entry(header::CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(size));
    }
    Response::from_parts(parts, ResponseBody::Empty)
}
