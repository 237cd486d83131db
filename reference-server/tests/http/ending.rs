use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

use super::{
    client::{Event, PATIENCE},
    *,
};

#[tokio::test]
async fn live_reads_end_cleanly_when_the_server_does() {
    let Lab { client, server } = Lab::patient().await;
    let tail = client.put("a", &[TEXT], "x").await.tail().to_owned();
    let mut events = client.events("a?offset=now&live=sse").await;
    events.control().await;
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.get("a?offset=now&live=long-poll", &[]).await }
    });
    tokio::time::sleep(Duration::from_millis(80)).await;
    let (address, told) = (server.addr, Instant::now());
    server.shutdown().await;
    assert!(told.elapsed() < Duration::from_secs(2), "{:?}", told.elapsed());
    let answer = waiting.await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.tail()), (204, tail.as_str()));
    events.end().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_backlog_is_cut_between_two_events() {
    let Lab { client, server } = Lab::patient().await;
    client.put("a", &[TEXT], "").await;
    let line = "x".repeat(1 << 20);
    for _ in 0..30 {
        client.post("a", &[TEXT], &line).await;
    }
    let mut events = client.events("a?offset=-1&live=sse").await;
    let ending = tokio::spawn(server.shutdown());
    let mut last = None;
    while let Some(event) = events.next().await {
        last = Some(event);
    }
    assert!(matches!(last, Some(Event::Control(_)) | None));
    ending.await.unwrap();
}

#[tokio::test]
async fn a_dropped_server_ends_too() {
    let Lab { client, server } = Lab::patient().await;
    client.put("a", &[TEXT], "").await;
    let address = server.addr;
    drop(server);
    let mut attempts = 0;
    while TcpStream::connect(address).await.is_ok() {
        attempts += 1;
        assert!(attempts < 100, "the port is still open");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_request_that_does_not_finish_is_cut_off() {
    let grace = Duration::from_millis(200);
    let Lab { client: _, server } = Lab::with(Config { shutdown_grace: grace, ..Config::default() }).await;
    let mut socket = TcpStream::connect(server.addr).await.unwrap();
    let head = "POST /v1/stream/a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf";
    socket.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(80)).await;
    let told = Instant::now();
    server.shutdown().await;
    assert!(told.elapsed() < Duration::from_secs(2), "{:?}", told.elapsed());
    let mut answer = Vec::new();
    timeout(PATIENCE, socket.read_to_end(&mut answer)).await.expect("the connection stays open").ok();
    assert!(answer.is_empty());
}
