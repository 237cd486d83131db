//! A plain HTTP client, and a reader of event streams.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client as HyperClient, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use tokio::time::timeout;

/// Longer than anything in these tests may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone)]
pub(crate) struct Client {
    root: String,
    http: HyperClient<HttpConnector, Full<Bytes>>,
}

pub(crate) type Headers<'a> = &'a [(&'a str, &'a str)];

impl Client {
    pub(crate) fn new(root: &str) -> Self {
        Self { root: root.to_owned(), http: HyperClient::builder(TokioExecutor::new()).build_http() }
    }

    pub(crate) fn http2(root: &str) -> Self {
        let http = HyperClient::builder(TokioExecutor::new()).http2_only(true).build_http();
        Self { root: root.to_owned(), http }
    }

    pub(crate) async fn open(
        &self,
        method: &str,
        path: &str,
        headers: Headers<'_>,
        body: impl Into<Bytes>,
    ) -> Response<Incoming> {
        let mut request =
            Request::builder().method(Method::try_from(method).unwrap()).uri(format!("{}/{path}", self.root));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        timeout(PATIENCE, self.http.request(request)).await.expect("no answer").unwrap()
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: Headers<'_>,
        body: impl Into<Bytes>,
    ) -> Answer {
        let (parts, body) = self.open(method, path, headers, body).await.into_parts();
        let body = timeout(PATIENCE, body.collect()).await.expect("no end of body").unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn put(&self, path: &str, headers: Headers<'_>, body: &str) -> Answer {
        self.send("PUT", path, headers, body.to_owned()).await
    }

    pub(crate) async fn post(&self, path: &str, headers: Headers<'_>, body: &str) -> Answer {
        self.send("POST", path, headers, body.to_owned()).await
    }

    pub(crate) async fn get(&self, path: &str, headers: Headers<'_>) -> Answer {
        self.send("GET", path, headers, "").await
    }

    pub(crate) async fn events(&self, path: &str) -> Events {
        let response = self.open("GET", path, &[], "").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Events { body: response.into_body(), unread: String::new() }
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn tail(&self) -> &str {
        self.header("stream-next-offset").expect("no Stream-Next-Offset")
    }
}

/// An event as it stands on the wire.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Data(String),
    Control(Value),
    Comment,
}

pub(crate) struct Events {
    body: Incoming,
    unread: String,
}

impl Events {
    /// The next event; `None` at a clean end.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.unread.split_once("\n\n") {
                let event = parse(block);
                self.unread = rest.to_owned();
                return Some(event);
            }
            let frame = timeout(PATIENCE, self.body.frame()).await.expect("no event")?.expect("torn stream");
            let data = frame.into_data().expect("trailers");
            self.unread.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    /// The next data event and the control event that belongs to it.
    pub(crate) async fn pair(&mut self) -> (String, Value) {
        let data = match self.next().await {
            Some(Event::Data(data)) => data,
            other => panic!("expected data, got {other:?}"),
        };
        (data, self.control().await)
    }

    pub(crate) async fn control(&mut self) -> Value {
        match self.next().await {
            Some(Event::Control(control)) => control,
            other => panic!("expected control, got {other:?}"),
        }
    }

    pub(crate) async fn end(&mut self) {
        assert_eq!(self.next().await, None);
    }
}

fn parse(block: &str) -> Event {
    let mut lines = block.lines();
    let name = lines.next().unwrap();
    let field = |line: &str| line.strip_prefix("data:").expect("a data line").to_owned();
    let data: Vec<String> =
        lines.map(field).map(|line| line.strip_prefix(' ').unwrap_or(&line).to_owned()).collect();
    match name {
        "event: data" => Event::Data(data.join("\n")),
        "event: control" => Event::Control(serde_json::from_str(&data.join("\n")).unwrap()),
        comment if comment.starts_with(':') => Event::Comment,
        other => panic!("unknown event {other:?}"),
    }
}
