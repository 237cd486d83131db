//! `GET /api/logs/stream`: one reader's event stream.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderName, StatusCode, header};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::payload::{self, Chunks};
use super::problem::Problem;
use super::query::LogsQuery;
use super::shared::Logs;
use super::store::Subscription;
use crate::sabotage::Switch;

pub(super) async fn open(State(logs): State<Logs>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let query = LogsQuery::read(query.as_deref().unwrap_or_default(), logs.switches)?;
    let Some(place) = logs.admit_reader() else {
        let detail = "too many log streams are open";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail));
    };
    let reader = Reader::new(logs, query, place);
    let events = stream::unfold(reader, |mut reader| async move {
        let bytes = reader.next().await?;
        Some((Ok::<_, Infallible>(bytes), reader))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, Body::from_stream(events)).into_response())
}

struct Reader {
    logs: Logs,
    first_batch: Chunks,
    subscription: Subscription,
    next_ping: Instant,
    ending: bool,
    _place: OwnedSemaphorePermit,
}

impl Reader {
    fn new(logs: Logs, query: LogsQuery, place: OwnedSemaphorePermit) -> Self {
        let (first_batch, subscription) = logs.store().subscribe(query);
        Self {
            first_batch: first_batch.into_event_chunks(),
            subscription,
            next_ping: Instant::now() + logs.config.heartbeat,
            ending: false,
            logs,
            _place: place,
        }
    }

    /// What to send next, as soon as there is something; none at the end.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(chunk) = self.first_batch.next() {
            return Some(chunk);
        }
        loop {
            if Instant::now() >= self.next_ping {
                return Some(self.ping());
            }
            let event = self.logs.store().next_event(&mut self.subscription);
            if let Some(event) = event {
                if self.logs.switches.on(Switch::PingsRestart) {
                    self.next_ping = Instant::now() + self.logs.config.heartbeat;
                }
                return Some(event);
            }
            if self.ending {
                return None;
            }
            tokio::select! {
                () = self.logs.ending.cancelled() => {
                    self.logs.store().flush(&self.subscription);
                    self.ending = true;
                }
                changed = self.subscription.ready.changed() => changed.ok()?,
                () = tokio::time::sleep_until(self.next_ping) => {}
            }
        }
    }

    /// Beats missed while the reader did not read are not made up for.
    fn ping(&mut self) -> Bytes {
        let now = Instant::now();
        self.next_ping += self.logs.config.heartbeat;
        if self.next_ping <= now {
            self.next_ping = now + self.logs.config.heartbeat;
        }
        let timestamp = jiff::Timestamp::now();
        payload::event("ping", &format!("{{\"timestamp\":\"{timestamp:.3}\"}}"))
    }
}
