//! Reads that go on beside the steps: waiting long-polls and open event streams.

use std::time::{Duration, Instant};

use tokio_util::task::AbortOnDropHandle;

use super::{event_reader::EventReader, stage::Stage};
use crate::wire::{Request, Response, WireError};

/// A read in the background.
pub(super) enum Background {
    Answer(WaitingRead),
    Events(EventReader),
}

/// A request whose answer is waited for elsewhere.
pub(super) struct WaitingRead {
    pub(super) request: Request,
    pub(super) began: Instant,
    state: Waiting,
}

enum Waiting {
    On(AbortOnDropHandle<Result<Response, WireError>>),
    Over(Box<Result<Response, WireError>>),
}

impl WaitingRead {
    pub(super) fn start(stage: &Stage, request: Request, limit: Duration) -> Self {
        let client = stage.world.target.client.clone();
        let sent = request.clone();
        let answer = AbortOnDropHandle::new(tokio::spawn(async move { client.fetch(&sent, limit).await }));
        Self { request, began: Instant::now(), state: Waiting::On(answer) }
    }

    /// The answer, where it comes until then. It stays here for whoever waits for it later.
    pub(super) async fn answer_by(&mut self, until: Instant) -> Option<&Result<Response, WireError>> {
        if let Waiting::On(answer) = &mut self.state
            && let Ok(joined) = tokio::time::timeout_at(until.into(), answer).await
        {
            self.state = Waiting::Over(Box::new(joined.unwrap_or_else(|_| Err(abandoned()))));
        }
        match &self.state {
            Waiting::On(_) => None,
            Waiting::Over(answer) => Some(answer),
        }
    }

    /// Waits for the answer, which the request's own limit bounds.
    pub(super) async fn answer(self) -> (Request, Instant, Result<Response, WireError>) {
        let answer = match self.state {
            Waiting::On(answer) => answer.await.unwrap_or_else(|_| Err(abandoned())),
            Waiting::Over(answer) => *answer,
        };
        (self.request, self.began, answer)
    }
}

fn abandoned() -> WireError {
    WireError::Unsendable { reason: "the task that read the answer was ended".to_owned() }
}

impl Background {
    /// Stops reading; the connection is closed.
    pub(super) fn leave(self, stage: &Stage) {
        if let Self::Events(reader) = self {
            reader.amend_record(stage);
        }
    }
}
