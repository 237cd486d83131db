//! Requests of a case: sent in turn, bounded in time, repeated where the target is at its limit, and recorded.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use super::World;
use super::stage::{Answer, SendFailure, Stage, seen};
use crate::wire::{Client, Ending, Exchange, Headers, Request, Response, WireError};

/// How many bytes of a body a record keeps.
pub(super) const RECORDED_BODY: usize = 4096;

/// For how long at a time a 429 is waited out.
const RATE_LIMIT_PAUSE: Duration = Duration::from_secs(10);

/// Whether a request waits for one of the places that a run has for requests under way.
#[derive(Clone, Copy)]
enum Turn {
    Taken,
    NotTaken,
}

impl Stage {
    /// Sends a request, waits its turn first, and keeps a record. A 429 is waited out.
    pub async fn send(&self, request: Request, limit: Duration) -> Result<Answer, SendFailure> {
        self.send_by(&self.world.target.client, request, limit, Turn::Taken).await
    }

    /// The same for a request that may wait for others: it takes no turn, as it would keep those from theirs.
    pub(crate) async fn send_waiting(
        &self,
        request: Request,
        limit: Duration,
    ) -> Result<Answer, SendFailure> {
        self.send_by(&self.world.target.client, request, limit, Turn::NotTaken).await
    }

    /// The same without the headers that go with every other request.
    pub(crate) async fn send_anonymously(
        &self,
        request: Request,
        limit: Duration,
    ) -> Result<Answer, SendFailure> {
        let client = self.world.target.client.anonymous();
        let client = client.as_ref().unwrap_or(&self.world.target.client);
        self.send_by(client, request, limit, Turn::Taken).await
    }

    /// Whether the answer may be an event stream.
    fn has_no_end(&self, request: &Request) -> bool {
        request.target.path_and_query.contains("live=sse") || self.target().is_log_stream(&request.target)
    }

    async fn send_by(
        &self,
        client: &Client,
        request: Request,
        limit: Duration,
        turn: Turn,
    ) -> Result<Answer, SendFailure> {
        let mut patience = Patience::default();
        loop {
            let began;
            let result = {
                let _permit = match turn {
                    Turn::Taken => Some(self.world.permits.acquire().await),
                    Turn::NotTaken => None,
                };
                began = Instant::now();
                fetch(client, &request, limit, self.has_no_end(&request)).await
            };
            self.world.stalls.note(&result, self.has_no_end(&request));
            let epoch = self.world.epoch;
            let exchange =
                self.keep(Exchange::record(client, &request, &result, began, epoch, RECORDED_BODY));
            let response = result
                .and_then(Response::unless_without_room)
                .map_err(|error| SendFailure { error, exchange })?;
            if let Some(pause) = patience.after(response.status(), response.headers(), &self.world) {
                tokio::time::sleep(pause).await;
                continue;
            }
            self.remember(&request, &response, began);
            return Ok(Answer { seen: seen(&request, &response), exchange });
        }
    }
}

/// Like the client's own `fetch`, but an event stream, which has no end, is read no further than its head.
async fn fetch(
    client: &Client,
    request: &Request,
    limit: Duration,
    asks_for_events: bool,
) -> Result<Response, WireError> {
    if !asks_for_events {
        return client.fetch(request, limit).await;
    }
    let streaming = client.open(request, limit).await?;
    let is_event_stream =
        streaming.head.headers.text("Content-Type").is_some_and(|text| text.starts_with("text/event-stream"));
    if is_event_stream {
        return Ok(Response {
            head: streaming.head.clone(),
            interim: streaming.interim.clone(),
            body: bytes::Bytes::new(),
            trailers: Headers::default(),
            ending: Ending::TimedOut,
            surplus: bytes::Bytes::new(),
            timing: streaming.timing,
        });
    }
    Ok(streaming.into_response(limit).await)
}

/// What a request has left for a target that asks it to come back later.
#[derive(Default)]
pub(super) struct Patience {
    tries: u32,
    waited: Duration,
}

impl Patience {
    /// How often a request comes back, and after what time in all no more.
    const TRIES: u32 = 5;
    const LONGEST: Duration = Duration::from_secs(30);

    /// How long to wait before the same request is sent again; `None` where the answer stands. Once a request came back
    /// in vain, none does any more: who refuses everybody for ever would take all of the run's time.
    pub(super) fn after(&mut self, status: u16, headers: &Headers, world: &World) -> Option<Duration> {
        if status != 429 {
            return None;
        }
        if self.tries == Self::TRIES || self.waited >= Self::LONGEST {
            world.refuses_all.store(true, Ordering::Relaxed);
        }
        if world.refuses_all.load(Ordering::Relaxed) {
            return None;
        }
        let pause = retry_after(headers);
        self.tries += 1;
        self.waited += pause;
        Some(pause)
    }
}

fn retry_after(headers: &Headers) -> Duration {
    let seconds = headers.text("Retry-After").and_then(|text| text.trim().parse::<u64>().ok());
    seconds.map_or(Duration::from_millis(500), Duration::from_secs).min(RATE_LIMIT_PAUSE)
}
