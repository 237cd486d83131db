//! Requests through the whole router: never a 500, never a panic, always bounded, and right in what every answer has.

use std::{cell::OnceCell, net::SocketAddr, time::Duration};

use ::http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use streamgauge_reference_server::{
    Config, SocketlessServer,
    core::{headers, limits::Limits, offset::Offset},
    http::{Response, ResponseBody},
};
use tokio::{runtime::Runtime, time::timeout};
use tower::ServiceExt as _;

/// What stands between two requests.
pub(crate) const BETWEEN: &[u8] = b"\n%%\n";

const MOST_REQUESTS: usize = 8;
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a body may pause before it counts as one that goes on for ever, as those of live reads do.
const PAUSE: Duration = Duration::from_millis(3);
const MOST_FRAMES: usize = 32;
const LARGEST_ANSWER: usize = 1 << 20;

thread_local! {
    static RUNTIME: OnceCell<Runtime> = const { OnceCell::new() };
}

/// Requests as they are written in HTTP/1.1: a request line without a version, headers, a blank line, a body.
pub fn run(data: &[u8]) {
    RUNTIME.with(|runtime| {
        let runtime = runtime.get_or_init(|| {
            tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
        });
        runtime.block_on(async {
            let server = SocketlessServer::new(config(), SocketAddr::from(([127, 0, 0, 1], 4437)));
            for text in split(data).into_iter().take(MOST_REQUESTS) {
                let Some(request) = request(text) else { continue };
                let asked = Asked { method: request.method().clone(), path: request.uri().path().to_owned() };
                let answer = server.service.clone().oneshot(request);
                let answered = timeout(PATIENCE, answer).await;
                let Ok(response) =
                    answered.unwrap_or_else(|_| panic!("no answer in {PATIENCE:?}: {asked:?}"));
                check(&asked, response).await;
            }
            server.shutdown().await;
        });
    });
}

/// Waits for nothing, delivers no webhook, and soon has enough.
fn config() -> Config {
    let mut config = Config {
        long_poll_timeout: Duration::ZERO,
        sse_lifetime: Duration::ZERO,
        max_body: 4096,
        limits: Limits { streams: 4, memory: 8192, page: 64, ..Limits::default() },
        ..Config::default()
    };
    config.subscriptions.limits.concurrent_deliveries = 0;
    config.logs.max_body_bytes = 4096;
    config
}

#[derive(Debug)]
struct Asked {
    method: Method,
    path: String,
}

fn split(data: &[u8]) -> Vec<&[u8]> {
    let mut requests = Vec::new();
    let mut rest = data;
    while let Some(at) = rest.windows(BETWEEN.len()).position(|window| window == BETWEEN) {
        requests.push(&rest[..at]);
        rest = &rest[at + BETWEEN.len()..];
    }
    requests.push(rest);
    requests
}

/// What hyper would let through; headers that it would not are left out.
fn request(text: &[u8]) -> Option<Request<Full<Bytes>>> {
    let (line, mut rest) = split_line(text);
    let (method, target) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    let target: Uri = target.parse().ok()?;
    let method = Method::from_bytes(method.as_bytes()).ok()?;
    let mut request = Request::new(());
    *request.method_mut() = method;
    *request.uri_mut() = target;
    loop {
        let (line, behind) = split_line(rest);
        rest = behind;
        if line.is_empty() {
            break;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            request.headers_mut().append(name, value);
        }
    }
    Some(request.map(|()| Full::from(Bytes::copy_from_slice(rest))))
}

fn split_line(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| *byte == b'\n');
    let (line, rest) = end.map_or((text, &[][..]), |end| (&text[..end], &text[end + 1..]));
    (line.strip_suffix(b"\r").unwrap_or(line), rest)
}

async fn check(asked: &Asked, response: Response) {
    let status = response.status();
    let is_refusal_for_want_of_room = status == StatusCode::INSUFFICIENT_STORAGE;
    assert!(
        !status.is_server_error() || is_refusal_for_want_of_room || status == StatusCode::SERVICE_UNAVAILABLE,
        "{status} to {asked:?}"
    );
    let (parts, body) = response.into_parts();
    assert_eq!(parts.headers.get(header::X_CONTENT_TYPE_OPTIONS), Some(&HeaderValue::from_static("nosniff")));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        assert!(parts.headers.contains_key(header::ALLOW), "405 says what is allowed: {asked:?}");
    }
    if let Some(offset) = parts.headers.get(headers::STREAM_NEXT_OFFSET) {
        let token = offset.to_str().expect("an offset is ASCII");
        assert!(Offset::parse(token).is_ok(), "{token} is issued, and would not be taken");
    }
    let is_to_stream =
        asked.path.starts_with("/v1/stream/") && !asked.path.contains("__ds") && !asked.path.contains('%');
    let writes_or_reads = [Method::PUT, Method::POST, Method::GET].contains(&asked.method);
    if is_to_stream && writes_or_reads && status.is_success() && !is_event_stream(&parts.headers) {
        assert!(
            parts.headers.contains_key(headers::STREAM_NEXT_OFFSET),
            "{status} to {asked:?} says where it leads"
        );
    }
    let bytes = collect(body).await;
    assert!(bytes.len() <= LARGEST_ANSWER, "{} bytes to {asked:?}", bytes.len());
    let is_empty_by_nature = status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED;
    assert!(!is_empty_by_nature || bytes.is_empty(), "{status} has a body: {asked:?}");
    let media_type = parts.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if media_type == b"application/json" && !bytes.is_empty() {
        let json: Result<&serde_json::value::RawValue, _> = serde_json::from_slice(&bytes);
        assert!(json.is_ok(), "{status} to {asked:?} says JSON: {:?}", String::from_utf8_lossy(&bytes));
    }
}

fn is_event_stream(headers: &::http::HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value == "text/event-stream")
}

/// The body, or as much of one that does not end as came without a pause.
async fn collect(mut body: ResponseBody) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..MOST_FRAMES {
        let Ok(Some(frame)) = timeout(PAUSE, body.frame()).await else { break };
        let frame = frame.unwrap_or_else(|error| panic!("a body breaks off: {error}"));
        if let Ok(data) = frame.into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    bytes
}
