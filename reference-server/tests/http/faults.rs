//! Faults on purpose, as they look on a socket.

use std::time::{Duration, Instant};

use streamgauge_reference_server::Config;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::{
    Lab, TEXT,
    client::{Client, PATIENCE},
};

async fn lab(faults: &[&str]) -> Lab {
    seeded(faults, 1).await
}

async fn seeded(faults: &[&str], fault_seed: u64) -> Lab {
    let faults = faults.iter().map(|spec| spec.parse().unwrap()).collect();
    Lab::with(Config { faults, fault_seed, ..Config::default() }).await
}

/// All that comes back until the connection ends, however it ends.
async fn ask(lab: &Lab, method: &str, path: &str, body: &str) -> String {
    let mut socket = TcpStream::connect(lab.server.addr).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} /v1/stream/{path} HTTP/1.1\r\nHost: test\r\nContent-Type: text/plain\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    let read = async {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = socket.read(&mut piece).await {
            seen.extend_from_slice(&piece[..length]);
        }
    };
    timeout(PATIENCE, read).await.expect("the connection does not end");
    String::from_utf8(seen).unwrap()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

#[tokio::test]
async fn latency_makes_answers_late() {
    let lab = lab(&["latency=150ms..250ms,method=GET"]).await;
    ask(&lab, "PUT", "a", "hello").await;
    let began = Instant::now();
    assert_eq!(body(&ask(&lab, "GET", "a", "").await), "hello");
    assert!(began.elapsed() >= Duration::from_millis(150), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_refusal_says_when_to_come_back_and_stores_nothing() {
    let lab = lab(&[
        "503@nth=2,method=POST,retry-after=1500ms",
        "429@first=1,method=DELETE",
        "500@nth=2,method=DELETE",
    ])
    .await;
    ask(&lab, "PUT", "a", "").await;
    assert_eq!(status(&ask(&lab, "POST", "a", "one").await), "204");
    let refused = ask(&lab, "POST", "a", "two").await;
    assert!(status(&refused) == "503" && refused.contains("retry-after: 2\r\n"), "{refused}");
    assert_eq!(status(&ask(&lab, "POST", "a", "three").await), "204");
    assert_eq!(body(&ask(&lab, "GET", "a", "").await), "onethree");
    let refused = ask(&lab, "DELETE", "a", "").await;
    assert!(status(&refused) == "429" && refused.contains("retry-after: 1\r\n"), "{refused}");
    let refused = ask(&lab, "DELETE", "a", "").await;
    assert!(status(&refused) == "500" && !refused.contains("retry-after"), "{refused}");
    assert_eq!(status(&ask(&lab, "DELETE", "a", "").await), "204");
}

#[tokio::test]
async fn a_hung_up_request_is_not_carried_out_and_a_lost_answer_was() {
    let lab = lab(&["hang-up@nth=1,method=POST", "lose-answer@nth=1,method=POST"]).await;
    ask(&lab, "PUT", "a", "").await;
    assert_eq!(ask(&lab, "POST", "a", "one").await, "");
    assert_eq!(body(&ask(&lab, "GET", "a", "").await), "");
    assert_eq!(ask(&lab, "POST", "a", "two").await, "");
    assert_eq!(body(&ask(&lab, "GET", "a", "").await), "two");
    assert_eq!(status(&ask(&lab, "POST", "a", "three").await), "204");
}

#[tokio::test]
async fn a_cut_body_is_shorter_than_announced() {
    let lab = lab(&["cut-body@nth=2,method=GET"]).await;
    ask(&lab, "PUT", "a", "0123456789").await;
    assert_eq!(body(&ask(&lab, "GET", "a", "").await), "0123456789");
    let cut = ask(&lab, "GET", "a", "").await;
    assert!(cut.contains("content-length: 10\r\n") && body(&cut) == "01234", "{cut}");
    assert_eq!(body(&ask(&lab, "GET", "a", "").await), "0123456789");
}

#[tokio::test]
async fn a_cut_body_breaks_off_in_http2_too() {
    use http_body_util::BodyExt as _;
    let lab = lab(&["cut-body,method=GET,after=4"]).await;
    let client = Client::http2(&lab.server.root_url);
    client.put("a", &[TEXT], "0123456789").await;
    let response = client.open("GET", "a", &[], "").await;
    assert!(timeout(PATIENCE, response.into_body().collect()).await.unwrap().is_err());
}

#[tokio::test]
async fn an_event_stream_breaks_inside_an_event() {
    let lab = lab(&["cut-event,live=sse"]).await;
    ask(&lab, "PUT", "a", "hello").await;
    let events = ask(&lab, "GET", "a?offset=-1&live=sse", "").await;
    assert!(events.contains("event: data\ndata:hello\n\nevent: control\n"), "{events}");
    assert!(!events.contains("upToDate") && !events.ends_with("0\r\n\r\n"), "{events}");
}

#[tokio::test]
async fn an_event_stream_ends_early_and_cleanly() {
    let lab = lab(&["end-events"]).await;
    ask(&lab, "PUT", "a", "hello").await;
    let events = ask(&lab, "GET", "a?offset=-1&live=sse", "").await;
    assert!(events.contains("upToDate") && !events.contains("streamClosed"), "{events}");
    assert!(events.ends_with("\r\n0\r\n\r\n"), "{events}");
}

#[tokio::test]
async fn a_stalled_body_comes_whole_and_late() {
    let lab = lab(&["stall=300ms,method=GET"]).await;
    ask(&lab, "PUT", "a", "0123456789").await;
    let began = Instant::now();
    assert_eq!(body(&ask(&lab, "GET", "a", "").await), "0123456789");
    assert!(began.elapsed() >= Duration::from_millis(300), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_seed_repeats_a_run() {
    let run = async |seed| {
        let lab = seeded(&["503@30%,method=GET"], seed).await;
        ask(&lab, "PUT", "a", "hello").await;
        let mut seen = Vec::new();
        for _ in 0..40 {
            seen.push(status(&ask(&lab, "GET", "a", "").await).to_owned());
        }
        seen
    };
    let once = run(5).await;
    assert!(once.contains(&"503".to_owned()) && once.contains(&"200".to_owned()), "{once:?}");
    assert_eq!(run(5).await, once);
    assert_ne!(run(6).await, once);
}
