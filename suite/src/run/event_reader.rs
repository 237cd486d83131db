//! An event stream that is read beside the steps.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::{
    send::Patience,
    stage::{Answer, SendFailure, Stage},
};
use crate::{
    check::{EventLog, LogEnd, Seen, SeenEvent},
    sse::{Item, Limits, Line, Parser, Tail},
    wire::{Ending, Exchange, Hold, Outcome, RecordedRequest, RecordedResponse, Request, Streaming},
};

/// How many bytes of an event stream a record keeps.
const RECORDED_STREAM: usize = 8 * 1024;

/// How many events are kept: no case needs nearly as many.
const MOST_EVENTS: usize = 3_000;

/// What one event costs beside its texts, in bytes.
const EVENT: usize = size_of::<SeenEvent>() + 64;

/// Bounds on an event stream: what a hostile target may cost in memory.
const STREAM_LIMITS: Limits = Limits { line: 4 << 20, lines: 64 * 1024, event: 4 << 20, waiting: 8 << 20 };

impl Stage {
    /// Sends a request and, where the answer is an event stream, reads on in the background. The answer has no body.
    /// A 429 is waited out.
    pub(crate) async fn open_events(&self, request: Request) -> Result<(Answer, EventReader), SendFailure> {
        let mut patience = Patience::default();
        loop {
            let (answer, reader) = self.open_events_once(request.clone()).await?;
            match patience.after(answer.seen.status, &answer.seen.headers, &self.world) {
                None => return Ok((answer, reader)),
                Some(pause) => tokio::time::sleep(pause).await,
            }
        }
    }

    async fn open_events_once(&self, request: Request) -> Result<(Answer, EventReader), SendFailure> {
        let began = Instant::now();
        let opened = {
            let _permit = self.world.permits.acquire().await;
            self.world.target.client.open(&request, self.world.options.request_limit).await
        };
        let recorded = |outcome: Outcome| Exchange {
            started_at: began.saturating_duration_since(self.world.epoch),
            duration: began.elapsed(),
            request: RecordedRequest::of(&self.world.target.client, &request, RECORDED_STREAM),
            outcome,
        };
        let streaming = match opened {
            Ok(streaming) => streaming,
            Err(error) => {
                let exchange = self.keep(recorded(Outcome::Failure(error.to_string())));
                return Err(SendFailure { error, exchange });
            }
        };
        let exchange = self.keep(recorded(Outcome::Response(head_of(&streaming))));
        let seen = Seen {
            status: streaming.head.status,
            headers: streaming.head.headers.clone(),
            body: bytes::Bytes::new(),
            ending: Ending::TimedOut,
            elapsed: streaming.timing.to_head(),
            url: url::Url::parse(&request.target.to_string()).ok(),
        };
        let reader = EventReader::start(request, began, exchange, streaming);
        Ok((Answer { seen, exchange }, reader))
    }
}

/// An open event stream and what it has carried so far.
pub(crate) struct EventReader {
    request: Request,
    began: Instant,
    exchange: usize,
    shared: Arc<Shared>,
    changed: watch::Receiver<u64>,
    /// Dropping the reader ends it, and with it the connection.
    _task: AbortOnDropHandle<()>,
}

struct Shared {
    state: Mutex<Reading>,
}

struct Reading {
    log: EventLog,
    record: RecordedResponse,
    beginning: Vec<u8>,
    size: usize,
    /// Bytes of an event that is not yet complete.
    under_way: usize,
    ended: Option<Instant>,
    /// Keeps the log counted in the budget once the connection is gone.
    hold: Option<Hold>,
}

impl EventReader {
    /// Reads on from an open response, in a task of its own.
    fn start(request: Request, began: Instant, exchange: usize, streaming: Streaming) -> Self {
        let base64 = streaming
            .head
            .headers
            .text("stream-sse-data-encoding")
            .is_some_and(|text| text.trim().eq_ignore_ascii_case("base64"));
        let record = head_of(&streaming);
        let log = EventLog { base64, ..EventLog::default() };
        let reading =
            Reading { log, record, beginning: Vec::new(), size: 0, under_way: 0, ended: None, hold: None };
        let state = Mutex::new(reading);
        let shared = Arc::new(Shared { state });
        let (changes, changed) = watch::channel(0);
        let task = AbortOnDropHandle::new(tokio::spawn(read(streaming, Arc::clone(&shared), changes)));
        Self { request, began, exchange, shared, changed, _task: task }
    }

    /// What was carried so far.
    pub(crate) fn log(&self) -> EventLog {
        self.shared.lock().log.clone()
    }

    /// How many bytes have come of an event that is not yet complete.
    pub(crate) fn under_way(&self) -> usize {
        self.shared.lock().under_way
    }

    /// Waits until something more has come, at most until `until`.
    pub(crate) async fn changed_by(&mut self, until: Instant) {
        // A closed channel means that the stream has ended; the log tells.
        if let Ok(Err(_)) = tokio::time::timeout_at(until.into(), self.changed.changed()).await {
            tokio::time::sleep_until(until.min(Instant::now() + Duration::from_millis(20)).into()).await;
        }
    }

    /// For how long the stream was open, if it has ended.
    fn lived(&self) -> Option<Duration> {
        self.shared.lock().ended.map(|ended| ended.saturating_duration_since(self.began))
    }

    /// Whether the target ended this event stream when it was as old as the target lets them become.
    pub(crate) fn came_of_age(&self, log: &EventLog, lifetime: Option<Duration>) -> bool {
        let is_closed = log.controls().last().is_some_and(|control| control.contains_key("streamClosed"));
        let is_old = |lifetime: Duration| self.lived().is_some_and(|lived| lived >= lifetime / 2);
        log.end == LogEnd::Cleanly && !is_closed && lifetime.is_some_and(is_old)
    }

