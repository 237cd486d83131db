//! The steps that look at event streams.

use std::time::{Duration, Instant};

use super::{
    answer::Demands,
    background::{Background, EventReader},
    case::Context,
    stage::{Answer, Halt, SendFailure},
};
use crate::{
    case::{AwaitEvents, EventStreamExpect, SaveFrom, StartRead},
    check::{self, EventLog, Finding, LogEnd, Seen, SeenValue},
    rule::RuleId,
    wire::{Ending, Exchange, Outcome, RecordedRequest, RecordedResponse},
};

/// How long an event stream may take where no time is demanded.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long an event stream stays silent before the target is asked whether it is slow or done.
const STILLNESS: Duration = Duration::from_millis(1500);

/// A target that answers a plain request in this time is not slow.
const QUICK: Duration = Duration::from_millis(150);

/// How much longer is waited where a time is demanded, to tell late from never.
const GRACE: Duration = Duration::from_secs(5);

impl Context<'_> {
    pub(super) async fn start_sse(&self, start: &StartRead) -> Result<(), Halt> {
        let request = self.start_request(start)?;
        let base = RuleId::new("sse.content-type");
        let demands = Demands { expect: start.expect.as_ref(), also: &start.also, accept: &[], base };
        let began = Instant::now();
        let world = &self.stage.world;
        let opened = {
            let _permit = world.permits.acquire().await;
            world.target.client.open(&request, world.options.request_limit).await
        };
        let recorded = |outcome: Outcome| Exchange {
            started_at: began.saturating_duration_since(world.epoch),
            duration: began.elapsed(),
            request: RecordedRequest::of(&world.target.client, &request, 4096),
            outcome,
        };
        let streaming = match opened {
            Ok(streaming) => streaming,
            Err(error) => {
                let exchange = self.stage.keep(recorded(Outcome::Failure(error.to_string())));
                return self.unanswered(SendFailure { error, exchange }, &demands).await;
            }
        };
        let record =
            RecordedResponse::of_stream(&streaming.head, &[], 0, &Ending::TimedOut, streaming.timing, 4096);
        let exchange = self.stage.keep(recorded(Outcome::Response(record)));
        let seen = Seen {
            status: streaming.head.status,
            headers: streaming.head.headers.clone(),
            body: bytes::Bytes::new(),
            ending: Ending::TimedOut,
            elapsed: streaming.timing.to_head(),
            url: url::Url::parse(&request.target.to_string()).ok(),
        };
        let is_event_stream = seen.is_event_stream();
        let reader = EventReader::start(request, began, exchange, streaming);
        self.keep_read(&start.name, Background::Events(reader));
        self.answer(&Answer { seen, exchange }, &demands).await?;
        if !is_event_stream {
            let finding = Finding::new("response", "an event stream", "another media type");
            return self.stage.judge(vec![finding], &self.stage_setting(demands.base), Some(exchange));
        }
        Ok(())
    }

    /// Waits until all that is expected has come.
    pub(super) async fn await_sse(&self, look: &AwaitEvents) -> Result<(), Halt> {
        let mut reader = self.take_events(&look.name)?;
        let result = self.watch(&mut reader, look, false).await;
        self.keep_read(&look.name, Background::Events(reader));
        result
    }

    /// Waits for the end, then looks at all of it.
    pub(super) async fn finish_sse(&self, look: &AwaitEvents) -> Result<(), Halt> {
        let mut reader = self.take_events(&look.name)?;
        let result = self.watch(&mut reader, look, true).await;
        Background::Events(reader).leave(self.stage);
        result
    }

    async fn watch(
        &self,
        reader: &mut EventReader,
        look: &AwaitEvents,
        to_the_end: bool,
    ) -> Result<(), Halt> {
        let began = Instant::now();
        let within = look.expect.within.map(|within| within.0);
        let until = began + within.map_or(PATIENCE, |within| within + GRACE);
        let met = |log: &EventLog| -> Result<bool, Halt> {
            if to_the_end {
                return Ok(log.end != LogEnd::Open);
            }
            let mut met = true;
            for expect in std::iter::once(&look.expect).chain(&look.also) {
                met &= self.stream_findings(expect, log)?.is_empty();
            }
            Ok(met)
        };
        let mut log = reader.log();
        let mut changed = Instant::now();
        while !met(&log)? && Instant::now() < until && log.end == LogEnd::Open {
            reader.changed_by(until.min(changed + STILLNESS)).await;
            let now = reader.log();
            if now.progress() != log.progress() {
                changed = Instant::now();
            } else if changed.elapsed() >= STILLNESS && within.is_none_or(|within| began.elapsed() > within) {
                // Nothing has come for long while the target answers quickly: nothing will.
                match self.stage.control().await {
                    Ok(plain) if plain < QUICK => break,
                    _ => changed = Instant::now(),
                }
            }
            log = now;
        }
        let log = reader.log();
        let elapsed = began.elapsed();
        reader.amend_record(self.stage);
        let exchange = Some(reader.exchange());
        let mut findings = self.stream_findings(&look.expect, &log)?;
        if let Some(within) = within
            && elapsed > within
            && findings.is_empty()
        {
            let mut late = Finding::new("time", format!("within {within:?}"), format!("{elapsed:.0?}"));
            late.late = true;
            findings = self.stage.excuse_slowness(vec![late], within).await?;
        }
        let blame = self.blame_for(look.expect.proves.as_deref(), look.expect.warn.clone());
        self.stage.judge(findings, &blame, exchange)?;
        for expect in &look.also {
            let blame = self.blame_for(expect.proves.as_deref(), expect.warn.clone());
            self.stage.judge(self.stream_findings(expect, &log)?, &blame, exchange)?;
        }
        self.save_fields(look, &log)
    }

    fn stream_findings(&self, expect: &EventStreamExpect, log: &EventLog) -> Result<Vec<Finding>, Halt> {
        check::event_stream(expect, log, &self.stage.names())
            .map_err(|unbound| Halt::Errored(unbound.to_string()))
    }

    fn save_fields(&self, look: &AwaitEvents, log: &EventLog) -> Result<(), Halt> {
        let controls = log.controls();
        for (name, from) in &look.save {
            let (control, field) = match from {
                SaveFrom::FirstControl(field) => (controls.first(), field),
                SaveFrom::LastControl(field) => (controls.last(), field),
                SaveFrom::Header(field) | SaveFrom::Json(field) => (None, field),
                SaveFrom::Body => return Err(Halt::Errored("an event stream has no whole body".to_owned())),
            };
            match control.and_then(|control| control.get(field)) {
                Some(value) => self.stage.set(name, SeenValue::Json(value.clone()).text()),
                None => {
                    return Err(Halt::Blocked {
                        rule: Some(RuleId::new("sse.control-fields")),
                        why: format!(
                            "{}: no control event has {field}, which the case goes on with",
                            self.place
                        ),
                    });
                }
            }
        }
        Ok(())
    }

    /// Nothing but comments comes for that long.
    pub(super) async fn quiet(&self, name: &str, time: Duration) -> Result<(), Halt> {
        let mut reader = self.take_events(name)?;
        let before = reader.log().events.len();
        let until = Instant::now() + time;
        let mut log = reader.log();
        while log.events.len() == before && log.end == LogEnd::Open && Instant::now() < until {
            reader.changed_by(until).await;
            log = reader.log();
        }
        reader.amend_record(self.stage);
        let exchange = Some(reader.exchange());
        self.keep_read(name, Background::Events(reader));
        let actual = match log.events.get(before) {
            Some(event) => format!("event {} with {}", event.name, check::BodyRender(event.data.as_bytes())),
            None if log.end != LogEnd::Open => "the end of the event stream".to_owned(),
            None => return Ok(()),
        };
        let finding = Finding::new("events", format!("none for {time:?}"), actual);
        self.stage.judge(vec![finding], &self.blame_for(None, None), exchange)
    }

    fn take_events(&self, name: &str) -> Result<EventReader, Halt> {
        match self.take_read(name)? {
            Background::Events(reader) => Ok(reader),
            Background::Answer(_) => Err(Halt::Errored(format!("{name} is no event stream"))),
        }
    }
}
