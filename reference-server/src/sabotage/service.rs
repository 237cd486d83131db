//! The server with faults around it: a service that changes what comes in and what goes out.

use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use ::http::{Method, Request, StatusCode, header, request};
use bytes::Bytes;
use http_body::Body;
use http_body_util::Full;
use jiff::Timestamp;
use tower::Service;

use super::{
    Edit, Faults,
    event_edit::EventEdit,
    event_stream,
    matcher::Role,
    pieces::Pieces,
    request_edit::RequestEdit,
    socket::{Surplus, TamperedSocket},
};
use crate::{
    core::{
        headers,
        path::{self, StreamPath},
    },
    http::{App, BoxError, Response, ResponseBody, StreamService},
};

/// The URL path of the log stream.
const LOG_STREAM: &str = "/api/logs/stream";

/// A server with faults.
#[derive(Clone)]
pub(crate) struct TamperedService {
    inner: StreamService,
    app: Arc<App>,
    faults: Arc<Faults>,
    memory: Arc<Memory>,
    surplus: Surplus,
}

/// What faults have to remember.
#[derive(Default)]
struct Memory {
    /// Exchanges by edit and URL path.
    counts: Mutex<HashMap<(usize, String), u32>>,
    /// URL paths of forks.
    forks: Mutex<HashSet<String>>,
    /// URL paths from which something was deleted.
    deleted: Mutex<HashSet<String>>,
}

impl TamperedService {
    /// Puts faults around a server.
    pub(crate) fn new(inner: StreamService, app: Arc<App>, faults: Arc<Faults>) -> Self {
        Self { inner, app, faults, memory: Arc::default(), surplus: Surplus::default() }
    }

    /// A connection with faults, and the service that belongs to it.
    pub(crate) fn connect<S>(&self, socket: S) -> (TamperedSocket<S>, Self) {
        let surplus = Surplus::default();
        let socket = TamperedSocket::new(socket, surplus.clone(), self.faults.exact_names.clone());
        (socket, Self { surplus, ..self.clone() })
    }
}

impl<B> Service<Request<B>> for TamperedService
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
        let service = self.clone();
        Box::pin(async move { Ok(service.answer(request).await) })
    }
}

/// A request whose body is known.
#[derive(Clone)]
struct Known {
    parts: request::Parts,
    body: Bytes,
}

/// What happens to the body of a response on its way out.
#[derive(Default)]
struct BodyChanges {
    events: Vec<EventEdit>,
    pieces: Option<usize>,
}

impl BodyChanges {
    fn apply(self, response: Response) -> Response {
        let mut response = match self.events.is_empty() {
            true => response,
            false => response.map(|body| event_stream::edited(body, self.events)),
        };
        if let Some(size) = self.pieces
            && !response.body().is_end_stream()
        {
            response.headers_mut().remove(header::CONTENT_LENGTH);
            response = response.map(|body| ResponseBody::streamed(Pieces::new(body, size)));
        }
        response
    }
}

impl TamperedService {
    async fn answer<B>(self, request: Request<B>) -> Response
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<BoxError>,
    {
        let (parts, body) = request.into_parts();
        let asked = match self.app.take_body(body).await {
            Ok(body) => Known { parts, body },
            Err(refused) => return refused,
        };
        self.note_fork(&asked.parts);
        let meant = self.meant_by(&asked);
        let mut changed = asked.clone();
        for edit in meant.iter().map(|(_, edit)| edit) {
            edit.request.apply(&mut changed.parts, &mut changed.body);
            for beforehand in &edit.beforehand.0 {
                self.send_besides(&asked, beforehand).await;
            }
        }
        let refusal = meant.iter().find_map(|(_, edit)| edit.refuse.as_ref());
        let mut response = match refusal {
            Some(refusal) => self.app.refusal(refusal.status, &refusal.title),
            None => self.forward(changed.clone()).await,
        };
        if meant.iter().any(|(_, edit)| edit.repeat) {
            drop(self.forward(changed).await);
        }
        self.note_deletion(&asked.parts, response.status());
        let mut changes = BodyChanges::default();
        for (index, edit) in meant {
            response = self.edit_response(index, edit, &asked, response, &mut changes).await;
        }
        changes.apply(response)
    }

