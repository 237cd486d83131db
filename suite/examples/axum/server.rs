//! Streams in memory: created, appended to, read, deleted. No more of the protocol than that.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::put,
};

const NEXT_OFFSET: HeaderName = HeaderName::from_static("stream-next-offset");
const UP_TO_DATE: HeaderName = HeaderName::from_static("stream-up-to-date");
const SEQ: HeaderName = HeaderName::from_static("stream-seq");
const DEFAULT_TYPE: &str = "application/octet-stream";
const LARGEST_BODY: usize = 16 << 20;

type Streams = Arc<Mutex<Store>>;

#[derive(Default)]
struct Store {
    streams: HashMap<String, Stream>,
    /// How many streams there have ever been: a new one at an old URL is another one.
    created: u64,
}

struct Stream {
    number: u64,
    content_type: String,
    data: Vec<u8>,
    last_seq: Option<HeaderValue>,
}

/// The routes below `/v1/stream`.
pub(crate) fn router() -> Router {
    let stream = put(create).post(append).get(read).head(head).delete(delete);
    Router::new()
        .route("/v1/stream/{*path}", stream)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(Streams::default())
}

async fn create(
    State(store): State<Streams>,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut store = lock(&store);
    let wanted = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let wanted = wanted.filter(|text| !text.is_empty()).unwrap_or(DEFAULT_TYPE).to_owned();
    if let Some(stream) = store.streams.get(&path) {
        return match same_type(&stream.content_type, &wanted) {
            true => (StatusCode::OK, stream.headers()).into_response(),
            false => StatusCode::CONFLICT.into_response(),
        };
    }
    store.created += 1;
    let stream = Stream { number: store.created, content_type: wanted, data: body.to_vec(), last_seq: None };
    let mut answer = stream.headers();
    if let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok())
        && let Ok(location) = HeaderValue::from_str(&format!("http://{host}/v1/stream/{path}"))
    {
        answer.insert(header::LOCATION, location);
    }
    store.streams.insert(path, stream);
    (StatusCode::CREATED, answer).into_response()
}

async fn append(
    State(store): State<Streams>,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut store = lock(&store);
    let Some(stream) = store.streams.get_mut(&path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if body.is_empty() {
        return (StatusCode::BAD_REQUEST, "an append has a body").into_response();
    }
    let Some(content_type) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return (StatusCode::BAD_REQUEST, "an append has a Content-Type").into_response();
    };
    if !same_type(&stream.content_type, content_type) {
        return (StatusCode::CONFLICT, "the stream has another Content-Type").into_response();
    }
    if let Some(seq) = headers.get(&SEQ) {
        if stream.last_seq.as_ref().is_some_and(|last| seq.as_bytes() <= last.as_bytes()) {
            return (StatusCode::CONFLICT, "Stream-Seq does not go on").into_response();
        }
        stream.last_seq = Some(seq.clone());
    }
    stream.data.extend_from_slice(&body);
    (StatusCode::NO_CONTENT, [(NEXT_OFFSET, stream.offset(stream.data.len()))]).into_response()
}

async fn read(
    State(store): State<Streams>,
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let store = lock(&store);
    let Some(stream) = store.streams.get(&path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let query = query.unwrap_or_default();
    let mut offsets = query.split('&').filter_map(|pair| pair.strip_prefix("offset="));
    let asked = offsets.next().unwrap_or("-1");
    if offsets.next().is_some() {
        return (StatusCode::BAD_REQUEST, "one offset is enough").into_response();
    }
    let tail = stream.data.len();
    let mut answer = stream.headers();
    answer.insert(UP_TO_DATE, HeaderValue::from_static("true"));
    if asked == "now" {
        answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        return (answer, Bytes::new()).into_response();
    }
    let Some(start) = stream.position(asked) else {
        return (StatusCode::BAD_REQUEST, "this stream never gave out that offset").into_response();
    };
    let etag = format!("\"{}-{start}-{tail}\"", stream.number);
    let cache = HeaderValue::from_static("public, max-age=60, stale-while-revalidate=300");
    answer.insert(header::CACHE_CONTROL, cache);
    answer.insert(header::ETAG, HeaderValue::from_str(&etag).expect("digits and dashes"));
    if matches(&headers, &etag) {
        return (StatusCode::NOT_MODIFIED, answer).into_response();
    }
    (answer, stream.data[start..].to_vec()).into_response()
}

async fn head(State(store): State<Streams>, Path(path): Path<String>) -> Response {
    let store = lock(&store);
    let Some(stream) = store.streams.get(&path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut answer = stream.headers();
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer.into_response()
}

async fn delete(State(store): State<Streams>, Path(path): Path<String>) -> StatusCode {
    match lock(&store).streams.remove(&path) {
        Some(_) => StatusCode::NO_CONTENT,
        None => StatusCode::NOT_FOUND,
    }
}

fn lock(store: &Streams) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stream {
    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Ok(content_type) = HeaderValue::from_str(&self.content_type) {
            headers.insert(header::CONTENT_TYPE, content_type);
        }
        headers.insert(NEXT_OFFSET, self.offset(self.data.len()));
        headers
    }

    /// Offsets of one stream have the same length, so that they sort as the positions do.
    fn offset(&self, position: usize) -> HeaderValue {
        HeaderValue::from_str(&format!("{position:020}")).expect("digits")
    }

    fn position(&self, offset: &str) -> Option<usize> {
        if offset == "-1" {
            return Some(0);
        }
        let is_ours = offset.len() == 20 && offset.bytes().all(|byte| byte.is_ascii_digit());
        let position = is_ours.then(|| offset.parse().ok()).flatten()?;
        (position <= self.data.len()).then_some(position)
    }
}

/// The same media type, whatever its letters' case and its parameters.
fn same_type(one: &str, other: &str) -> bool {
    let essence = |text: &str| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence(one) == essence(other)
}

/// Whether If-None-Match names the tag.
fn matches(headers: &HeaderMap, etag: &str) -> bool {
    let named = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    named
        .flat_map(|list| list.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == etag || tag == "*")
}
