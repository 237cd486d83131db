//! Bytes as they are: for requests that no client would send, and for what follows an answer.

use std::{
    io,
    pin::pin,
    sync::OnceLock,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    sync::Notify,
    time::timeout_at,
};

use super::{
    Budget, Cut, Ending, Head, Hold, Limits, Phase, Response, Timing, WireError,
    connect::Transport,
    gathered::Gathered,
    h1::{self, Decoder, Framing, HeadReader, Step},
    streaming::{End, settle},
};

/// What is sent, and which answers are expected.
#[derive(Debug, Clone, Default)]
pub struct Script {
    pub pieces: Vec<Piece>,
    /// One entry for each answer to wait for, in order: pipelined requests have several.
    pub answers: Vec<AnswerTo>,
    /// How long to go on reading after the last answer, to catch bytes that should not be there.
    pub grace: Duration,
    /// Whether to end the sending direction (FIN) after the last piece.
    pub half_close: bool,
}

impl Script {
    /// One piece, sent at once; one answer, and a grace of 200 ms.
    pub fn simple(bytes: impl Into<Bytes>, answer: AnswerTo) -> Self {
        Self {
            pieces: vec![Piece { cue: Cue::AtOnce, bytes: bytes.into() }],
            answers: vec![answer],
            grace: Duration::from_millis(200),
            half_close: false,
        }
    }
}

/// Bytes, and when they are sent.
#[derive(Debug, Clone)]
pub struct Piece {
    pub cue: Cue,
    pub bytes: Bytes,
}

/// When a piece is sent, seen from the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cue {
    AtOnce,
    After(Duration),
    /// When an interim answer (100 Continue, for instance) has come.
    OnInterim,
}

/// What an answer answers, which decides whether it may have a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerTo {
    Head,
    Other,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Transcript {
    /// As many as the script expects, unless one was not whole or `failure` says what happened instead of the next.
    pub responses: Vec<Response>,
    /// What stopped the reading before all expected answers were there.
    pub failure: Option<WireError>,
    /// What came after the last answer, within the grace; at most 64 KiB.
    pub surplus: Bytes,
    /// How the connection was left; `None` when an answer was not whole, so that nothing was looked for after it.
    pub afterwards: Option<Afterwards>,
}

/// The state of the connection when the grace was over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Afterwards {
    Open,
    /// The server ended it (FIN).
    Closed,
    /// It broke (RST); the text says how.
    Broken(String),
}

/// The most that is kept of what follows the last answer, in bytes.
const LONGEST_SURPLUS: usize = 64 * 1024;

pub(super) async fn exchange(
    mut transport: Transport,
    script: &Script,
    limits: Limits,
    budget: &Budget,
    started: Instant,
    deadline: Instant,
) -> Result<Transcript, WireError> {
    let (interim_came, sent) = (Notify::new(), OnceLock::new());
    let (reader, writer) = tokio::io::split(&mut transport);
    let mut reading = Reading {
        reader,
        buffer: BytesMut::new(),
        limits,
        budget,
        interim_came: &interim_came,
        started,
        connected: Instant::now(),
        sent: &sent,
        deadline,
    };
    let mut sending = pin!(send(writer, script, &interim_came));
    let mut receiving = pin!(receive(&mut reading, script));
    tokio::select! {
        biased;
        outcome = &mut sending => {
            // Where sending failed, reading tells why.
            if outcome.is_ok() {
                sent.get_or_init(Instant::now);
            }
            receiving.await
        }
        transcript = &mut receiving => transcript,
    }
}

async fn send(mut writer: impl AsyncWrite + Unpin, script: &Script, interim_came: &Notify) -> io::Result<()> {
    for piece in &script.pieces {
        match piece.cue {
            Cue::AtOnce => {}
            Cue::After(pause) => tokio::time::sleep(pause).await,
            Cue::OnInterim => interim_came.notified().await,
        }
        writer.write_all(&piece.bytes).await?;
        writer.flush().await?;
    }
    if script.half_close {
        writer.shutdown().await?;
    }
    Ok(())
}

