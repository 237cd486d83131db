//! Reads that go on beside the steps: waiting long-polls and open event streams.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use tokio::{sync::watch, task::JoinHandle};

use super::stage::Stage;
use crate::{
    check::{EventLog, LogEnd, SeenEvent},
    sse::{Item, Limits, Parser, Tail},
    wire::{
        Ending, Exchange, Outcome, RecordedRequest, RecordedResponse, Request, Response, Streaming, WireError,
    },
};

/// How many bytes of an event stream a record keeps.
const RECORDED_STREAM: usize = 8 * 1024;

/// How many events are kept: no case needs nearly as many, and small ones cost more than their bytes.
const MOST_EVENTS: usize = 20_000;

/// Bounds on an event stream: what a hostile target may cost in memory.
const STREAM_LIMITS: Limits = Limits { line: 8 << 20, lines: 16 * 1024, event: 8 << 20, waiting: 16 << 20 };

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
    On(JoinHandle<Result<Response, WireError>>),
    Over(Box<Result<Response, WireError>>),
}

impl WaitingRead {
    pub(super) fn start(stage: &Stage, request: Request, limit: Duration) -> Self {
        let client = stage.world.target.client.clone();
        let sent = request.clone();
        let answer = tokio::spawn(async move { client.fetch(&sent, limit).await });
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

/// An open event stream and what it has carried so far.
pub(super) struct EventReader {
    request: Request,
    began: Instant,
    exchange: usize,
    shared: Arc<Shared>,
    changed: watch::Receiver<u64>,
    task: JoinHandle<()>,
}

struct Shared {
    state: Mutex<Reading>,
}

struct Reading {
    log: EventLog,
    record: RecordedResponse,
    beginning: Vec<u8>,
    size: usize,
    ended: Option<Instant>,
}

impl EventReader {
    /// Reads on from an open response, in a task of its own.
    pub(super) fn start(request: Request, began: Instant, exchange: usize, streaming: Streaming) -> Self {
        let base64 = streaming
            .head
            .headers
            .text("stream-sse-data-encoding")
            .is_some_and(|text| text.trim().eq_ignore_ascii_case("base64"));
        let record = RecordedResponse::of_stream(
            &streaming.head,
            &[],
            0,
            &Ending::TimedOut,
            streaming.timing,
            RECORDED_STREAM,
        );
        let log = EventLog { base64, ..EventLog::default() };
        let state = Mutex::new(Reading { log, record, beginning: Vec::new(), size: 0, ended: None });
        let shared = Arc::new(Shared { state });
        let (changes, changed) = watch::channel(0);
        let task = tokio::spawn(read(streaming, Arc::clone(&shared), changes));
        Self { request, began, exchange, shared, changed, task }
    }

    /// What was carried so far.
    pub(super) fn log(&self) -> EventLog {
        self.shared.lock().log.clone()
    }

    /// Waits until something more has come, at most until `until`.
    pub(super) async fn changed_by(&mut self, until: Instant) {
        // A closed channel means that the stream has ended; the log tells.
        if let Ok(Err(_)) = tokio::time::timeout_at(until.into(), self.changed.changed()).await {
            tokio::time::sleep_until(until.min(Instant::now() + Duration::from_millis(20)).into()).await;
        }
    }

    /// For how long the stream was open, if it has ended.
    pub(super) fn lived(&self) -> Option<Duration> {
        self.shared.lock().ended.map(|ended| ended.saturating_duration_since(self.began))
    }

    pub(super) fn exchange(&self) -> usize {
        self.exchange
    }

    /// Brings the record of the exchange up to date.
    pub(super) fn amend_record(&self, stage: &Stage) {
        let reading = self.shared.lock();
        let mut record = reading.record.clone();
        record.body = crate::wire::RecordedBody::of(&reading.beginning, reading.size, RECORDED_STREAM);
        let (complete, ending) = match &reading.log.end {
            LogEnd::Open => (false, "still open when the suite left".to_owned()),
            LogEnd::Cleanly => (true, Ending::Clean.to_string()),
            LogEnd::Torn(why) | LogEnd::Malformed(why) => (false, why.clone()),
        };
        record.complete = complete;
        record.ending = ending;
        stage.amend(
            self.exchange,
            Exchange {
                started_at: self.began.saturating_duration_since(stage.world.epoch),
                duration: reading.ended.unwrap_or_else(Instant::now).saturating_duration_since(self.began),
                request: RecordedRequest::of(&stage.world.target.client, &self.request, RECORDED_STREAM),
                outcome: Outcome::Response(record),
            },
        );
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Reading> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Background {
    /// Stops reading; the connection is closed.
    pub(super) fn leave(self, stage: &Stage) {
        match self {
            Self::Answer(WaitingRead { state: Waiting::On(answer), .. }) => answer.abort(),
            Self::Answer(_) => {}
            Self::Events(reader) => {
                reader.amend_record(stage);
                reader.task.abort();
            }
        }
    }
}

async fn read(mut streaming: Streaming, shared: Arc<Shared>, changes: watch::Sender<u64>) {
    let mut parser = Parser::new(STREAM_LIMITS);
    while let Some(chunk) = streaming.next().await {
        let fed = parser.feed(&chunk.bytes);
        let mut reading = shared.lock();
        let room = RECORDED_STREAM.saturating_sub(reading.beginning.len()).min(chunk.bytes.len());
        reading.beginning.extend_from_slice(&chunk.bytes[..room]);
        reading.size += chunk.bytes.len();
        let mut malformed = fed.err().map(|error| error.to_string());
        while let Some(item) = parser.next_item() {
            // A comment is no event, nor is a block without data, which no client hands on.
            let Item::Event(event) = item else { continue };
            if let Some(at) = event.invalid_utf8 {
                malformed.get_or_insert(format!("bytes that are not UTF-8 in the line at byte {at}"));
            }
            let kind = event.kind().to_owned();
            if let Some(data) = event.data {
                reading.log.events.push(SeenEvent { name: kind, data, at: chunk.at });
            }
        }
        if let Some(why) = malformed {
            reading.log.end = LogEnd::Malformed(why);
            break;
        }
        if reading.log.events.len() > MOST_EVENTS {
            reading.log.end = LogEnd::Torn(format!("the suite reads no more than {MOST_EVENTS} events"));
            break;
        }
        drop(reading);
        changes.send_modify(|count| *count += 1);
    }
    let mut reading = shared.lock();
    reading.ended = Some(Instant::now());
    if reading.log.end == LogEnd::Open {
        reading.log.end = match (streaming.ending(), parser.finish()) {
            (Some(Ending::Clean), tail) => after_the_last_event(&tail),
            (Some(other), _) => LogEnd::Torn(other.to_string()),
            (None, _) => LogEnd::Torn("the suite stopped reading".to_owned()),
        };
    }
    drop(reading);
    changes.send_modify(|count| *count += 1);
}

fn after_the_last_event(tail: &Tail) -> LogEnd {
    match tail.is_torn() {
        false => LogEnd::Cleanly,
        true => LogEnd::Torn("the body ended in the middle of an event".to_owned()),
    }
}
