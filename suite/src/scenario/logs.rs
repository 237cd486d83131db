//! The log stream, where data cannot say it: how long things take, how many lines there are, who else reads.

mod batching;
mod beside;
mod delivery;
mod heartbeat;
mod reconnecting;
mod status;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Scenario;
use crate::{
    case::On,
    check::{self, EventLog, Finding, LogEnd, SeenLine},
    run::{EventReader, Halt, Stage},
};

pub(super) fn all() -> impl Iterator<Item = &'static Scenario> {
    [
        &batching::LONE,
        &batching::BURST,
        &batching::STEADY_LOAD,
        &delivery::BURST,
        &delivery::SEVERAL_READERS,
        &delivery::MANY_READERS,
        &heartbeat::SERVICE,
        &heartbeat::JOB,
        &heartbeat::BUSY,
        &reconnecting::WHILE_LOGGING,
        &status::AFTER_LOGS,
    ]
    .into_iter()
}

/// How much later than its time something may come from a target that is not slow.
const SLACK: Duration = Duration::from_millis(150);

/// An open log stream.
struct LogReader<'a> {
    stage: &'a Stage,
    events: EventReader,
    opened: Instant,
}

impl Stage {
    /// A line of the case's job.
    fn line(&self, message: impl std::fmt::Display) -> Value {
        json!({ "level": "info", "message": message.to_string(), "job_id": self.mark() })
    }

    /// Opens a log stream; the case is blocked where that fails.
    async fn read_log(&self, query: &str) -> Result<LogReader<'_>, Halt> {
        let blocked =
            |why: String| Halt::Blocked { rule: Some(crate::rule::RuleId::new("logs.endpoint")), why };
        let mut request = self.request_on("GET", On::Logs, "")?;
        let path = &mut request.target.path_and_query;
        path.push(if path.contains('?') { '&' } else { '?' });
        path.push_str(query);
        let opened = Instant::now();
        let (answer, events) =
            self.open_events(request).await.map_err(|failure| blocked(failure.error.to_string()))?;
        match answer.seen.is_event_stream() && answer.seen.status == 200 {
            true => Ok(LogReader { stage: self, events, opened }),
            false => Err(blocked(format!("the log stream is answered {}", answer.seen.status))),
        }
    }

    /// Opens the log stream of the case's job. It has a line by then, which has come: nothing is at the seam between
    /// what it begins with and what comes live, where a line may show twice.
    async fn read_own_log(&self) -> Result<LogReader<'_>, Halt> {
        self.emit(vec![self.line(SEED)]).await?;
        let mut reader = self.read_log(&self.own_log()).await?;
        reader.until(|lines| !lines.is_empty()).await?;
        Ok(reader)
    }

    /// The query for the log stream of the case's job.
    fn own_log(&self) -> String {
        format!("scope=job&job_id={}&limit=1000", self.mark())
    }

    /// Notes that something came late, unless the target is slow with all that it is asked.
    async fn late(
        &self,
        rule: &'static str,
        subject: &str,
        expected: String,
        actual: String,
        tolerance: Duration,
        reader: &LogReader<'_>,
    ) -> Result<(), Halt> {
        let mut finding = Finding::new(subject, expected, actual);
        finding.late = true;
        let findings = self.excuse_slowness(vec![finding], tolerance).await?;
        reader.show();
        self.judge(findings, &self.blame_of(rule, self.written()), Some(reader.exchange()))
    }
}

/// The line that a job has before its log stream is opened.
const SEED: &str = "seed";

impl LogReader<'_> {
    fn log(&self) -> EventLog {
        self.events.log()
    }

    fn exchange(&self) -> usize {
        self.events.exchange()
    }

    /// Brings the record of what was read up to date, for those who read of a failure.
    fn show(&self) {
        self.events.amend_record(self.stage);
    }

    /// The case's lines that have come so far, without the one that its job began with.
    fn lines(&self) -> Vec<SeenLine> {
        let mut lines = check::own_lines(&self.log(), &self.stage.mark());
        lines.retain(|line| line.message != SEED);
        lines
    }

    /// Waits until the lines, the one that the job began with among them, are as wanted, and while more and more come.
    /// The case goes on with what has come where they do not become so; what is missing is for it to tell.
    async fn until(&mut self, wanted: impl Fn(&[SeenLine]) -> bool) -> Result<(), Halt> {
        let mut known = 0;
        let mut progress = Instant::now();
        loop {
            let log = self.log();
            let lines = check::own_lines(&log, &self.stage.mark());
            if wanted(&lines) {
                break;
            }
            Halt::where_cut(&log)?;
            if log.end != LogEnd::Open {
                break;
            }
            if lines.len() > known {
                known = lines.len();
                progress = Instant::now();
            }
            let until = progress + self.stage.log_patience();
            if Instant::now() >= until {
                self.stage.waited_in_vain(progress.elapsed()).await?;
                break;
            }
            self.events.changed_by(until).await;
        }
        self.show();
        Ok(())
    }

    /// Waits for a line with this message.
    async fn until_line(&mut self, message: &str) -> Result<Option<SeenLine>, Halt> {
        self.until(|lines| lines.iter().any(|line| line.message == message)).await?;
        Ok(self.lines().into_iter().find(|line| line.message == message))
    }
}
