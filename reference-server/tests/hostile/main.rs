//! Clients that mean harm, or are broken beyond measure. Others are served meanwhile, and nothing is left of them.

mod crowds;
mod framing;
mod paths;
mod stalling;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use streamgauge_reference_server::{Census, Config, RunningServer, Server};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

/// Longer than anything in these tests may take.
const PATIENCE: Duration = Duration::from_secs(20);

async fn server(config: Config) -> RunningServer {
    Server::start(config).await.unwrap()
}

/// Sends bytes and reads until the server closes the connection.
async fn raw(address: SocketAddr, request: &[u8]) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    // The server may refuse before it has read everything, and reset what still comes.
    let _ = socket.write_all(request).await;
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, socket.read_to_end(&mut answer)).await.expect("the connection stays open");
    String::from_utf8_lossy(&answer).into_owned()
}

/// The statuses of all answers in what came.
fn statuses(answers: &str) -> Vec<u16> {
    let heads = answers.match_indices("HTTP/1.1 ").filter_map(|(at, start)| answers.get(at + start.len()..));
    heads.filter_map(|head| head.get(..3)?.parse().ok()).collect()
}

/// What one plain request is answered: status and whole text.
async fn ask(server: &RunningServer, method: &str, stream: &str, headers: &str, body: &str) -> (u16, String) {
    let text = format!(
        "{method} /v1/stream/{stream} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = raw(server.addr, text.as_bytes()).await;
    (statuses(&answer).first().copied().unwrap_or(0), answer)
}

const TEXT: &str = "Content-Type: text/plain\r\n";

/// Somebody with no ill intent is served, and soon.
async fn others_are_served(server: &RunningServer) {
    let began = Instant::now();
    assert_eq!(ask(server, "PUT", "plain", TEXT, "").await.0, 201);
    assert_eq!(ask(server, "POST", "plain", TEXT, "hello").await.0, 204);
    let (status, answer) = ask(server, "GET", "plain?offset=-1", "", "").await;
    assert_eq!(status, 200);
    assert!(answer.ends_with("hello"), "{answer}");
    assert_eq!(ask(server, "DELETE", "plain", "", "").await.0, 204);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

/// Waits until the server holds nothing but these streams.
async fn comes_to_rest(server: &RunningServer, streams: usize, bytes: u64) {
    let rest = Census { connections: 0, streams, live_readers: 0, bytes };
    let until = Instant::now() + PATIENCE;
    while server.census() != rest {
        assert!(Instant::now() < until, "{:?} is left", server.census());
        sleep(Duration::from_millis(10)).await;
    }
}