    async fn edit_response(
        &self,
        index: usize,
        edit: &Edit,
        asked: &Known,
        response: Response,
        changes: &mut BodyChanges,
    ) -> Response {
        let (parts, body) = response.into_parts();
        let fits = edit.on.fits_response(&parts, &body)
            && (!edit.on.asks_for_response() || self.number_fits(index, edit, &asked.parts));
        let is_event_stream = parts
            .headers
            .get("content-type")
            .is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"));
        let response = Response::from_parts(parts, body);
        if !fits {
            return response;
        }
        if is_event_stream && let Some(events) = &edit.events {
            changes.events.push(events.clone());
        }
        changes.pieces = changes.pieces.or(edit.response.pieces);
        for afterwards in &edit.afterwards.0 {
            self.send_besides(asked, afterwards).await;
        }
        let surplus = &edit.socket.surplus;
        if !surplus.is_empty() {
            self.surplus.order(surplus);
        }
        edit.response.apply(&asked.parts, response).await
    }

    async fn forward(&self, request: Known) -> Response {
        let mut inner = self.inner.clone();
        let Ok(response) = inner.call(Request::from_parts(request.parts, Full::new(request.body))).await;
        response
    }

    /// Sends a variation of what the client sent, and forgets the answer.
    async fn send_besides(&self, asked: &Known, change: &RequestEdit) {
        let mut besides = asked.clone();
        change.apply(&mut besides.parts, &mut besides.body);
        drop(self.forward(besides).await);
    }

    /// The edits whose conditions on the request hold.
    fn meant_by(&self, asked: &Known) -> Vec<(usize, &Edit)> {
        let url_path = asked.parts.uri.path();
        let role = self.role_of(url_path);
        let is_fork = self.memory.forks.lock().is_ok_and(|forks| forks.contains(url_path));
        let is_deleted = self.memory.deleted.lock().is_ok_and(|deleted| deleted.contains(url_path));
        let fits = |edit: &Edit| {
            edit.on.fits_request(&asked.parts, &asked.body, role, is_fork)
                && (is_deleted || !edit.on.deleted)
                && edit
                    .on
                    .stream_type
                    .as_ref()
                    .is_none_or(|test| test.fits(self.type_at(url_path).as_deref()))
        };
        let edits = self.faults.edits().enumerate().filter(|(_, edit)| fits(edit));
        edits
            .filter(|(index, edit)| {
                edit.on.asks_for_response() || self.number_fits(*index, edit, &asked.parts)
            })
            .collect()
    }

    /// Counts the exchange, if the edit wants its exchanges counted.
    fn number_fits(&self, index: usize, edit: &Edit, parts: &request::Parts) -> bool {
        if !edit.on.counts() {
            return true;
        }
        let mut counts = self.memory.counts.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let key = edit.on.counted_by(parts.uri.path());
        let count = counts.entry((index, key.to_owned())).or_default();
        *count += 1;
        edit.on.fits_number(*count)
    }

    fn role_of(&self, url_path: &str) -> Role {
        if url_path == LOG_STREAM {
            return Role::Logs;
        }
        let Some(below) = self.app.root.strip(url_path) else {
            return Role::Any;
        };
        path::reserved(below).map_or(Role::Stream, Role::in_control_space)
    }

    /// The type of the stream at a URL path.
    fn type_at(&self, url_path: &str) -> Option<String> {
        let path = StreamPath::parse(self.app.root.strip(url_path)?).ok()?;
        Some(self.app.store.describe(path.as_str(), Timestamp::now()).ok()?.content_type)
    }

    fn note_deletion(&self, parts: &request::Parts, status: StatusCode) {
        if parts.method == Method::DELETE && status.is_success() {
            let mut deleted = self.memory.deleted.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            deleted.insert(parts.uri.path().to_owned());
        }
    }

    fn note_fork(&self, parts: &request::Parts) {
        if parts.method == Method::PUT && parts.headers.contains_key(headers::STREAM_FORKED_FROM) {
            let mut forks = self.memory.forks.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            forks.insert(parts.uri.path().to_owned());
        }
    }
}
