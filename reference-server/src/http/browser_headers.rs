//! What browsers need to be told (section 12.7), and CORS.

use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::{Response, ResponseBody};

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Methods that the protocol uses.
pub(super) const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, PUT, POST, DELETE, OPTIONS");

const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, cache-control, content-type, if-none-match, last-event-id, producer-epoch, producer-id, \
     producer-seq, stream-closed, stream-expires-at, stream-fork-offset, stream-fork-sub-offset, \
     stream-forked-from, stream-seq, stream-ttl",
);

const RESPONSE_HEADERS: HeaderValue = HeaderValue::from_static(
    "etag, location, producer-epoch, producer-expected-seq, producer-received-seq, producer-seq, stream-closed, \
     stream-cursor, stream-expires-at, stream-next-offset, stream-sse-data-encoding, stream-ttl, stream-up-to-date",
);

/// How long a browser may remember the answer to a preflight, in seconds.
const PREFLIGHT_LIFETIME: HeaderValue = HeaderValue::from_static("86400");

/// Adds what every response carries, errors included.
pub(super) fn add(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS);
}

/// The answer to `OPTIONS`.
pub(super) fn preflight() -> Response {
    let mut response = Response::new(ResponseBody::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_LIFETIME);
    response
}
