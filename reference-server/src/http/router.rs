//! Which handler answers, and what all answers share.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::AtomicUsize},
    task::{Context, Poll},
};

use ::http::{HeaderValue, Method, Request, StatusCode, header};
use bytes::Bytes;
use http_body::Body;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{
    BoxError, Response, append, browser_headers, create, delete, head,
    problem::{self, problem},
    read, request_body,
};
use crate::{
    config::Config,
    core::{
        error::Refusal,
        offset::Offset,
        offset_form::OffsetForm,
        path::{self, StreamPath, StreamRoot},
        store::Store,
    },
};

/// Something else that the server answers beside streams: the control API, a log endpoint.
pub trait Endpoint: Send + Sync {
    /// Whether a request to this URL path is its own; asked before the path is taken for a stream.
    fn claims(&self, url_path: &str) -> bool;

    /// Answers a request that it claimed. Browser headers are added afterwards.
    fn answer(&self, request: Request<Bytes>) -> Pin<Box<dyn Future<Output = Response> + Send>>;
}

/// What all handlers share.
pub struct App {
    pub(crate) config: Config,
    pub(crate) root: StreamRoot,
    pub(crate) store: Arc<Store>,
    pub(crate) endpoints: Vec<Arc<dyn Endpoint>>,
    /// Cancelled when the server ends: live reads come to a clean end then.
    pub(crate) ending: CancellationToken,
    /// Open ones.
    pub(crate) connections: AtomicUsize,
}

impl App {
    /// The time, asked for once per request and passed down.
    pub(super) fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// Takes in a request's body, or refuses the request.
    pub(crate) async fn take_body<B>(&self, body: B) -> Result<Bytes, Response>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        match request_body::collect(body, &self.config, self.store.memory()).await {
            Ok(collected) => Ok(collected.bytes),
            Err(refusal) => Err(finish(problem::refuse(&refusal, self.store.offsets))),
        }
    }

    /// An answer that no handler gave.
    pub(crate) fn refusal(&self, status: u16, detail: &str) -> Response {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        finish(problem(status, detail))
    }
}

fn finish(mut response: Response) -> Response {
    browser_headers::add(response.headers_mut());
    response
}

/// The whole server as a tower service.
#[derive(Clone)]
pub struct StreamService {
    app: Arc<App>,
}

impl StreamService {
    /// A service on an assembled application.
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

impl<B> tower::Service<Request<B>> for StreamService
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let app = self.app.clone();
        Box::pin(async move {
            let (offsets, is_head) = (app.store.offsets, request.method() == Method::HEAD);
            let answered = answer(app, request).await;
            let response = finish(answered.unwrap_or_else(|refusal| problem::refuse(&refusal, offsets)));
            Ok(if is_head { head::without_body(response) } else { response })
        })
    }
}

async fn answer<B>(app: Arc<App>, request: Request<B>) -> Result<Response, Refusal>
where
    B: Body<Data = Bytes> + Send,
    B::Error: Into<BoxError>,
{
    let (parts, body) = request.into_parts();
    if parts.method == Method::OPTIONS {
        return Ok(browser_headers::preflight());
    }
    let url_path = parts.uri.path();
    if let Some(endpoint) = app.endpoints.iter().find(|endpoint| endpoint.claims(url_path)) {
        let collected = request_body::collect(body, &app.config, app.store.memory()).await?;
        return Ok(endpoint.answer(Request::from_parts(parts, collected.bytes)).await);
    }
    let path = stream_path(&app.root, url_path)?;
    match parts.method {
        Method::PUT => create::answer(&app, &path, &parts, body).await,
        Method::POST => append::answer(&app, &path, &parts, body).await,
        Method::GET => read::answer(&app, &path, &parts).await,
        Method::HEAD => head::answer(&app, &path),
        Method::DELETE => delete::answer(&app, &path),
        _ => Ok(method_not_allowed()),
    }
}

/// The stream that a URL path names.
///
/// # Errors
/// It lies outside the stream root or in the reserved part of it, or it is not acceptable.
pub(super) fn stream_path<'a>(root: &StreamRoot, url_path: &'a str) -> Result<StreamPath<'a>, Refusal> {
    let encoded = root.strip(url_path).ok_or(Refusal::NotFound)?;
    if path::reserved(encoded).is_some() {
        return Err(Refusal::NotFound);
    }
    Ok(StreamPath::parse(encoded)?)
}

fn method_not_allowed() -> Response {
    let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, "streams know no such method");
    response.headers_mut().insert(header::ALLOW, browser_headers::METHODS);
    response
}

/// An offset as a header value.
pub(super) fn offset_value(offset: Offset, form: OffsetForm) -> HeaderValue {
    let value = match form {
        OffsetForm::Digits => HeaderValue::from_str(offset.token().as_str()),
        form => HeaderValue::from_str(&form.write(offset)),
    };
    value.expect("an offset token is ASCII")
}
