//! The page on the whole server: streams over the ends of its connections, and cuts.

#[allow(dead_code, reason = "some of it serves the other test of the page")]
mod browser;

use std::time::Duration;

use axum::body::Body;
use http::{Request, header};
use http_body_util::BodyExt;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use streamgauge_reference_server::{Config, RunningServer, Server};
use tokio::time::sleep;

use browser::line::Line;
use browser::with_browser;

const SOON: Duration = Duration::from_secs(8);

struct Writer {
    client: Client<HttpConnector, Body>,
    stream: String,
}

impl Writer {
    async fn create(server: &RunningServer) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let writer = Self { client, stream: format!("{}/chat/1", server.root_url) };
        writer.send("PUT", Body::empty(), false).await;
        writer
    }

    async fn append(&self, numbers: std::ops::Range<usize>) {
        for number in numbers {
            self.send("POST", Body::from(format!("{{\"n\":{number}}}")), false).await;
        }
    }

    async fn close(&self) {
        self.send("POST", Body::empty(), true).await;
    }

    async fn send(&self, method: &str, body: Body, close: bool) {
        let mut request = Request::builder().method(method).uri(&self.stream);
        request = request.header(header::CONTENT_TYPE, "application/json");
        if close {
            request = request.header("Stream-Closed", "true");
        }
        let response = self.client.request(request.body(body).unwrap()).await.unwrap();
        assert!(response.status().is_success(), "{method}: {}", response.status());
        response.into_body().collect().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_followed_over_ends_and_cuts_to_its_close() {
    let config = Config { sse_lifetime: Duration::from_millis(1_500), ..Config::default() };
    let server = Server::start(config).await.unwrap();
    let mut line = Line::to(server.addr).await;
    let writer = Writer::create(&server).await;
    with_browser(|browser| async move {
        writer.append(0..10).await;
        browser.client.goto(&format!("http://{}/#source=stream&path=chat/1", line.address)).await.unwrap();
        browser.light_turns("live", SOON).await;
        // Long enough for several event streams.
        for start in (10..60).step_by(10) {
            writer.append(start..start + 10).await;
            sleep(Duration::from_millis(900)).await;
        }
        browser.lines(60, SOON).await;
        line.cut();
        writer.append(60..80).await;
        browser.light_turns("waiting", SOON).await;
        line.restore().await;
        browser.light_turns("live", SOON).await;
        browser.picture("stream").await;
        writer.append(80..100).await;
        writer.close().await;
        browser.light_turns("closed", SOON).await;
        let expected: Vec<_> = (0..100).map(|n| format!("{{\"n\":{n}}}")).collect();
        assert_eq!(browser.lines(100, SOON).await, expected);
        server.shutdown().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_and_the_logs_stand_beside_the_streams() {
    let server = Server::start(Config::default()).await.unwrap();
    with_browser(|browser| async move {
        let page = format!("http://{}/#source=service", server.addr);
        browser.client.goto(&page).await.unwrap();
        browser.light_turns("live", SOON).await;
        let post = "return fetch('/api/logs', {method: 'POST', headers: {'Content-Type': 'application/json'}, \
                    body: JSON.stringify({level: 'info', message: 'from the page'})}).then((r) => r.status)";
        assert_eq!(browser.eval(post).await, 200);
        assert_eq!(browser.lines(1, SOON).await, ["from the page"]);
        server.shutdown().await;
        browser.light_turns("waiting", SOON).await;
    })
    .await;
}
