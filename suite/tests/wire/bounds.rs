use std::time::{Duration, Instant};

use streamgauge::wire::{Budget, Client, ClientOptions, Cut, Ending, Limits, Phase, WireError};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::server::{AMPLE, Server, client, read_request};

/// Sends `start`, then `more` again and again, with pauses, until the client hangs up.
async fn endless(start: &'static [u8], more: &'static [u8], pause: Duration) -> Server {
    Server::new(move |mut stream: TcpStream, _| async move {
        read_request(&mut stream).await;
        let _ = stream.write_all(start).await;
        while stream.write_all(more).await.is_ok() {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
        }
    })
    .await
}

const BODY: &[u8] = &[b'x'; 8192];
const TO_CLOSE: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n";

#[tokio::test]
async fn endless_heads_are_cut() {
    let heads: [(&[u8], &[u8]); 4] = [
        (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
        (b"HTTP/1.1 200 OK\r\nA: ", b"xxxxxxxxxxxxxxxxxxxxxxxxxxx"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 ", b"200 "),
    ];
    for (start, more) in heads {
        let server = endless(start, more, Duration::ZERO).await;
        let began = Instant::now();
        let error = client().fetch(&server.get(), AMPLE).await.unwrap_err();
        assert!(matches!(error, WireError::HeadTooLarge { .. }), "{error:?}");
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_cut_and_looks_so() {
    let limits = Limits { body: 100_000, ..Limits::default() };
    let client = Client::new(ClientOptions { limits, ..ClientOptions::default() }).unwrap();
    let chunk = b"5\r\nhello\r\n";
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for server in
        [endless(TO_CLOSE, BODY, Duration::ZERO).await, endless(chunked, chunk, Duration::ZERO).await]
    {
        let response = client.fetch(&server.get(), AMPLE).await.unwrap();
        assert_eq!(response.ending, Ending::CutByLimit(Cut::Body { limit: 100_000 }));
        assert!(response.body.len() <= 100_000 && response.body.len() > 50_000, "{}", response.body.len());
        assert_eq!(response.whole().unwrap_err(), WireError::BodyTooLarge { limit: 100_000 });
    }
}

#[tokio::test]
async fn a_body_as_large_as_the_limit_is_whole() {
    let limits = Limits { body: 5, ..Limits::default() };
    let client = Client::new(ClientOptions { limits, ..ClientOptions::default() }).unwrap();
    let five = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await;
    assert!(client.fetch(&five.get(), AMPLE).await.unwrap().ending.is_clean());
    let six = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello!").await;
    assert!(!client.fetch(&six.get(), AMPLE).await.unwrap().ending.is_clean());
}

#[tokio::test]
async fn all_bodies_together_are_bounded_for_as_long_as_they_are_kept() {
    const SIZE: usize = 150_000;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n");
    let large = Server::answering([head.as_bytes(), &vec![b'x'; SIZE]].concat()).await;
    let small = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await;
    let budget = Budget::new(2 * SIZE);
    let client = Client::new(ClientOptions { budget: budget.clone(), ..ClientOptions::default() }).unwrap();
    let first = client.fetch(&large.get(), AMPLE).await.unwrap().whole().unwrap();
    assert_eq!((first.body.len(), budget.used()), (SIZE, SIZE));
    let second = client.fetch(&large.get(), AMPLE).await.unwrap();
    assert_eq!(second.ending, Ending::CutByLimit(Cut::Budget { limit: 2 * SIZE }));
    assert_eq!(budget.used(), SIZE + second.body.len());
    assert_eq!(second.whole().unwrap_err(), WireError::BudgetSpent { limit: 2 * SIZE });
    assert!(client.fetch(&small.get(), AMPLE).await.unwrap().ending.is_clean());
    let copy = first.clone();
    drop(first);
    assert_eq!(budget.used(), SIZE);
    drop(copy);
    assert_eq!(budget.used(), 0);
    assert!(client.fetch(&large.get(), AMPLE).await.unwrap().ending.is_clean());
}

#[tokio::test]
async fn a_trickle_meets_the_deadline_of_the_whole() {
    let time = Duration::from_millis(300);
    let pause = Duration::from_millis(20);
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (start, more) in [(TO_CLOSE, &b"x"[..]), (chunked, b"1\r\nx\r\n")] {
        let server = endless(start, more, pause).await;
        let began = Instant::now();
        let response = client().fetch(&server.get(), time).await.unwrap();
        assert!(began.elapsed() < 2 * time, "{:?}", began.elapsed());
        assert_eq!(response.ending, Ending::TimedOut);
        assert!(response.body.len() > 3, "{}", response.body.len());
        assert!(matches!(response.whole(), Err(WireError::NoAnswer { phase: Phase::Body, .. })));
    }
    let server = endless(b"HTTP/1.1 200 OK\r\nA: ", b"x", pause).await;
    let began = Instant::now();
    let error = client().fetch(&server.get(), time).await.unwrap_err();
    assert!(matches!(error, WireError::NoAnswer { phase: Phase::Head, .. }), "{error:?}");
    assert!(began.elapsed() < 2 * time, "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_announced_length_costs_nothing_until_it_comes() {
    let server = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nx").await;
    let response = client().fetch(&server.get(), AMPLE).await.unwrap();
    assert_eq!(&response.body[..], b"x");
    assert!(matches!(response.ending, Ending::Torn(_)));
}
