//! What the server answers beside streams: the page, and the log stream.

use std::{future::Future, pin::Pin};

use ::http::Request;
use axum::{Router, body::Body};
use bytes::Bytes;
use http_body_util::BodyExt;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::{
    config::Config,
    http::{Endpoint, Response, ResponseBody},
    logs, page,
    sabotage::Switches,
};

/// The page at `/`, and the log stream below `/api/`. Where the stream root is `/`, no stream can
/// have these paths.
pub(crate) struct Beside {
    router: Router,
}

impl Beside {
    /// When `ending` is cancelled, log streams come to their end.
    pub(crate) fn new(config: &Config, switches: Switches, ending: CancellationToken) -> Self {
        Self {
            router: page::router(&config.root).merge(logs::faulty_router(
                config.logs.clone(),
                ending,
                switches,
            )),
        }
    }
}

impl Endpoint for Beside {
    fn claims(&self, url_path: &str) -> bool {
        let is_below = |parent| url_path.strip_prefix(parent).is_some_and(|rest: &str| rest.starts_with('/'));
        matches!(url_path, "/" | "/api/logs") || is_below("/api/logs") || is_below("/api/jobs")
    }

    fn answer(&self, request: Request<Bytes>) -> Pin<Box<dyn Future<Output = Response> + Send>> {
        let answered = self.router.clone().oneshot(request.map(Body::from));
        Box::pin(async move {
            let Ok(response) = answered.await;
            response.map(|body| ResponseBody::streamed(body.map_err(Into::into)))
        })
    }
}
