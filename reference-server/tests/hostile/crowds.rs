//! Many at once.

use std::env;

use super::*;

/// In `cargo test`; for more say so, and let the shell allow as many open files twice over:
/// `ulimit -n 25000 && HOSTILE_CONNECTIONS=10000 cargo test -p streamgauge-reference-server --test hostile crowds`.
const CONNECTIONS: usize = 400;

fn connections() -> usize {
    env::var("HOSTILE_CONNECTIONS").ok().and_then(|number| number.parse().ok()).unwrap_or(CONNECTIONS)
}

/// Opens connections that all begin with this.
async fn crowd(server: &RunningServer, beginning: &str) -> Vec<TcpStream> {
    let mut crowd = Vec::new();
    for _ in 0..connections() {
        let mut socket = TcpStream::connect(server.addr).await.unwrap();
        socket.write_all(beginning.as_bytes()).await.unwrap();
        crowd.push(socket);
    }
    let until = Instant::now() + PATIENCE;
    while server.census().connections < crowd.len() {
        assert!(Instant::now() < until, "{:?}", server.census());
        sleep(Duration::from_millis(5)).await;
    }
    crowd
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_cost_others_nothing() {
    let server = server(Config::default()).await;
    let crowd = crowd(&server, "").await;
    others_are_served(&server).await;
    drop(crowd);
    comes_to_rest(&server, 0, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_that_never_end_are_given_up() {
    let server = server(Config { idle_timeout: Duration::from_secs(2), ..Config::default() }).await;
    let crowd = crowd(&server, "GET /v1/stream/a HTTP/1.1\r\nX: ").await;
    others_are_served(&server).await;
    comes_to_rest(&server, 0, 0).await;
    drop(crowd);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_never_end_are_given_up() {
    let server = server(Config { body_timeout: Duration::from_secs(2), ..Config::default() }).await;
    ask(&server, "PUT", "a", TEXT, "").await;
    let crowd = crowd(
        &server,
        "POST /v1/stream/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 1000000000\r\n\r\nx",
    )
    .await;
    others_are_served(&server).await;
    drop(crowd);
    comes_to_rest(&server, 1, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_that_leave_without_a_word_are_forgotten() {
    let server = server(Config::default()).await;
    let (_, answer) = ask(&server, "PUT", "a", TEXT, "").await;
    let tail = answer.lines().find_map(|line| line.strip_prefix("stream-next-offset: ")).unwrap();
    for live in ["long-poll", "sse"] {
        let request = format!("GET /v1/stream/a?offset={tail}&live={live} HTTP/1.1\r\nHost: x\r\n\r\n");
        let crowd = crowd(&server, &request).await;
        let until = Instant::now() + PATIENCE;
        while server.census().live_readers < crowd.len() {
            assert!(Instant::now() < until, "{:?}", server.census());
            sleep(Duration::from_millis(5)).await;
        }
        others_are_served(&server).await;
        drop(crowd);
        comes_to_rest(&server, 1, 0).await;
    }
}
