use std::{convert::Infallible, io};

use axum::{
    Router,
    extract::State,
    routing::{any, get},
    serve::ListenerExt,
};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::{Bare, Body, answer};

pub(super) async fn serve_axum(listener: TcpListener, bare: Bare) -> io::Result<()> {
    let one = get(|State(bare): State<Bare>, uri: Uri, headers: HeaderMap| async move {
        bare.get(&uri, &headers).await
    })
    .post(|State(bare): State<Bare>, body: Bytes| async move { bare.post(body) })
    .put(|State(bare): State<Bare>| async move { bare.put() })
    .delete(|State(bare): State<Bare>| async move { bare.delete() });
    let none = any(|| async { answer(StatusCode::NOT_FOUND, Bytes::new()) });
    let router = Router::new().route("/v1/stream/{*path}", one).fallback_service(none).with_state(bare);
    let listener = listener.tap_io(|socket| {
        // It works without, only later.
        let _ = socket.set_nodelay(true);
    });
    axum::serve(listener, router).await
}

pub(super) async fn serve_hyper(listener: TcpListener, bare: Bare) -> io::Result<()> {
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let bare = bare.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| respond(bare.clone(), request));
            // A client that breaks off is no concern of the server.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

async fn respond(bare: Bare, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let (parts, body) = request.into_parts();
    Ok(match parts.method {
        Method::GET => bare.get(&parts.uri, &parts.headers).await,
        Method::POST => match body.collect().await {
            Ok(collected) => bare.post(collected.to_bytes()),
            Err(_) => answer(StatusCode::BAD_REQUEST, Bytes::new()),
        },
        Method::PUT => bare.put(),
        Method::DELETE => bare.delete(),
        _ => answer(StatusCode::NOT_FOUND, Bytes::new()),
    })
}
