use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{
    Cut, Ending, Head, Headers, Hold, Response, Timing,
    gathered::Gathered,
    h1::{self, Step},
    h2,
};

/// An answer whose head has come and whose body is read as it comes. Dropping it ends the connection.
pub struct Streaming {
    pub head: Head,
    /// The 1xx answers that came before. Not seen over HTTP/2.
    pub interim: Vec<Head>,
    pub timing: Timing,
    flow: Flow,
    hold: Hold,
    limit: usize,
    received: usize,
    end: Option<End>,
}

/// A part of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// When it was read from the connection.
    pub at: Instant,
    pub bytes: Bytes,
}

/// An answer up to the end of its head.
pub(super) struct Opening {
    pub(super) head: Head,
    pub(super) interim: Vec<Head>,
    pub(super) timing: Timing,
}

pub(super) enum Flow {
    H1(h1::Flow),
    H2(h2::Flow),
}

/// What is known once a body has ended.
#[derive(Debug, Clone)]
pub(super) struct End {
    pub(super) ending: Ending,
    pub(super) trailers: Headers,
    pub(super) surplus: Bytes,
}

impl End {
    pub(super) fn torn(reason: impl Into<String>) -> Self {
        Self::with(Ending::Torn(reason.into()))
    }

    pub(super) fn with(ending: Ending) -> Self {
        Self { ending, trailers: Headers::default(), surplus: Bytes::new() }
    }
}

impl Streaming {
    pub(super) fn new(opening: Opening, flow: Flow, hold: Hold, limit: usize) -> Self {
        let Opening { head, interim, timing } = opening;
        Self { head, interim, timing, flow, hold, limit, received: 0, end: None }
    }

    /// Waits for the next part of the body; `None` when it ended, and then [`Self::ending`] says how.
    /// Dropping the future loses nothing: the next call goes on where this one was.
    ///
    /// There is no deadline here; the caller has one. The parts handed out stay counted in the client's budget until this value is dropped.
    pub async fn next(&mut self) -> Option<Chunk> {
        if self.end.is_some() {
            return None;
        }
        let step = match &mut self.flow {
            Flow::H1(flow) => flow.step().await,
            Flow::H2(flow) => flow.step().await,
        };
        let at = Instant::now();
        let end = match step {
            Step::Data(bytes) => match self.take(bytes) {
                Ok(bytes) => return Some(Chunk { at, bytes }),
                Err(cut) => End::with(Ending::CutByLimit(cut)),
            },
            Step::End(end) => end,
        };
        self.timing.end = at;
        self.end = Some(end);
        None
    }

    /// Counts, beside the parts themselves, memory that the caller keeps for what it made of them, in bytes: many small
    /// events take far more room than they took on the wire. `false`, and nothing counted, when the budget has no
    /// room for it; reading on would then break the bound.
    #[must_use]
    pub fn charge(&mut self, bytes: usize) -> bool {
        self.hold.grow(bytes)
    }

    /// Counts anew what an earlier charge of `before` bytes stands for; `false`, and nothing changed, when the budget has
    /// no room for `now`.
    #[must_use]
    pub fn recharge(&mut self, before: usize, now: usize) -> bool {
        match now.checked_sub(before) {
            Some(more) => self.hold.grow(more),
            None => {
                self.hold.give_back(before - now);
                true
            }
        }
    }

    /// Ends the connection; what stays counted in the budget, for as long as the hold lives, is at most `bytes`.
    pub fn into_hold(self, bytes: usize) -> Hold {
        let Self { mut hold, .. } = self;
        hold.shrink_to(bytes);
        hold
    }

    /// How the body ended; `None` while it has not.
    pub fn ending(&self) -> Option<&Ending> {
        self.end.as_ref().map(|end| &end.ending)
    }

    /// Bytes of content handed out so far.
    pub fn received(&self) -> usize {
        self.received
    }

    /// Reads on to the end of the body, for at most `time` from now. Parts that were handed out are not in it.
    pub async fn into_response(self, time: Duration) -> Response {
        self.collect(Instant::now() + time).await.0
    }

    fn take(&mut self, bytes: Bytes) -> Result<Bytes, Cut> {
        let total = self.received + bytes.len();
        if total > self.limit {
            return Err(Cut::Body { limit: self.limit });
        }
        if !self.hold.grow(bytes.len()) {
            return Err(Cut::Budget { limit: self.hold.limit() });
        }
        self.received = total;
        Ok(bytes)
    }

    /// Reads on to the end of the body, but not beyond the deadline; gives the connection back too.
    pub(super) async fn collect(mut self, deadline: Instant) -> (Response, Flow) {
        let mut body = Gathered::default();
        loop {
            match tokio::time::timeout_at(deadline.into(), self.next()).await {
                Ok(Some(chunk)) => body.add(&chunk.bytes),
                Ok(None) => break,
                Err(_) => {
                    self.timing.end = Instant::now();
                    self.end = Some(End::with(Ending::TimedOut));
                    break;
                }
            }
        }
        let Self { head, interim, timing, flow, hold, end, .. } = self;
        let End { ending, trailers, surplus } = end.unwrap_or_else(|| End::with(Ending::TimedOut));
        let body = settle(body, &ending, hold);
        (Response { head, interim, body, trailers, ending, surplus, timing }, flow)
    }
}

/// What is kept of a body: all of it, unless it was too large.
///
/// It stays counted in the budget for as long as any clone of it lives.
pub(super) fn settle(body: Gathered, ending: &Ending, mut hold: Hold) -> Bytes {
    let body = match ending {
        Ending::CutByLimit(_) => body.into_beginning(),
        _ => body.into_bytes(),
    };
    hold.shrink_to(body.len());
    match body.is_empty() {
        true => body,
        false => Bytes::from_owner(Held { body, _hold: hold }),
    }
}

/// A body with its share of the budget.
struct Held {
    body: Bytes,
    _hold: Hold,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}
