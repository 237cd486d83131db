//! Event streams as a scenario reads them.

use std::time::{Duration, Instant};

use super::stream::Stream;
use crate::{
    check::{EventLog, Finding, LogEnd, SeenEvent},
    run::{Blame, EventReader, Halt, LIFETIME_CAME_FIRST, Stage},
};

/// How long an event stream stays silent before nothing more is expected of it.
const STILLNESS: Duration = Duration::from_millis(1500);

/// The same after it said that all has been sent, where nothing is being written.
const SETTLED: Duration = Duration::from_millis(400);

/// After how long a target that was too slow is asked again whether it still is.
const RECHECK: Duration = Duration::from_millis(100);

/// How long is waited for an event stream at most.
const PATIENCE: Duration = Duration::from_secs(8);

/// An open event stream of a scenario. Dropping it closes the connection.
pub(super) struct Events<'a> {
    stage: &'a Stage,
    reader: EventReader,
}

impl<'a> Stream<'a> {
    /// Opens an event stream from that offset on; the case is blocked where that fails.
    pub(super) async fn events(&self, offset: &str) -> Result<Events<'a>, Halt> {
        const RULE: &str = "sse.content-type";
        let blame = Blame { given: true, ..self.stage.blame_of(RULE, self.stage.written()) };
        let opened = self.stage.open_events(self.listening(offset)?).await;
        let (answer, reader) = self.stage.answered(opened, &blame).await?;
        if answer.seen.status != 200 || !answer.seen.is_event_stream() {
            let actual =
                format!("{} {}", answer.seen.status, answer.header("Content-Type").unwrap_or_default());
            let finding = Finding::new("response", "200 text/event-stream", actual);
            self.stage.judge(vec![finding], &blame, Some(answer.exchange))?;
        }
        Ok(Events { stage: self.stage, reader })
    }
}

impl Events<'_> {
    /// Reads until that is so, or the stream ends, or nothing more comes from a target that answers others. What was
    /// read is given in any case.
    pub(super) async fn until(&mut self, enough: impl Fn(&EventLog) -> bool) -> Result<EventLog, Halt> {
        self.watch(enough, |_| STILLNESS).await
    }

    /// The same for a stream that nobody writes to: once it says that it is up to date, not much more is waited.
    pub(super) async fn until_settled(
        &mut self,
        enough: impl Fn(&EventLog) -> bool,
    ) -> Result<EventLog, Halt> {
        self.watch(enough, |log| if is_up_to_date(log) { SETTLED } else { STILLNESS }).await
    }

    async fn watch(
        &mut self,
        enough: impl Fn(&EventLog) -> bool,
        stillness: impl Fn(&EventLog) -> Duration,
    ) -> Result<EventLog, Halt> {
        let began = Instant::now();
        let mut log = self.reader.log();
        let mut changed = Instant::now();
        while !enough(&log) && log.end == LogEnd::Open && began.elapsed() < PATIENCE {
            self.reader.changed_by(changed + stillness(&log)).await;
            let now = self.reader.log();
            if now.progress() != log.progress() {
                changed = Instant::now();
            } else if changed.elapsed() >= stillness(&now) && self.is_all(changed.elapsed()).await {
                log = now;
                break;
            }
            log = now;
        }
        self.reader.amend_record(self.stage);
        if enough(&log) {
            return Ok(log);
        }
        Halt::where_cut(&log)?;
        match &log.end {
            LogEnd::Open => self.stage.waited_in_vain(began.elapsed()).await?,
            LogEnd::Cleanly if self.reader.came_of_age(&log, self.stage.target().timings.sse_lifetime) => {
                return Err(Halt::Inconclusive(LIFETIME_CAME_FIRST.to_owned()));
            }
            LogEnd::Cleanly | LogEnd::Torn(_) | LogEnd::Malformed(_) | LogEnd::Cut(_) => {}
        }
        Ok(log)
    }

    /// Whether nothing more is to be expected after that much silence. A target that is slow at the moment may only be late.
    async fn is_all(&self, silence: Duration) -> bool {
        let all = self.stage.waited_in_vain(silence).await.is_ok();
        if !all {
            tokio::time::sleep(RECHECK).await;
        }
        all
    }

    /// The exchange that shows it.
    pub(super) fn exchange(&self) -> usize {
        self.reader.exchange()
    }
}

/// Whether the last event says that all stored data has been sent.
pub(super) fn is_up_to_date(log: &EventLog) -> bool {
    log.events.last().is_some_and(|event| says_up_to_date(event))
}

/// Whether it is a control event that says so.
pub(super) fn says_up_to_date(event: &SeenEvent) -> bool {
    let control = || serde_json::from_str::<serde_json::Value>(&event.data).ok();
    event.name == "control" && control().is_some_and(|control| control["upToDate"] == true)
}