    pub(crate) fn exchange(&self) -> usize {
        self.exchange
    }

    /// Brings the record of the exchange up to date.
    pub(crate) fn amend_record(&self, stage: &Stage) {
        let reading = self.shared.lock();
        let mut record = reading.record.clone();
        record.body = crate::wire::RecordedBody::of(&reading.beginning, reading.size, RECORDED_STREAM);
        let (complete, ending) = match &reading.log.end {
            LogEnd::Open => (false, "still open when the suite left".to_owned()),
            LogEnd::Cleanly => (true, Ending::Clean.to_string()),
            LogEnd::Torn(why) | LogEnd::Malformed(why) | LogEnd::Cut(why) => (false, why.clone()),
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

fn head_of(streaming: &Streaming) -> RecordedResponse {
    RecordedResponse::of_stream(&streaming.head, &[], 0, &Ending::TimedOut, streaming.timing, RECORDED_STREAM)
}

async fn read(mut streaming: Streaming, shared: Arc<Shared>, changes: watch::Sender<u64>) {
    let mut parser = Parser::new(STREAM_LIMITS);
    let mut parsing = 0;
    while let Some(chunk) = streaming.next().await {
        let fed = parser.feed(&chunk.bytes);
        let mut reading = shared.lock();
        let room = RECORDED_STREAM.saturating_sub(reading.beginning.len()).min(chunk.bytes.len());
        reading.beginning.extend_from_slice(&chunk.bytes[..room]);
        reading.size += chunk.bytes.len();
        // While a chunk is taken apart it is there twice, and every line of it has a price of its own.
        let lines = memchr::memchr2_iter(b'\n', b'\r', &chunk.bytes).count();
        let working = parsing + chunk.bytes.len() + Line::PRICE * lines;
        let room = if streaming.recharge(parsing, working) { Ok(()) } else { Err(no_room()) };
        let taken = take(&mut parser, chunk.at, &mut reading.log, |bytes| streaming.charge(bytes));
        let taken = taken.and(room).and_then(|()| {
            parsing = parser.footprint();
            if streaming.recharge(working, parsing) { Ok(()) } else { Err(no_room()) }
        });
        reading.under_way = parser.under_way();
        if let Err(end) = taken.and(fed.map_err(|error| LogEnd::Cut(error.to_string()))) {
            reading.log.end = end;
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
            (Some(cut @ Ending::CutByLimit(_)), _) => LogEnd::Cut(cut.to_string()),
            (Some(other), _) => LogEnd::Torn(other.to_string()),
            (None, _) => LogEnd::Torn("the suite stopped reading".to_owned()),
        };
    }
    let events = reading.log.events.iter().map(|event| footprint(&event.name, &event.data)).sum();
    reading.hold = Some(streaming.into_hold(events));
    drop(reading);
    changes.send_modify(|count| *count += 1);
}

/// Takes events out of the parser into the log, each paid for by `charge`; gives the end of the log where it comes to one.
fn take(
    parser: &mut Parser,
    at: Instant,
    log: &mut EventLog,
    mut charge: impl FnMut(usize) -> bool,
) -> Result<(), LogEnd> {
    while let Some(item) = parser.next_item() {
        // A comment is no event, nor is a block without data, which no client hands on.
        let Item::Event(event) = item else { continue };
        let invalid_utf8 = event.invalid_utf8;
        let name = event.kind().to_owned();
        if let Some(data) = event.data {
            if log.events.len() == MOST_EVENTS {
                return Err(LogEnd::Cut(format!("the suite reads no more than {MOST_EVENTS} events")));
            }
            if !charge(footprint(&name, &data)) {
                return Err(no_room());
            }
            log.events.push(Arc::new(SeenEvent { name, data, at }));
        }
        if let Some(at) = invalid_utf8 {
            return Err(LogEnd::Malformed(format!("bytes that are not UTF-8 in the line at byte {at}")));
        }
    }
    Ok(())
}

/// About how many bytes of memory an event takes.
fn footprint(name: &str, data: &str) -> usize {
    EVENT + name.len() + data.len()
}

fn no_room() -> LogEnd {
    LogEnd::Cut("the suite has no room for more events".to_owned())
}

fn after_the_last_event(tail: &Tail) -> LogEnd {
    match tail.is_torn() {
        false => LogEnd::Cleanly,
        true => LogEnd::Torn("the body ended in the middle of an event".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_without_room_ends_as_cut() {
        let mut parser = Parser::new(STREAM_LIMITS);
        let event = "event: data\ndata: 12345678\n\n";
        parser.feed(event.repeat(100).as_bytes()).unwrap();
        let mut log = EventLog::default();
        let mut room = 10 * (EVENT + 12);
        let end = take(&mut parser, Instant::now(), &mut log, |bytes| {
            room = room.saturating_sub(bytes);
            room > 0
        });
        assert!(matches!(end, Err(LogEnd::Cut(_))), "{end:?}");
        assert_eq!(log.events.len(), 9);
    }

    #[test]
    fn a_log_takes_no_endless_number_of_events() {
        let mut log = EventLog::default();
        let mut parser = Parser::new(STREAM_LIMITS);
        let mut end = Ok(());
        for _ in 0..=MOST_EVENTS {
            parser.feed(b"data:\n\n").unwrap();
            end = take(&mut parser, Instant::now(), &mut log, |_| true);
        }
        assert!(matches!(end, Err(LogEnd::Cut(_))), "{end:?}");
        assert_eq!(log.events.len(), MOST_EVENTS);
    }
}
