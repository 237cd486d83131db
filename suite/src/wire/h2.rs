//! HTTP/2 over one connection, by hyper.

use std::{convert::Infallible, error::Error, time::Instant};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    body::{Frame, Incoming},
    client::conn::http2,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{task::JoinHandle, time::timeout_at};

use super::{
    Body, Ending, Head, Headers, Limits, Phase, Timing, Version, WireError,
    connect::Transport,
    h1::Step,
    request::Plan,
    streaming::{End, Opening},
};

type Content = BoxBody<Bytes, Infallible>;

/// A connection and the task that drives it, which ends with it.
pub(super) struct Connection {
    sender: http2::SendRequest<Content>,
    _driver: Driver,
}

struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Connection {
    pub(super) async fn over(
        transport: Transport,
        limits: &Limits,
        started: Instant,
        deadline: Instant,
    ) -> Result<Self, WireError> {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_header_list_size(u32::try_from(limits.head).unwrap_or(u32::MAX))
            .initial_stream_window_size(64 * 1024)
            .initial_connection_window_size(64 * 1024);
        match timeout_at(deadline.into(), builder.handshake(TokioIo::new(transport))).await {
            Ok(Ok((sender, connection))) => {
                let driver = tokio::spawn(async move {
                    // Its failure shows at the request that it interrupts.
                    let _ = connection.await;
                });
                Ok(Self { sender, _driver: Driver(driver) })
            }
            Ok(Err(error)) => Err(broken(&error)),
            Err(_) => Err(WireError::NoAnswer { phase: Phase::Connect, after: started.elapsed() }),
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }

    pub(super) async fn ask(
        mut self,
        plan: &Plan,
        started: Instant,
        deadline: Instant,
    ) -> Result<(Opening, Flow), WireError> {
        let connected = Instant::now();
        let request = request(plan)?;
        let (parts, body) = match timeout_at(deadline.into(), self.sender.send_request(request)).await {
            Ok(Ok(response)) => response.into_parts(),
            Ok(Err(error)) => return Err(broken(&error)),
            Err(_) => return Err(WireError::NoAnswer { phase: Phase::Head, after: started.elapsed() }),
        };
        let head = Head {
            version: Version::Http2,
            status: parts.status.as_u16(),
            reason: String::new(),
            headers: fields(&parts.headers),
            raw: Bytes::new(),
        };
        let now = Instant::now();
        let timing = Timing { started, connected, sent: None, head: now, end: now };
        Ok((
            Opening { head, interim: Vec::new(), timing },
            Flow { connection: self, body, trailers: Headers::default() },
        ))
    }
}

/// The rest of an answer, and the connection it comes on.
pub(super) struct Flow {
    connection: Connection,
    body: Incoming,
    trailers: Headers,
}

impl Flow {
    pub(super) async fn step(&mut self) -> Step {
        loop {
            match self.body.frame().await {
                None => {
                    let trailers = std::mem::take(&mut self.trailers);
                    return Step::End(End { trailers, ..End::with(Ending::Clean) });
                }
                Some(Err(error)) => return Step::End(End::torn(chain(&error))),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if data.is_empty() => {}
                    Ok(data) => return Step::Data(data),
                    Err(frame) => {
                        self.trailers = frame.trailers_ref().map(fields).unwrap_or_default();
                    }
                },
            }
        }
    }

    pub(super) fn into_connection(self) -> Connection {
        self.connection
    }
}

/// Leaves out what HTTP/2 says in other ways.
fn request(plan: &Plan) -> Result<http::Request<Content>, WireError> {
    let mut builder = http::Request::builder()
        .method(plan.method.as_str())
        .uri(plan.target.to_string())
        .version(http::Version::HTTP_2);
    let authority = plan.target.endpoint.authority();
    for (name, value) in plan.headers.iter() {
        let said_otherwise = name.eq_ignore_ascii_case("Connection")
            || name.eq_ignore_ascii_case("Transfer-Encoding")
            || (name.eq_ignore_ascii_case("Host") && value == authority.as_bytes());
        if !said_otherwise {
            builder = builder.header(name, value);
        }
    }
    let unsendable =
        |error: http::Error| WireError::Unsendable { reason: format!("HTTP/2 does not allow it: {error}") };
    builder.body(content(&plan.body)).map_err(unsendable)
}

fn content(body: &Body) -> Content {
    match body {
        Body::Absent => Full::default().boxed(),
        Body::Bytes(bytes) => Full::new(bytes.clone()).boxed(),
        Body::Chunked { chunks, pause } => {
            let pause = *pause;
            let chunks: Vec<_> =
                chunks.iter().filter(|chunk| !chunk.is_empty()).cloned().enumerate().collect();
            let frames = stream::unfold(chunks.into_iter(), move |mut left| async move {
                let (index, chunk) = left.next()?;
                if index > 0 && !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
                Some((Ok(Frame::data(chunk)), left))
            });
            BodyExt::boxed(StreamBody::new(frames))
        }
    }
}

fn fields(map: &http::HeaderMap) -> Headers {
    map.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
}

fn broken(error: &hyper::Error) -> WireError {
    WireError::Broken { received: 0, reason: chain(error) }
}

/// An error and its causes, as hyper's own text leaves out the cause.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
