use std::time::{Duration, Instant};

use streamgauge::wire::{Phase, Request, Target, WireError};
use tokio::{io::AsyncWriteExt, net::TcpListener};

use crate::server::{AMPLE, Server, client, read_request};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test]
async fn connections_are_used_again_unless_a_fresh_one_is_asked_for() {
    let (server, _) = Server::keeping(OK).await;
    let client = client();
    for _ in 0..3 {
        client.fetch(&server.get(), AMPLE).await.unwrap();
    }
    assert_eq!(server.connections(), 1);
    let fresh = Request { fresh_connection: true, ..server.get() };
    client.fetch(&fresh, AMPLE).await.unwrap();
    client.fetch(&fresh, AMPLE).await.unwrap();
    assert_eq!(server.connections(), 3);
    client.fetch(&server.get(), AMPLE).await.unwrap();
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn connections_do_not_rest_for_long() {
    let (server, _) = Server::keeping(OK).await;
    let client = client();
    client.fetch(&server.get(), AMPLE).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    client.fetch(&server.get(), AMPLE).await.unwrap();
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn an_announced_close_is_heeded() {
    let (server, _) =
        Server::keeping(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nconnection: Close\r\n\r\n").await;
    let client = client();
    client.fetch(&server.get(), AMPLE).await.unwrap();
    client.fetch(&server.get(), AMPLE).await.unwrap();
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_connection_closed_while_it_rested_is_not_used() {
    let server = Server::answering(OK).await;
    let client = client();
    for _ in 0..5 {
        client.fetch(&Request::new("POST", server.target.clone()), AMPLE).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.connections(), 5);
}

/// Serves one request well; what it does with a second one on the same connection is up to the test.
async fn well_then(second: &'static [u8]) -> Server {
    Server::new(move |mut stream, number| async move {
        read_request(&mut stream).await;
        stream.write_all(OK).await.unwrap();
        if number == 0 {
            read_request(&mut stream).await;
            stream.write_all(second).await.unwrap();
        }
    })
    .await
}

#[tokio::test]
async fn a_safe_request_outlives_the_close_of_a_used_connection() {
    for second in [&b""[..], b"late bytes of the answer before"] {
        let server = well_then(second).await;
        let client = client();
        client.fetch(&server.get(), AMPLE).await.unwrap();
        let response = client.fetch(&server.get(), AMPLE).await.unwrap();
        assert_eq!(&response.body[..], b"ok");
        assert_eq!(server.connections(), 2);
    }
}

#[tokio::test]
async fn another_request_is_never_sent_twice() {
    for (second, complaint) in [(&b""[..], "closed the connection"), (b"late", "belong to the answer before")]
    {
        let server = well_then(second).await;
        let client = client();
        client.fetch(&server.get(), AMPLE).await.unwrap();
        let error = client.fetch(&Request::new("POST", server.target.clone()), AMPLE).await.unwrap_err();
        assert!(error.to_string().contains(complaint), "{error}");
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn a_connection_with_surplus_is_not_used_again() {
    let (server, _) = Server::keeping(b"HTTP/1.1 204 No Content\r\n\r\nsurplus").await;
    let client = client();
    for _ in 0..2 {
        let response = client.fetch(&server.get(), AMPLE).await.unwrap();
        assert_eq!((response.status(), &response.surplus[..]), (204, &b"surplus"[..]));
    }
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_refused_connection_is_told_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let began = Instant::now();
    let request = Request::new("GET", Target::parse(&format!("http://{address}/")).unwrap());
    let error = client().fetch(&request, AMPLE).await.unwrap_err();
    assert_eq!(error.to_string(), format!("nothing listens on http://{address}: the connection was refused"));
    assert!(began.elapsed() < Duration::from_millis(300), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_name_without_an_address_is_told() {
    // Too long for a name, so that no resolver has to be asked.
    let name = format!("{}.invalid", "x".repeat(70));
    let request = Request::new("GET", Target::parse(&format!("http://{name}/")).unwrap());
    let error = client().fetch(&request, AMPLE).await.unwrap_err();
    assert!(matches!(&error, WireError::Unresolved { host, .. } if *host == name), "{error:?}");
}

#[tokio::test]
async fn every_address_of_a_name_is_tried() {
    // `localhost` is ::1 too where there is IPv6, and nothing listens there.
    let (server, _) = Server::keeping(OK).await;
    let target = Target::parse(&format!("http://localhost:{}/", server.target.endpoint.port)).unwrap();
    assert_eq!(client().fetch(&Request::new("GET", target), AMPLE).await.unwrap().status(), 200);
}

#[tokio::test]
async fn time_that_runs_out_names_what_was_waited_for() {
    let time = Duration::from_millis(200);
    let silent = Server::new(|mut stream, _| async move {
        read_request(&mut stream).await;
        tokio::time::sleep(AMPLE).await;
    })
    .await;
    let error = client().fetch(&silent.get(), time).await.unwrap_err();
    let WireError::NoAnswer { phase: Phase::Head, after } = error else { panic!("{error:?}") };
    assert!(after >= time && after < 2 * time, "{after:?}");

    let deaf = Server::new(|stream, _| async move {
        tokio::time::sleep(AMPLE).await;
        drop(stream);
    })
    .await;
    let body = streamgauge::wire::Body::Bytes(vec![0; 32 * 1024 * 1024].into());
    let request = Request::new("PUT", deaf.target.clone()).body(body);
    let error = client().fetch(&request, time).await.unwrap_err();
    assert!(matches!(error, WireError::NoAnswer { phase: Phase::Send, .. }), "{error:?}");
    assert!(
        error.to_string().starts_with("the server neither took the whole request nor answered within 0.2")
    );

    let tls_to_plain =
        Request::new("GET", Target::parse(&deaf.target.to_string().replace("http", "https")).unwrap());
    let error = client().fetch(&tls_to_plain, time).await.unwrap_err();
    assert!(matches!(error, WireError::NoAnswer { phase: Phase::Connect, .. }), "{error:?}");
}
