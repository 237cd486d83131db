//! A client of the log stream: requests to a router, and a strict reader of its events.

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use futures_util::StreamExt;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

pub(crate) async fn get(router: &Router, path_and_query: &str) -> Response {
    send(router, Request::get(path_and_query).body(Body::empty())).await
}

pub(crate) async fn send(router: &Router, request: http::Result<Request<Body>>) -> Response {
    router.clone().oneshot(request.unwrap()).await.unwrap()
}

pub(crate) async fn post_json(router: &Router, path: &str, json: impl Into<Body>) -> Response {
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
    send(router, request.body(json.into())).await
}

pub(crate) async fn put_json(router: &Router, path: &str, json: impl Into<Body>) -> Response {
    let request = Request::put(path).header(header::CONTENT_TYPE, "application/json");
    send(router, request.body(json.into())).await
}

pub(crate) async fn json_of(response: Response) -> Value {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap()
}

/// Reads an event stream as this endpoint must write it: `event:`, one `data:`, a blank line.
pub(crate) struct Events {
    body: axum::body::BodyDataStream,
    unread: String,
}

#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl Events {
    pub(crate) async fn open(router: &Router, query: &str) -> Self {
        let response = get(router, &format!("/api/logs/stream?{query}")).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        Self::of(response.into_body())
    }

    pub(crate) fn of(body: Body) -> Self {
        Self { body: body.into_data_stream(), unread: String::new() }
    }

    /// The next event, or none where the stream ended cleanly.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        while !self.unread.contains("\n\n") {
            let Some(chunk) = self.body.next().await else {
                assert_eq!(self.unread, "", "the stream ended within an event");
                return None;
            };
            self.unread += std::str::from_utf8(&chunk.unwrap()).unwrap();
        }
        let (event, rest) = self.unread.split_once("\n\n").unwrap();
        let [name, data] = event.split('\n').collect::<Vec<_>>()[..] else {
            panic!("not two lines: {event:?}");
        };
        let event = Event {
            name: name.strip_prefix("event: ").unwrap().to_owned(),
            data: serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap(),
        };
        self.unread = rest.to_owned();
        Some(event)
    }

    /// The messages of the next event, which must be a `logs` event.
    pub(crate) async fn next_messages(&mut self) -> Vec<String> {
        let event = self.next().await.expect("the stream goes on");
        assert_eq!(event.name, "logs", "{event:?}");
        messages(&event.data)
    }
}

pub(crate) fn messages(payload: &Value) -> Vec<String> {
    let logs = payload["logs"].as_array().expect("logs is an array");
    let message = |entry: &Value| entry["message"].as_str().expect("a message").to_owned();
    logs.iter().map(message).collect()
}
