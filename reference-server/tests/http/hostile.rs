//! Requests that no client library would send.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{client::PATIENCE, *};

/// Sends bytes and reads until the server closes; the status of the first answer.
async fn raw(address: SocketAddr, request: &[u8]) -> Option<u16> {
    let mut socket = TcpStream::connect(address).await.unwrap();
    // The server may refuse before it has read everything, and reset what still comes.
    let _ = socket.write_all(request).await;
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, socket.read_to_end(&mut answer)).await.expect("the connection stays open");
    let text = String::from_utf8_lossy(&answer);
    text.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}

async fn request(address: SocketAddr, line: &str, headers: &str, body: &str) -> Option<u16> {
    let text = format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n{body}");
    raw(address, text.as_bytes()).await
}

#[tokio::test]
async fn paths_cannot_climb_or_hide() {
    let Lab { client, server } = Lab::start().await;
    client.put("a", &[TEXT], "x").await;
    for (target, status) in [
        ("/v1/stream/b/../a", 400),
        ("/v1/stream/b/%2e%2e/a", 400),
        ("/v1/stream/b/%2E./a", 400),
        ("/v1/stream/./a", 400),
        ("/v1/stream//a", 400),
        ("/v1/stream/a/", 400),
        ("/v1/stream/b%2f..%2fa", 400),
        ("/v1/stream/a%00", 400),
        ("/v1/stream/a%0d%0aX:y", 400),
        ("/v1/stream/a%5c..", 400),
        ("/v1/stream/%ff", 400),
        ("/v1/stream/", 404),
        ("/v1/stream", 404),
        ("/v1/streams/a", 404),
        ("/V1/stream/a", 404),
        ("/nowhere", 404),
        ("/v1/stream/__ds/none", 404),
        ("/v1/stream/%5F%5Fds/none", 404),
        ("/v1/stream/%61", 200),
        ("http://other.example/v1/stream/a", 200),
    ] {
        let got = request(server.addr, &format!("GET {target}"), "", "").await;
        assert_eq!(got, Some(status), "{target}");
    }
    let long = "x".repeat(5000);
    assert_eq!(request(server.addr, &format!("GET /v1/stream/{long}"), "", "").await, Some(400));
}

#[tokio::test]
async fn emptiness_has_many_forms() {
    let Lab { client, server } = Lab::start().await;
    client.put("a", &[TEXT], "").await;
    let post = "POST /v1/stream/a";
    let typed = "Content-Type: text/plain\r\n";
    for (headers, body, status) in [
        ("", "", 400),
        ("Content-Length: 0\r\n", "", 400),
        ("Transfer-Encoding: chunked\r\n", "0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked\r\n", "1\r\nx\r\n0\r\n\r\n", 204),
        ("Transfer-Encoding: chunked\r\nstream-CLOSED: True\r\n", "0\r\n\r\n", 204),
    ] {
        let got = request(server.addr, post, &format!("{typed}{headers}"), body).await;
        assert_eq!(got, Some(status), "{headers:?} {body:?}");
    }
    assert_eq!(client.get("a", &[]).await.text(), "x");
}

#[tokio::test]
async fn a_body_needs_a_type() {
    let Lab { client, server } = Lab::start().await;
    client.put("a", &[TEXT], "").await;
    for (header, status) in [
        ("", 400),
        ("Content-Type:\r\n", 400),
        ("Content-Type: nonsense\r\n", 400),
        ("Content-Type: text/html\r\n", 409),
        ("CONTENT-TYPE: Text/Plain;charset=utf-8\r\n", 204),
    ] {
        let headers = format!("Content-Length: 1\r\n{header}");
        let got = request(server.addr, "POST /v1/stream/a", &headers, "x").await;
        assert_eq!(got, Some(status), "{header:?}");
    }
}

#[tokio::test]
async fn a_body_that_stops_is_given_up() {
    let config = Config { body_timeout: Duration::from_millis(100), ..Config::default() };
    let Lab { client, server } = Lab::with(config).await;
    client.put("a", &[TEXT], "").await;
    let typed = "Content-Type: text/plain\r\nContent-Length: 100\r\n";
    let got = request(server.addr, "POST /v1/stream/a", typed, "only this").await;
    assert_eq!(got, Some(408));
    assert_eq!(client.get("a", &[]).await.text(), "");
}

#[tokio::test]
async fn a_torn_body_stores_nothing() {
    let Lab { client, server } = Lab::start().await;
    client.put("a", &[TEXT], "").await;
    let mut socket = TcpStream::connect(server.addr).await.unwrap();
    let head =
        "POST /v1/stream/a HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nhalf";
    socket.write_all(head.as_bytes()).await.unwrap();
    drop(socket);
    tokio::time::sleep(Duration::from_millis(80)).await;
    assert_eq!(client.get("a", &[]).await.text(), "");
}

#[tokio::test]
async fn garbage_does_not_disturb_others() {
    let Lab { client, server } = Lab::start().await;
    client.put("a", &[TEXT], "x").await;
    let endless = [&b"GET /v1/stream/a HTTP/1.1\r\nX: "[..], &[b'x'; 1_000_000]].concat();
    for garbage in [&b"\x00\x01\x02\x03\r\n\r\n"[..], b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", &endless] {
        let answer = raw(server.addr, garbage).await;
        assert!(answer.is_none_or(|status| (400..500).contains(&status)), "{answer:?}");
    }
    assert_eq!(client.get("a", &[]).await.text(), "x");
}
