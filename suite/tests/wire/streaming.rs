use std::time::Duration;

use streamgauge::wire::{Budget, Client, ClientOptions, Cut, Ending, Phase, WireError};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::oneshot,
    time::timeout,
};

use crate::server::{AMPLE, Server, client, read_request};

const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n";

#[tokio::test]
async fn the_head_is_there_before_the_body_and_chunks_come_with_their_time() {
    let server = Server::new(|mut stream, _| async move {
        read_request(&mut stream).await;
        for part in [HEAD, b"5\r\nhello\r\n", b"2\r\n, \r\n", b"5\r\nworld\r\n0\r\n\r\n"] {
            stream.write_all(part).await.unwrap();
            tokio::time::sleep(Duration::from_millis(80)).await;
        }
    })
    .await;
    let mut streaming = client().open(&server.get(), AMPLE).await.unwrap();
    assert_eq!(streaming.head.status, 200);
    let mut chunks = Vec::new();
    while let Some(chunk) = streaming.next().await {
        assert_eq!(streaming.ending(), None);
        chunks.push(chunk);
    }
    assert_eq!(streaming.ending(), Some(&Ending::Clean));
    let texts: Vec<_> = chunks.iter().map(|chunk| &chunk.bytes[..]).collect();
    assert_eq!(texts, [&b"hello"[..], b", ", b"world"]);
    for pair in chunks.windows(2) {
        assert!(pair[1].at - pair[0].at >= Duration::from_millis(60));
    }
    assert_eq!(streaming.received(), 12);
    assert!(streaming.next().await.is_none());
}

#[tokio::test]
async fn giving_up_on_a_chunk_loses_nothing() {
    let server = Server::new(|mut stream, _| async move {
        read_request(&mut stream).await;
        stream.write_all(HEAD).await.unwrap();
        for byte in b"a\r\n0123456789\r\n0\r\n\r\n" {
            tokio::time::sleep(Duration::from_millis(10)).await;
            stream.write_all(&[*byte]).await.unwrap();
        }
    })
    .await;
    let mut streaming = client().open(&server.get(), AMPLE).await.unwrap();
    let mut content = Vec::new();
    loop {
        match timeout(Duration::from_millis(3), streaming.next()).await {
            Err(_) => {}
            Ok(Some(chunk)) => content.extend_from_slice(&chunk.bytes),
            Ok(None) => break,
        }
    }
    assert_eq!(content, b"0123456789");
    assert_eq!(streaming.ending(), Some(&Ending::Clean));
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_torn() {
    let server = Server::answering([HEAD, b"5\r\nhello\r\n"].concat()).await;
    let mut streaming = client().open(&server.get(), AMPLE).await.unwrap();
    assert_eq!(&streaming.next().await.unwrap().bytes[..], b"hello");
    assert!(streaming.next().await.is_none());
    assert!(matches!(streaming.ending(), Some(Ending::Torn(_))), "{:?}", streaming.ending());
}

#[tokio::test]
async fn dropping_it_hangs_up() {
    let (hung_up, told) = oneshot::channel();
    let hung_up = std::sync::Mutex::new(Some(hung_up));
    let server = Server::new(move |mut stream, _| {
        let hung_up = hung_up.lock().unwrap().take().unwrap();
        async move {
            read_request(&mut stream).await;
            stream.write_all(HEAD).await.unwrap();
            let _ = stream.read(&mut [0]).await;
            hung_up.send(()).unwrap();
        }
    })
    .await;
    let streaming = client().open(&server.get(), AMPLE).await.unwrap();
    drop(streaming);
    timeout(Duration::from_secs(1), told).await.expect("the server is told").unwrap();
}

#[tokio::test]
async fn a_head_that_does_not_come_is_an_error() {
    let server = Server::new(|mut stream, _| async move {
        read_request(&mut stream).await;
        tokio::time::sleep(AMPLE).await;
    })
    .await;
    let error = client().open(&server.get(), Duration::from_millis(100)).await.err().unwrap();
    assert!(matches!(error, WireError::NoAnswer { phase: Phase::Head, .. }), "{error:?}");
}

#[tokio::test]
async fn the_rest_can_be_read_at_once() {
    let server = Server::answering([HEAD, b"5\r\nhello\r\n0\r\n\r\n"].concat()).await;
    let streaming = client().open(&server.get(), AMPLE).await.unwrap();
    let response = streaming.into_response(AMPLE).await;
    assert_eq!(&response.body[..], b"hello");
    assert!(response.ending.is_clean());
}

#[tokio::test]
async fn what_is_read_and_what_is_made_of_it_are_counted_until_it_is_dropped() {
    let server = Server::answering([HEAD, b"5\r\nhello\r\n2\r\n, \r\n0\r\n\r\n"].concat()).await;
    let budget = Budget::new(10);
    let client = Client::new(ClientOptions { budget: budget.clone(), ..ClientOptions::default() }).unwrap();
    let mut streaming = client.open(&server.get(), AMPLE).await.unwrap();
    while streaming.next().await.is_some() {}
    assert_eq!(budget.used(), 7);
    assert!(streaming.charge(3));
    assert!(!streaming.charge(1));
    drop(streaming);
    assert_eq!(budget.used(), 0);

    let mut streaming = client.open(&server.get(), AMPLE).await.unwrap();
    assert!(streaming.charge(8));
    while streaming.next().await.is_some() {}
    assert_eq!(streaming.ending(), Some(&Ending::CutByLimit(Cut::Budget { limit: 10 })));
}
