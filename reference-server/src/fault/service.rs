//! The server behind faults: they come between every request and its answer.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use ::http::{HeaderValue, Request, header, request::Parts};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::time::sleep;
use tower::Service;

use super::{
    FaultPlan, Kind,
    body::{Act, Point, middle, struck},
    plan::Stage,
};
use crate::http::{App, BoxError, Response};

/// A service with faults around it.
#[derive(Clone)]
pub(crate) struct FaultyService<V> {
    inner: V,
    app: Arc<App>,
    plan: Arc<FaultPlan>,
}

impl FaultPlan {
    /// Puts the faults around a service.
    pub(crate) fn around<V>(self: &Arc<Self>, inner: V, app: Arc<App>) -> FaultyService<V> {
        FaultyService { inner, app, plan: self.clone() }
    }
}

impl<V> Service<Request<Incoming>> for FaultyService<V>
where
    V: Service<Request<Incoming>, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    V::Future: Send,
{
    type Response = Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let service = self.clone();
        Box::pin(service.answer(request))
    }
}

/// An error of the service ends the connection without an answer.
fn hang_up() -> BoxError {
    "hung up on purpose".into()
}

impl<V> FaultyService<V>
where
    V: Service<Request<Incoming>, Response = Response, Error = Infallible> + Send,
    V::Future: Send,
{
    async fn answer(mut self, request: Request<Incoming>) -> Result<Response, BoxError> {
        let (asked, body) = request.into_parts();
        let strikes = self.plan.strikes(&asked, Stage::Request);
        sleep(strikes.iter().map(|strike| strike.latency).sum()).await;
        for strike in &strikes {
            match strike.kind {
                Kind::Refuse { status, retry_after } => return Ok(self.refusal(status, retry_after)),
                Kind::HangUp => return Err(hang_up()),
                _ => {}
            }
        }
        let Ok(response) = self.inner.call(Request::from_parts(asked.clone(), body)).await;
        self.strike_answer(&asked, response)
    }

    fn refusal(&self, status: u16, retry_after: Option<Duration>) -> Response {
        let mut response = self.app.refusal(status, "a fault on purpose");
        if let Some(time) = retry_after {
            let seconds = time.as_millis().div_ceil(1000) as u64;
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    fn strike_answer(&self, asked: &Parts, mut response: Response) -> Result<Response, BoxError> {
        let content_type = response.headers().get(header::CONTENT_TYPE);
        let stage = Stage::Answer {
            has_body: !response.body().is_end_stream(),
            is_event_stream: content_type
                .is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream")),
        };
        for strike in self.plan.strikes(asked, stage) {
            let at = |after: Option<usize>| Point::Bytes(after.unwrap_or_else(|| middle(response.body())));
            let (point, act) = match strike.kind {
                Kind::LoseAnswer => return Err(hang_up()),
                Kind::CutBody { after } => (at(after), Act::Break),
                Kind::Stall { time, after } => (at(after), Act::Pause(time)),
                Kind::CutEvent { after } => (Point::InsideEvent(after), Act::Break),
                Kind::EndEvents { after } => (Point::Events(after), Act::End),
                Kind::Latency(..) | Kind::Refuse { .. } | Kind::HangUp => continue,
            };
            // The length is promised, as it would be without the fault.
            if let Some(length) = response.body().size_hint().exact() {
                response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
            }
            response = response.map(|body| struck(body, point, act));
        }
        Ok(response)
    }
}
