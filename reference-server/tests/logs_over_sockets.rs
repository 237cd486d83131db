//! The log stream under load, over real connections and in real time.

#[allow(dead_code, reason = "the requests to a router are for the other test file")]
mod support;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::body::Body;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use streamgauge_reference_server::logs::{self, LogsConfig};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use support::{Events, messages};

struct Server {
    address: SocketAddr,
    client: Client<HttpConnector, Body>,
}

impl Server {
    async fn start(config: LogsConfig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = logs::router(config, CancellationToken::new());
        tokio::spawn(async { axum::serve(listener, router).await });
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { address, client }
    }

    async fn events(&self, query: &str) -> Events {
        let uri = format!("http://{}/api/logs/stream?{query}", self.address);
        let response = self.client.get(uri.parse().unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        Events::of(Body::new(response.into_body()))
    }

    async fn log(&self, entries: Value) {
        let request = Request::post(format!("http://{}/api/logs", self.address))
            .header(header::CONTENT_TYPE, "application/json")
            .body(entries.to_string().into());
        let response = self.client.request(request.unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.into_body().collect().await.unwrap();
    }
}

fn numbered(range: std::ops::Range<usize>, padding: usize) -> Value {
    let padding = ".".repeat(padding);
    let entry = |n| json!({"level": "info", "message": format!("{n}{padding}"), "job_id": "7"});
    range.map(entry).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_reader_gets_every_line_of_a_burst_once_and_in_order() {
    let server = Server::start(LogsConfig::default()).await;
    let mut reading = Vec::new();
    for _ in 0..10 {
        let mut events = server.events("scope=job&job_id=7").await;
        reading.push(tokio::spawn(async move {
            let mut seen = Vec::new();
            while seen.len() < 5_000 {
                let event = events.next().await.unwrap();
                if event.name == "logs" {
                    assert_eq!(event.data["meta"]["dropped"], 0);
                    seen.extend(messages(&event.data));
                }
            }
            seen
        }));
    }
    for start in (0..5_000).step_by(100) {
        server.log(numbered(start..start + 100, 0)).await;
    }
    let all: Vec<_> = (0..5_000).map(|n: usize| n.to_string()).collect();
    for reader in reading {
        assert_eq!(reader.await.unwrap(), all);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_stalls_holds_up_nobody_and_is_told_its_loss() {
    const LINES: usize = 100_000;
    let server = Server::start(LogsConfig {
        ring_entries: 1_000,
        batch_interval: Duration::from_millis(10),
        ..LogsConfig::default()
    })
    .await;
    let mut stalled = server.events("scope=job&job_id=7").await;
    let started = Instant::now();
    for start in (0..LINES).step_by(1_000) {
        server.log(numbered(start..start + 1_000, 300)).await;
    }
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    let (mut next, mut seen, mut dropped) = (0, 0, 0);
    while next < LINES {
        let event = stalled.next().await.unwrap();
        if event.name != "logs" {
            continue;
        }
        let lost = usize::try_from(event.data["meta"]["dropped"].as_u64().unwrap()).unwrap();
        dropped += lost;
        next += lost;
        for message in messages(&event.data) {
            let number: usize = message.trim_end_matches('.').parse().unwrap();
            assert_eq!(number, next, "a gap is as long as it is said to be");
            next += 1;
            seen += 1;
        }
    }
    assert_eq!(seen + dropped, LINES);
    assert!(dropped > 0, "the sockets alone held {LINES} lines");
}
