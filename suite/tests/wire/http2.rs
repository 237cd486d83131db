use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::{
    Response,
    body::{Frame, Incoming},
    server::conn::http2,
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use streamgauge::wire::{Body, Client, ClientOptions, Ending, Phase, Request, Version, WireError};
use tokio::io::AsyncWriteExt;

use crate::server::{AMPLE, Server};

/// Answers with method, path and body of the request, in two frames and trailers.
async fn echo(
    request: http::Request<Incoming>,
) -> Result<Response<impl hyper::body::Body<Data = Bytes, Error = Infallible>>, Infallible> {
    let said = format!("{} {} ", request.method(), request.uri());
    let agent = request.headers()["x-asked"].clone();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let mut trailers = http::HeaderMap::new();
    trailers.insert("t", "u".parse().unwrap());
    let frames = [Frame::data(Bytes::from(said)), Frame::data(body), Frame::trailers(trailers)];
    let body = StreamBody::new(stream::iter(frames.map(Ok)));
    Ok(Response::builder().status(207).header("X-Asked", agent).body(body).unwrap())
}

async fn server() -> Server {
    Server::new(|stream, _| async move {
        let _ = http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), service_fn(echo))
            .await;
    })
    .await
}

fn client() -> Client {
    Client::new(ClientOptions { http2: true, ..ClientOptions::default() }).unwrap()
}

#[tokio::test]
async fn requests_go_out_and_answers_come_in() {
    let server = server().await;
    let client = client();
    let chunks = vec![Bytes::from_static(b"hel"), Bytes::from_static(b"lo")];
    for body in
        [Body::Bytes(Bytes::from_static(b"hello")), Body::Chunked { chunks, pause: Duration::from_millis(5) }]
    {
        let target = server.target.with_path_and_query("/a/../b?x=1&x=%32");
        let request = Request::new("PUT", target.clone()).header("X-ASKED", "yes").body(body);
        let response = client.fetch(&request, AMPLE).await.unwrap();
        assert_eq!((response.status(), response.head.version), (207, Version::Http2));
        assert_eq!(response.headers().text("X-Asked").as_deref(), Some("yes"));
        assert_eq!(String::from_utf8_lossy(&response.body), format!("PUT {target} hello"));
        assert_eq!(response.trailers.text("t").as_deref(), Some("u"));
        assert!(response.ending.is_clean());
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_stream_that_is_reset_is_torn() {
    let server = Server::new(|stream, _| async move {
        let service = service_fn(|_| async {
            let frames =
                stream::iter([Ok(Frame::data(Bytes::from_static(b"half")))]).chain(stream::once(async {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    Err(std::io::Error::other("gone"))
                }));
            Ok::<_, Infallible>(Response::new(StreamBody::new(frames)))
        });
        let _ =
            http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
    })
    .await;
    let response = client().fetch(&server.get(), AMPLE).await.unwrap();
    assert_eq!(&response.body[..], b"half");
    assert!(matches!(response.ending, Ending::Torn(_)), "{:?}", response.ending);
}

#[tokio::test]
async fn a_server_that_speaks_http1_only_is_told() {
    let server = Server::new(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
        tokio::time::sleep(AMPLE).await;
    })
    .await;
    let error = client().fetch(&server.get(), AMPLE).await.unwrap_err();
    assert!(matches!(error, WireError::Broken { .. }), "{error:?}");
}

#[tokio::test]
async fn silence_meets_the_deadline() {
    let server = Server::new(|stream, _| async move {
        tokio::time::sleep(AMPLE).await;
        drop(stream);
    })
    .await;
    let error = client().fetch(&server.get(), Duration::from_millis(150)).await.unwrap_err();
    assert!(matches!(error, WireError::NoAnswer { phase: Phase::Head, .. }), "{error:?}");
}

#[tokio::test]
async fn what_http2_cannot_carry_is_refused() {
    let server = server().await;
    let request = Request::new("GET", server.target.clone()).header("a\u{e9}", "b");
    let error = client().fetch(&request, AMPLE).await.unwrap_err();
    assert!(matches!(error, WireError::Unsendable { .. }), "{error:?}");
}
