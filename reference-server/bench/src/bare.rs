//! Servers that answer what the reference server answers, byte for byte in number, and do nothing else: what the
//! libraries under it can do at best.

mod libraries;

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use clap::ValueEnum;
use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Uri, header};
use http_body::Frame;
use http_body_util::{BodyExt, Either, Full, StreamBody, combinators::UnsyncBoxBody};
use streamgauge_reference_server::Config;
use tokio::{net::TcpListener, sync::watch};

use self::libraries::{serve_axum, serve_hyper};

/// What a server of this program is made of.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Library {
    Axum,
    Hyper,
    Reference,
}

impl Library {
    pub(crate) async fn serve(self, listener: TcpListener) -> std::io::Result<()> {
        match self {
            Self::Axum => serve_axum(listener, Bare::default()).await,
            Self::Hyper => serve_hyper(listener, Bare::default()).await,
            Self::Reference => {
                let mut config = Config::default();
                // A million streams and 1 GiB are to fit.
                config.limits.streams = 2_000_000;
                config.limits.memory = 4 << 30;
                streamgauge_reference_server::serve(listener, config, std::future::pending::<()>()).await
            }
        }
    }
}

type Body = Either<Full<Bytes>, UnsyncBoxBody<Bytes, Infallible>>;

/// The last body that was posted, for those who wait: all that a bare server knows.
#[derive(Clone)]
struct Bare {
    posted: Arc<watch::Sender<Bytes>>,
    page: Bytes,
}

impl Default for Bare {
    fn default() -> Self {
        Self { posted: Arc::new(watch::Sender::new(Bytes::new())), page: vec![b'x'; 64 * 1024].into() }
    }
}

const OFFSET: &str = "0000000000000000_0000000000000100";
const TAG: &str = "\"0000000000000000:0:65536\"";
const CONTROL: &str = "event: control\ndata:{\"streamNextOffset\":\"0000000000000000_0000000000000100\",\"streamCursor\":\"15000000\",\"upToDate\":true}\n\n";

impl Bare {
    fn put(&self) -> Response<Body> {
        let mut response = answer(StatusCode::CREATED, Bytes::new());
        add(&mut response, header::CONTENT_TYPE, "text/plain");
        response
    }

    fn post(&self, body: Bytes) -> Response<Body> {
        self.posted.send_replace(body);
        answer(StatusCode::NO_CONTENT, Bytes::new())
    }

    fn delete(&self) -> Response<Body> {
        answer(StatusCode::NO_CONTENT, Bytes::new())
    }

    async fn get(&self, uri: &Uri, headers: &HeaderMap) -> Response<Body> {
        let query = uri.query().unwrap_or_default();
        if query.contains("live=sse") {
            return self.events();
        }
        if query.contains("live=long-poll") {
            let mut posted = self.posted.subscribe();
            // The sender lives as long as the server.
            let _ = posted.changed().await;
            let body = posted.borrow().clone();
            let mut response = page(StatusCode::OK, body);
            add(&mut response, HeaderName::from_static("stream-cursor"), "15000000");
            return response;
        }
        if headers.contains_key(header::IF_NONE_MATCH) {
            return page(StatusCode::NOT_MODIFIED, Bytes::new());
        }
        page(StatusCode::OK, self.page.clone())
    }

    fn events(&self) -> Response<Body> {
        let mut posted = self.posted.subscribe();
        posted.mark_unchanged();
        let events = stream::unfold((posted, true), |(mut posted, is_first)| async move {
            if is_first {
                return Some((Ok(Frame::data(Bytes::from_static(CONTROL.as_bytes()))), (posted, false)));
            }
            posted.changed().await.ok()?;
            let event = {
                let body = posted.borrow();
                [b"event: data\ndata:", &body[..], b"\n\n", CONTROL.as_bytes()].concat()
            };
            Some((Ok(Frame::data(event.into())), (posted, false)))
        });
        let mut response = Response::new(Either::Right(StreamBody::new(events).boxed_unsync()));
        add(&mut response, header::CONTENT_TYPE, "text/event-stream");
        response
    }
}

fn page(status: StatusCode, body: Bytes) -> Response<Body> {
    let mut response = answer(status, body);
    add(&mut response, HeaderName::from_static("stream-up-to-date"), "true");
    add(&mut response, header::CACHE_CONTROL, "public, max-age=60, stale-while-revalidate=300");
    add(&mut response, header::ETAG, TAG);
    if status == StatusCode::OK {
        add(&mut response, header::CONTENT_TYPE, "text/plain");
    }
    response
}

fn answer(status: StatusCode, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::new(body)));
    *response.status_mut() = status;
    for (name, value) in [
        ("stream-next-offset", OFFSET),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("access-control-allow-origin", "*"),
        (
            "access-control-expose-headers",
            "etag, location, producer-epoch, producer-expected-seq, producer-received-seq, producer-seq, \
             stream-closed, stream-cursor, stream-expires-at, stream-next-offset, stream-sse-data-encoding, \
             stream-ttl, stream-up-to-date",
        ),
    ] {
        add(&mut response, HeaderName::from_static(name), value);
    }
    response
}

fn add(response: &mut Response<Body>, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests;
