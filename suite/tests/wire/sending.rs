use std::time::{Duration, Instant};

use bytes::Bytes;
use streamgauge::wire::{Body, Client, ClientOptions, Headers, Request, Standing, Target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::server::{AMPLE, Server, client};

const NO_CONTENT: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

/// The bytes of a request, as a server sees them.
async fn sent(client: &Client, build: impl FnOnce(Target) -> Request) -> String {
    let (server, seen) = Server::keeping(NO_CONTENT).await;
    let response = client.fetch(&build(server.target.clone()), AMPLE).await.unwrap();
    assert_eq!(response.status(), 204);
    assert!(response.timing.sent.is_some());
    let request = seen.lock().unwrap().remove(0);
    request.replace(&server.target.endpoint.authority(), "AUTHORITY")
}

fn tail() -> String {
    format!("User-Agent: streamgauge/{}\r\nAccept: */*\r\n", env!("CARGO_PKG_VERSION"))
}

#[tokio::test]
async fn a_request_goes_out_as_it_stands() {
    let client = client();
    let request = sent(&client, |target| {
        Request::new("GET", target.with_path_and_query("/a/../b?offset=-1&offset=%2D1&bad=%zz&empty"))
            .header("iF-nONE-mATCH", "\"x\"")
            .header("X-Empty", "")
            .header("Accept", "one")
            .header("accept", "two")
            .header("X-Bytes", b"caf\xe9".to_vec())
            .header("User-Agent", "me")
    })
    .await;
    let expected = "GET /a/../b?offset=-1&offset=%2D1&bad=%zz&empty HTTP/1.1\r\nHost: AUTHORITY\r\n\
        iF-nONE-mATCH: \"x\"\r\nX-Empty:\r\nAccept: one\r\naccept: two\r\nX-Bytes: caf\u{e9}\r\nUser-Agent: me\r\n\r\n";
    assert_eq!(request, expected);
}

#[tokio::test]
async fn methods_need_not_be_known() {
    let request = sent(&client(), |target| Request::new("pUrGe", target)).await;
    assert_eq!(request, format!("pUrGe / HTTP/1.1\r\nHost: AUTHORITY\r\n{}\r\n", tail()));
}

#[tokio::test]
async fn bodies_are_framed_as_asked() {
    let body = |body: Body| async {
        let request = sent(&client(), |target| Request::new("POST", target).body(body)).await;
        request.replace(&tail(), "").replace("POST / HTTP/1.1\r\nHost: AUTHORITY\r\n", "")
    };
    assert_eq!(body(Body::Absent).await, "Content-Length: 0\r\n\r\n");
    assert_eq!(body(Body::Bytes(Bytes::new())).await, "Content-Length: 0\r\n\r\n");
    assert_eq!(body(Body::Bytes(Bytes::from_static(b"hello"))).await, "Content-Length: 5\r\n\r\nhello");
    let chunked = |chunks: &[&'static str]| Body::Chunked {
        chunks: chunks.iter().map(|chunk| Bytes::from_static(chunk.as_bytes())).collect(),
        pause: Duration::ZERO,
    };
    assert_eq!(body(chunked(&[])).await, "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    assert_eq!(
        body(chunked(&["hello", "", "abcdefghijklmnopq"])).await,
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n11\r\nabcdefghijklmnopq\r\n0\r\n\r\n"
    );
}

#[tokio::test]
async fn chunks_are_sent_with_pauses() {
    let chunks = vec![Bytes::from_static(b"a"), Bytes::from_static(b"b"), Bytes::from_static(b"c")];
    let body = Body::Chunked { chunks, pause: Duration::from_millis(60) };
    let began = Instant::now();
    sent(&client(), |target| Request::new("POST", target).body(body)).await;
    assert!(began.elapsed() >= Duration::from_millis(120), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_large_body_arrives_whole() {
    let content = Bytes::from(vec![b'x'; 3 * 1024 * 1024]);
    let request =
        sent(&client(), |target| Request::new("PUT", target).body(Body::Bytes(content.clone()))).await;
    assert!(request.ends_with(&"x".repeat(100)));
    assert_eq!(request.split_once("\r\n\r\n").unwrap().1.len(), content.len());
}

#[tokio::test]
async fn an_answer_may_come_before_all_was_sent() {
    let server = Server::new(|mut stream, _| async move {
        let mut some = [0; 4096];
        stream.read_exact(&mut some).await.unwrap();
        stream.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno").await.unwrap();
        // The rest is never read, and the connection stays.
        tokio::time::sleep(AMPLE).await;
    })
    .await;
    let body = Body::Bytes(vec![0; 32 * 1024 * 1024].into());
    let response =
        client().fetch(&Request::new("PUT", server.target.clone()).body(body), AMPLE).await.unwrap();
    assert_eq!((response.status(), &response.body[..]), (413, &b"no"[..]));
    assert_eq!(response.timing.sent, None);
}

#[tokio::test]
async fn standing_headers_go_to_their_endpoint_only_and_are_never_shown() {
    let (home, at_home) = Server::keeping(NO_CONTENT).await;
    let (away, seen_away) = Server::keeping(NO_CONTENT).await;
    let standing = Standing {
        endpoint: home.target.endpoint.clone(),
        headers: Headers::from([("Authorization", "Bearer secret"), ("X-Team", "secret")]),
    };
    let client = Client::new(ClientOptions { standing: vec![standing], ..ClientOptions::default() }).unwrap();
    client.fetch(&home.get(), AMPLE).await.unwrap();
    client.fetch(&home.get().header("authorization", "other"), AMPLE).await.unwrap();
    client.fetch(&away.get(), AMPLE).await.unwrap();
    let at_home = at_home.lock().unwrap().clone();
    assert!(at_home[0].contains("\r\nAuthorization: Bearer secret\r\nX-Team: secret\r\n"), "{}", at_home[0]);
    assert!(at_home[1].contains("\r\nX-Team: secret\r\nauthorization: other\r\n"), "{}", at_home[1]);
    assert!(!at_home[1].contains("Bearer"));
    assert!(!seen_away.lock().unwrap()[0].contains("secret"));
    assert!(!format!("{client:?}").contains("secret"));
    assert!(format!("{client:?}").contains("Authorization"));
}
