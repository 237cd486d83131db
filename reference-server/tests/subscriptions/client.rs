//! A client of one server.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use streamgauge_reference_server::subscriptions::{RetrySchedule, SubscriptionConfig};
use streamgauge_reference_server::{Config, RunningServer, Server};
use tokio::time::{sleep, timeout};

/// Long enough for a busy machine, short enough to fail.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Long enough for anything that is going to happen to have happened.
pub(crate) const QUIET: Duration = Duration::from_millis(300);

pub(crate) struct Client {
    pub(crate) root: String,
    http: HttpClient<HttpConnector, Full<Bytes>>,
    _server: RunningServer,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Timings that let a test see leases end and deliveries repeated without waiting for long.
pub(crate) fn quick() -> SubscriptionConfig {
    SubscriptionConfig {
        minimum_lease: Duration::from_millis(100),
        retry: RetrySchedule { base: Duration::from_millis(100), ..RetrySchedule::default() },
        ..SubscriptionConfig::default()
    }
}

impl Client {
    pub(crate) async fn of(subscriptions: SubscriptionConfig) -> Self {
        Self::of_server(Config { subscriptions, ..Config::default() }).await
    }

    pub(crate) async fn of_server(config: Config) -> Self {
        let server = Server::start(config).await.unwrap();
        let http = HttpClient::builder(TokioExecutor::new()).build_http();
        Self { root: server.root_url.clone(), http, _server: server }
    }

    pub(crate) async fn quick() -> Self {
        Self::of(quick()).await
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let response = timeout(PATIENCE, self.http.request(request)).await.expect("no answer").unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: head.status, headers: head.headers, body }
    }

    /// `path` is percent-encoded and relative to the stream root.
    pub(crate) async fn call(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.call_with(method, path, body, None).await
    }

    pub(crate) async fn call_with(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        token: Option<&str>,
    ) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}/{path}", self.root))
            .header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.send(request.body(Full::from(body)).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, &Value::Null).await
    }

    /// Makes an empty stream.
    pub(crate) async fn create(&self, path: &str) {
        let answer = self.call(Method::PUT, path, &Value::Null).await;
        assert_eq!(answer.status, StatusCode::CREATED);
    }

    /// Appends one event and gives the new tail.
    pub(crate) async fn append(&self, path: &str) -> String {
        let answer = self.call(Method::POST, path, &json!({ "event": 1 })).await;
        assert!(answer.status.is_success(), "{answer:?}");
        answer.headers["stream-next-offset"].to_str().unwrap().to_owned()
    }

    /// Creates a subscription, which must be new.
    pub(crate) async fn subscribe(&self, id: &str, body: &Value) -> Value {
        let answer = self.call(Method::PUT, &subscription(id), body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.json()
    }

    pub(crate) async fn show(&self, id: &str) -> Value {
        let answer = self.get(&subscription(id)).await;
        assert_eq!(answer.status, StatusCode::OK);
        answer.json()
    }

    /// The cursor of one linked stream.
    pub(crate) async fn cursor(&self, id: &str, path: &str) -> String {
        let shown = self.show(id).await;
        let links = shown["streams"].as_array().unwrap();
        let link = links.iter().find(|link| link["path"] == path).expect("the stream is not linked");
        link["acked_offset"].as_str().unwrap().to_owned()
    }

    /// Waits until GET shows the subscription as `is_right` wants it.
    pub(crate) async fn eventually(&self, id: &str, is_right: impl Fn(&Value) -> bool) {
        let wait = async {
            while !is_right(&self.show(id).await) {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, wait).await.expect("it never came to be");
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// Asserts a refusal in the form all control routes share.
    pub(crate) fn refused(&self, status: StatusCode, code: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.headers["content-type"], "application/json");
        assert_eq!(self.json()["error"]["code"], code);
    }
}

pub(crate) fn subscription(id: &str) -> String {
    format!("__ds/subscriptions/{id}")
}
