//! A stream as a scenario handles it.

use bytes::Bytes;

use super::{pages::Pages, proof::Proof};
use crate::{
    case::Method,
    run::{Answer, Halt, Stage},
    wire::{Body, Request},
};

/// One of the case's streams. Copies are handles on the same stream.
#[derive(Clone)]
pub(super) struct Stream<'a> {
    pub(super) stage: &'a Stage,
    name: String,
    content_type: &'static str,
}

/// How a read is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    CatchUp,
    LongPoll,
}

impl<'a> Stream<'a> {
    pub(super) fn new(stage: &'a Stage, name: String, content_type: &'static str) -> Self {
        Self { stage, name, content_type }
    }

    pub(super) fn is_json(&self) -> bool {
        self.content_type == "application/json"
    }

    /// Creates it, empty, and gives its tail; the case is blocked where that fails.
    pub(super) async fn create(&self) -> Result<String, Halt> {
        let request = self.creating()?;
        self.stage.set_up(request, "create.new-201").await?.next_offset("create.response-next-offset")
    }

    /// Appends, and gives the new tail; the case is blocked where that fails.
    pub(super) async fn append(&self, body: impl Into<Bytes>) -> Result<String, Halt> {
        let request = self.appending(body)?;
        self.stage.set_up(request, "append.success-204").await?.next_offset("append.response-next-offset")
    }

    /// Closes it; the case is blocked where that fails.
    pub(super) async fn close(&self) -> Result<(), Halt> {
        let request = self.stage.request(Method::Post, &self.name, &[])?.header("Stream-Closed", "true");
        self.stage.set_up(request, "closure.close-only-204").await.map(drop)
    }

    /// The tail as HEAD tells it; the case is blocked where that fails.
    pub(super) async fn tail(&self) -> Result<String, Halt> {
        let answer = self.stage.set_up(self.heading()?, "head.exists-200-no-body").await?;
        answer.next_offset("head.exists-200-no-body")
    }

    /// All that is stored from that offset on, page after page; the case is blocked where a page fails.
    pub(super) async fn rest(&self, offset: &str) -> Result<Pages, Halt> {
        Pages::read(self, offset, Mode::CatchUp, None).await
    }

    /// The same by long-polls; at the tail they would wait.
    pub(super) async fn rest_by_long_poll(&self, offset: &str) -> Result<Pages, Halt> {
        Pages::read(self, offset, Mode::LongPoll, None).await
    }

    /// The same by catch-up reads, where a page that fails speaks against a rule.
    pub(super) async fn rest_for(&self, proof: Proof<'_>, offset: &str) -> Result<Pages, Halt> {
        Pages::read(self, offset, Mode::CatchUp, Some(proof)).await
    }

    /// A request that creates it.
    pub(super) fn creating(&self) -> Result<Request, Halt> {
        let request = self.stage.request(Method::Put, &self.name, &[])?;
        Ok(request.header("Content-Type", self.content_type))
    }

    /// A request that appends.
    pub(super) fn appending(&self, body: impl Into<Bytes>) -> Result<Request, Halt> {
        let request = self.stage.request(Method::Post, &self.name, &[])?;
        Ok(request.header("Content-Type", self.content_type).body(Body::Bytes(body.into())))
    }

    /// A request that appends and closes.
    pub(super) fn closing_with(&self, body: impl Into<Bytes>) -> Result<Request, Halt> {
        Ok(self.appending(body)?.header("Stream-Closed", "true"))
    }

    /// A request that deletes it.
    pub(super) fn deleting(&self) -> Result<Request, Halt> {
        self.stage.request(Method::Delete, &self.name, &[])
    }

    /// A request for its metadata.
    pub(super) fn heading(&self) -> Result<Request, Halt> {
        self.stage.request(Method::Head, &self.name, &[])
    }

    /// A read from that offset on.
    pub(super) fn reading(&self, offset: &str) -> Result<Request, Halt> {
        self.stage.request(Method::Get, &self.name, &[("offset", offset)])
    }

    /// A long-poll from that offset on.
    pub(super) fn long_polling(&self, offset: &str) -> Result<Request, Halt> {
        self.stage.request(Method::Get, &self.name, &[("offset", offset), ("live", "long-poll")])
    }

    /// A long-poll that echoes a cursor.
    pub(super) fn long_polling_after(&self, offset: &str, cursor: &str) -> Result<Request, Halt> {
        let query = [("cursor", cursor), ("live", "long-poll"), ("offset", offset)];
        self.stage.request(Method::Get, &self.name, &query)
    }

    /// A read as an event stream from that offset on.
    pub(super) fn listening(&self, offset: &str) -> Result<Request, Halt> {
        self.stage.request(Method::Get, &self.name, &[("offset", offset), ("live", "sse")])
    }

    /// One page of a read. Where it fails, that speaks against the rule that is being proven, or blocks the case.
    pub(super) async fn page(
        &self,
        offset: &str,
        mode: Mode,
        proof: Option<Proof<'_>>,
    ) -> Result<Answer, Halt> {
        let (request, rule) = match mode {
            Mode::CatchUp => (self.reading(offset)?, "read.from-offset"),
            Mode::LongPoll => (self.long_polling(offset)?, "longpoll.data-immediate-200"),
        };
        let Some(proof) = proof else {
            return self.stage.set_up(request, rule).await;
        };
        let answer = match mode {
            Mode::CatchUp => proof.look(request).await?,
            Mode::LongPoll => proof.wait(request).await?,
        };
        proof.success(&answer)?;
        proof.whole(&answer)?;
        Ok(answer)
    }
}
