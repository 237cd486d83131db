//! The log-stream endpoint: `GET /api/logs/stream` and what feeds it.
//!
//! Lines are kept in one bounded ring per scope (the service, and each job). A reader of the
//! stream has no queue of its own, only a [`mark`](ring::Mark) in its ring, so it can neither hold
//! up a writer nor make the server grow; what the ring lets go before a reader came by is counted
//! for it in `meta.dropped`.
//!
//! The state ([`entry`], [`ring`], [`batch`], [`channel`], [`store`], [`payload`], [`query`],
//! [`status`]) has no sockets and no clock; [`feed`] and [`stream`] are the HTTP side.

mod batch;
mod channel;
mod config;
mod entry;
mod faults;
mod feed;
mod payload;
mod problem;
mod query;
mod ring;
mod shared;
mod status;
mod store;
mod stream;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post, put};
use tokio_util::sync::CancellationToken;

pub use config::LogsConfig;
pub use entry::{Level, UnknownLevel};
pub use query::{Filter, LogsQuery, QueryError, Scope};

use shared::Logs;

use crate::sabotage::Switches;

/// The routes of the log stream, with a memory of their own.
///
/// - `GET /api/logs/stream?scope=&job_id=&step=&level=&limit=`: events `logs`, `status`, `ping`
/// - `GET /api/logs`: the same filters, the newest entries once, for clients whose stream fails
/// - `POST /api/logs`: takes one entry or an array
/// - `GET` and `PUT /api/jobs/{id}/status`: what the `status` events tell
///
/// When `ending` is cancelled, streams send what waits in a batch and end.
pub fn router(config: LogsConfig, ending: CancellationToken) -> Router {
    faulty_router(config, ending, Switches::NONE)
}

/// The same with faults.
pub(crate) fn faulty_router(config: LogsConfig, ending: CancellationToken, switches: Switches) -> Router {
    let body_limit = DefaultBodyLimit::max(config.max_body_bytes);
    Router::new()
        .route("/api/logs", post(feed::append).get(feed::newest))
        .route("/api/logs/stream", get(stream::open))
        .route("/api/jobs/{id}/status", put(feed::replace_status).get(feed::status))
        .layer(body_limit)
        .with_state(Logs::new(config, ending, switches))
}