async fn receive<R: AsyncRead + Unpin>(
    reading: &mut Reading<'_, R>,
    script: &Script,
) -> Result<Transcript, WireError> {
    let mut responses = Vec::new();
    let mut failure = None;
    for answer in &script.answers {
        match reading.response(*answer).await {
            Ok(response) => responses.push(response),
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
        if responses.last().is_some_and(|response| !response.ending.is_clean()) {
            break;
        }
    }
    match failure {
        Some(error) if responses.is_empty() => Err(error),
        None if responses.iter().all(|response| response.ending.is_clean()) => {
            let afterwards = Some(reading.linger(script.grace).await);
            let surplus = reading.buffer.split().freeze();
            Ok(Transcript { responses, failure, surplus, afterwards })
        }
        failure => Ok(Transcript { responses, failure, surplus: Bytes::new(), afterwards: None }),
    }
}

/// The receiving side of an exchange.
struct Reading<'a, R> {
    reader: R,
    buffer: BytesMut,
    limits: Limits,
    budget: &'a Budget,
    interim_came: &'a Notify,
    started: Instant,
    connected: Instant,
    sent: &'a OnceLock<Instant>,
    deadline: Instant,
}

impl<R: AsyncRead + Unpin> Reading<'_, R> {
    async fn response(&mut self, answer: AnswerTo) -> Result<Response, WireError> {
        let deadline = self.deadline;
        let heads = timeout_at(deadline.into(), self.heads()).await;
        let (interim, head) = heads.unwrap_or_else(|_| {
            let phase = if self.sent.get().is_some() { Phase::Head } else { Phase::Send };
            Err(WireError::NoAnswer { phase, after: self.started.elapsed() })
        })?;
        let framing =
            Framing::of(&head, answer == AnswerTo::Head).map_err(|reason| WireError::Malformed { reason })?;
        let came = Instant::now();
        let mut decoder = Decoder::new(framing);
        let mut body = Gathered::default();
        let mut hold = self.budget.hold();
        let end = match timeout_at(deadline.into(), self.body(&mut decoder, &mut body, &mut hold)).await {
            Ok(end) => end,
            Err(_) => End::with(Ending::TimedOut),
        };
        let Self { started, connected, sent, .. } = *self;
        let timing =
            Timing { started, connected, sent: sent.get().copied(), head: came, end: Instant::now() };
        let End { ending, trailers, .. } = end;
        let body = settle(body, &ending, hold);
        Ok(Response { head, interim, body, trailers, ending, surplus: Bytes::new(), timing })
    }

    async fn heads(&mut self) -> Result<(Vec<Head>, Head), WireError> {
        let mut heads = HeadReader::new(&self.limits);
        let mut interim = Vec::new();
        loop {
            let head = h1::read_head(&mut self.reader, &mut self.buffer, &mut heads).await?;
            if !h1::is_interim(&head) {
                return Ok((interim, head));
            }
            self.interim_came.notify_one();
            interim.push(head);
        }
    }

    async fn body(&mut self, decoder: &mut Decoder, body: &mut Gathered, hold: &mut Hold) -> End {
        let mut received = 0;
        loop {
            match h1::step(&mut self.reader, &mut self.buffer, decoder).await {
                Step::End(end) => return end,
                Step::Data(bytes) if received + bytes.len() > self.limits.body => {
                    return End::with(Ending::CutByLimit(Cut::Body { limit: self.limits.body }));
                }
                Step::Data(bytes) if !hold.grow(bytes.len()) => {
                    return End::with(Ending::CutByLimit(Cut::Budget { limit: hold.limit() }));
                }
                Step::Data(bytes) => {
                    received += bytes.len();
                    body.add(&bytes);
                }
            }
        }
    }

    /// Reads what follows, until the grace is over, the connection ends or the bound is met.
    async fn linger(&mut self, grace: Duration) -> Afterwards {
        let until = (Instant::now() + grace).min(self.deadline);
        while self.buffer.len() < LONGEST_SURPLUS {
            match timeout_at(until.into(), h1::read_more(&mut self.reader, &mut self.buffer)).await {
                Err(_) => return Afterwards::Open,
                Ok(Ok(0)) => return Afterwards::Closed,
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Afterwards::Broken(error.to_string()),
            }
        }
        self.buffer.truncate(LONGEST_SURPLUS);
        Afterwards::Open
    }
}
