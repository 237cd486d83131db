//! Clients that take their time.

use super::*;

fn hasty() -> Config {
    Config {
        idle_timeout: Duration::from_millis(400),
        body_timeout: Duration::from_millis(400),
        write_timeout: Duration::from_millis(400),
        sse_lifetime: Duration::from_secs(600),
        long_poll_timeout: Duration::from_secs(600),
        ..Config::default()
    }
}

/// Sends byte by byte, slower than any patience allows in all, until the server hangs up.
async fn trickle(server: &RunningServer, beginning: &str, byte: &[u8]) {
    let mut socket = TcpStream::connect(server.addr).await.unwrap();
    socket.write_all(beginning.as_bytes()).await.unwrap();
    let until = Instant::now() + Duration::from_secs(5);
    let mut answer = [0; 1024];
    while Instant::now() < until {
        if socket.write_all(byte).await.is_err() {
            return;
        }
        if let Ok(Ok(0) | Err(_)) = timeout(Duration::from_millis(50), socket.read(&mut answer)).await {
            return;
        }
    }
    panic!("a head that trickles is waited for without end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_trickles_is_cut() {
    let server = server(hasty()).await;
    trickle(&server, "GET /v1/stream/a HTTP/1.1\r\nX: ", b"x").await;
    trickle(&server, "GET /v1/stream/a HTTP/1.1\r\n", b"X: y\r\n").await;
    comes_to_rest(&server, 0, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_pauses_is_refused_and_nothing_is_stored() {
    let server = server(hasty()).await;
    ask(&server, "PUT", "a", TEXT, "").await;
    for body in ["Content-Length: 100\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"] {
        let request = format!("POST /v1/stream/a HTTP/1.1\r\nHost: x\r\n{TEXT}Connection: close\r\n{body}");
        assert_eq!(statuses(&raw(server.addr, request.as_bytes()).await), [408]);
    }
    assert!(ask(&server, "GET", "a?offset=-1", "", "").await.1.ends_with("\r\n\r\n"));
    comes_to_rest(&server, 1, 0).await;
}

/// The kernel takes some mebibytes on its own, so there is more to read than that.
#[tokio::test(flavor = "multi_thread")]
async fn readers_that_never_read_are_cut() {
    let server = server(hasty()).await;
    ask(&server, "PUT", "a", TEXT, "").await;
    let (piece, pieces) = ("x".repeat(1 << 20), 24);
    let mut sockets = Vec::new();
    for live in ["?offset=-1&live=sse", "?offset=-1"] {
        let mut socket = TcpStream::connect(server.addr).await.unwrap();
        let request = format!("GET /v1/stream/a{live} HTTP/1.1\r\nHost: x\r\n\r\n");
        // A page is asked for again and again, an event stream once.
        let times = if live.contains("sse") { 1 } else { 64 };
        socket.write_all(request.repeat(times).as_bytes()).await.unwrap();
        sockets.push(socket);
    }
    for _ in 0..pieces {
        assert_eq!(ask(&server, "POST", "a", TEXT, &piece).await.0, 204);
    }
    others_are_served(&server).await;
    comes_to_rest(&server, 1, (piece.len() * pieces) as u64).await;
    drop(sockets);
    ask(&server, "DELETE", "a", "", "").await;
    comes_to_rest(&server, 0, 0).await;
}
