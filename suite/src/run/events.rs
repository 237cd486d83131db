//! The steps that look at event streams.

use std::time::{Duration, Instant};

use super::{
    answer::Demands, background::Background, case::Context, event_reader::EventReader, logs::endpoint_rule,
    stage::Halt,
};
use crate::{
    case::{AwaitEvents, EventStreamExpect, On, SaveFrom, StartRead, Wait},
    check::{self, EventLog, Finding, LogEnd, SeenValue},
    rule::RuleId,
};

/// How long an event stream may take where no time is demanded.
const PATIENCE: Duration = Duration::from_secs(3);

/// How much longer is waited while a long event keeps coming: no trickle holds a case for ever.
const LONGEST_EVENT: Duration = Duration::from_secs(6);

/// How long an event stream stays silent before the target is asked whether it is slow or done.
const STILLNESS: Duration = Duration::from_millis(1500);

/// A target that answers a plain request in this time is not slow.
const QUICK: Duration = Duration::from_millis(150);

/// How much longer is waited where a time is demanded, to tell late from never.
const GRACE: Duration = Duration::from_secs(2);

pub(crate) const LIFETIME_CAME_FIRST: &str =
    "the target ended the event stream, at its lifetime, before what was awaited";

impl Context<'_> {
    pub(super) async fn start_sse(&self, start: &StartRead) -> Result<(), Halt> {
        let request = self.start_request(start)?;
        let base = match start.on {
            On::Logs => endpoint_rule(),
            _ => RuleId::new("sse.content-type"),
        };
        let demands = Demands { expect: start.expect.as_ref(), also: &start.also, accept: &[], base };
        let (answer, reader) = match self.stage.open_events(request).await {
            Ok(opened) => opened,
            Err(failure) => return self.unanswered(failure, &demands).await,
        };
        self.in_time(start.before.as_ref())?;
        self.keep_read(&start.name, Background::Events(reader));
        self.answer(&answer, &demands).await?;
        if !answer.seen.is_event_stream() {
            let was_told = match demands.expect {
                Some(expect) => !self.findings(expect, &answer.seen)?.is_empty(),
                None => false,
            };
            if was_told {
                // Only warned of: there is no event stream to go on with.
                return Err(Halt::Done);
            }
            let finding = Finding::new("response", "an event stream", "another media type");
            return self.stage.judge(vec![finding], &self.stage_setting(demands.base), Some(answer.exchange));
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
        let log = self.wait(reader, look, to_the_end).await?;
        let elapsed = began.elapsed();
        reader.amend_record(self.stage);
        for expect in look.demands() {
            let mut findings = self.stream_findings(expect, &log)?;
            if !findings.is_empty() && self.came_of_age(reader, &log) {
                return Err(Halt::Inconclusive(LIFETIME_CAME_FIRST.to_owned()));
            }
            if !findings.is_empty() {
                Halt::where_cut(&log)?;
            }
            if let (Some(within), []) = (expect.within, findings.as_slice())
                && elapsed > within.0
            {
                let mut late =
                    Finding::new("time", format!("within {:?}", within.0), format!("{elapsed:.0?}"));
                late.late = true;
                findings = self.stage.excuse_slowness(vec![late], within.0).await?;
            }
            let blame = self.blame_for(expect.proves.as_deref(), expect.warn.clone());
            self.stage.judge(findings, &blame, Some(reader.exchange()))?;
        }
        self.save_fields(look, &log)
    }

    /// Waits for all that is demanded, unless the stream ends or carries what nothing later can mend.
    async fn wait(
        &self,
        reader: &mut EventReader,
        look: &AwaitEvents,
        to_the_end: bool,
    ) -> Result<EventLog, Halt> {
        let began = Instant::now();
        let longest = look.demands().filter_map(|expect| expect.within).map(|within| within.0).max();
        let longest = longest.map(|within| within.min(self.longest_life()));
        let patience = self.stage.target().patience;
        let mut until = began + longest.map_or(PATIENCE.min(patience), |within| within + GRACE.min(patience));
        let last = until + LONGEST_EVENT;
        let mut log = reader.log();
        let mut under_way = reader.under_way();
        let mut changed = Instant::now();
        while self.may_still_come(look, &log, to_the_end)? && Instant::now() < until {
            reader.changed_by(until.min(changed + STILLNESS)).await;
            let now = reader.log();
            let more = reader.under_way();
            if more > under_way {
                until = last.min(until.max(Instant::now() + STILLNESS.min(patience)));
            }
            if more > under_way || now.progress() != log.progress() {
                changed = Instant::now();
            } else if changed.elapsed() >= STILLNESS {
                // Nothing has come for long while the target answers quickly: nothing will.
                let overdue = longest.is_none_or(|within| began.elapsed() > within);
                if overdue && self.stage.control().await.is_ok_and(|plain| plain < QUICK) {
                    break;
                }
                changed = Instant::now();
            }
            (log, under_way) = (now, more);
        }
        let log = reader.log();
        if self.may_still_come(look, &log, to_the_end)? {
            self.stage.waited_in_vain(began.elapsed()).await?;
        }
        Ok(log)
    }

    fn may_still_come(&self, look: &AwaitEvents, log: &EventLog, to_the_end: bool) -> Result<bool, Halt> {
        let mut waits = to_the_end;
        for expect in look.demands() {
            let findings = self.stream_findings(expect, log)?;
            waits |= !findings.is_empty() && !findings.iter().any(|finding| finding.lasting);
        }
        Ok(waits && log.end == LogEnd::Open)
    }

    /// How long an event stream is waited for that should end by itself; half as long again as the target is set to.
    fn longest_life(&self) -> Duration {
        let lifetime = self.stage.target().timings.sse_lifetime;
        let known = lifetime.filter(|_| self.case.waits_for == Some(Wait::SseLifetime));
        known.map_or(Duration::MAX, |lifetime| lifetime * 3 / 2)
    }

    fn came_of_age(&self, reader: &EventReader, log: &EventLog) -> bool {
        reader.came_of_age(log, self.stage.world.target.timings.sse_lifetime)
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

    /// No data comes for that long. Control events may: a server may repeat what it has said.
    pub(super) async fn quiet(&self, name: &str, time: Duration) -> Result<(), Halt> {
        let mut reader = self.take_events(name)?;
        let before = reader.log().data_events().count();
        let until = Instant::now() + time;
        let mut log = reader.log();
        while log.data_events().count() == before && log.end == LogEnd::Open && Instant::now() < until {
            reader.changed_by(until).await;
            log = reader.log();
        }
        reader.amend_record(self.stage);
        let exchange = Some(reader.exchange());
        let came_of_age = self.came_of_age(&reader, &log);
        self.keep_read(name, Background::Events(reader));
        let more = log.data_events().nth(before);
        if more.is_none() {
            Halt::where_cut(&log)?;
        }
        let actual = match more {
            Some(event) => check::BodyRender(event.data.as_bytes()).to_string(),
            None if came_of_age => return Err(Halt::Inconclusive(LIFETIME_CAME_FIRST.to_owned())),
            None if log.end != LogEnd::Open => "the end of the event stream".to_owned(),
            None => return Ok(()),
        };
        let finding = Finding::new("data events", format!("none for {time:?}"), actual);
        self.stage.judge(vec![finding], &self.blame_for(None, None), exchange)
    }

    fn take_events(&self, name: &str) -> Result<EventReader, Halt> {
        match self.take_read(name)? {
            Background::Events(reader) => Ok(reader),
            Background::Answer(_) => Err(Halt::Errored(format!("{name} is no event stream"))),
        }
    }
}
