//! The steps on the log stream.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard};

use super::{
    background::Background,
    case::Context,
    event_reader::EventReader,
    names::CaseNames,
    stage::{Answer, Halt, Stage},
};
use crate::{
    case::{AwaitLogs, Emit, LogsExpect, On},
    check::{self, EventLog, Finding, LogEnd, Names as _},
    rule::RuleId,
    wire::{Body, Request, Target as WireTarget},
};

/// How long a line may be on its way, beside the interval in which lines are gathered: how late batches may be is the
/// business of one rule alone, and servers are known to gather for 5 s under load.
const PATIENCE: Duration = Duration::from_secs(6);

/// So many lines push those of others out of what a log stream begins with.
const FLOOD: usize = 50;

/// How many lines are handed in with one request.
const HANDED_IN_AT_ONCE: usize = 1000;

/// A case's hold on the log of the service.
pub(super) enum ServiceLog {
    Alone { _guard: OwnedRwLockWriteGuard<()> },
    Shared { _guard: OwnedRwLockReadGuard<()> },
}

impl Context<'_> {
    /// Makes the target write lines.
    pub(super) async fn emit(&self, emit: &Emit) -> Result<(), Halt> {
        let mut names = self.stage.names();
        let mut entries = Vec::new();
        for index in 0..emit.times {
            names.set("index", index.to_string());
            for entry in &emit.entries {
                entries.push(
                    check::render_json(entry, &names)
                        .map_err(|unbound| Halt::Errored(unbound.to_string()))?,
                );
            }
        }
        self.stage.emit(entries).await
    }

    /// Waits until an open log stream has carried all that is expected.
    pub(super) async fn await_logs(&self, look: &AwaitLogs) -> Result<(), Halt> {
        let Background::Events(mut reader) = self.take_read(&look.name)? else {
            return Err(Halt::Errored(format!("{} is no event stream", look.name)));
        };
        let result = self.watch_logs(&mut reader, look).await;
        self.keep_read(&look.name, Background::Events(reader));
        result
    }

    async fn watch_logs(&self, reader: &mut EventReader, look: &AwaitLogs) -> Result<(), Halt> {
        let names = self.stage.names();
        let began = Instant::now();
        let until = began + self.stage.log_patience();
        loop {
            let log = reader.log();
            let may_come = look.demands().try_fold(false, |waits, expect| {
                let findings = self.log_findings(expect, &log, &names)?;
                Ok(waits || (!findings.is_empty() && !findings.iter().any(|finding| finding.lasting)))
            })?;
            if !may_come || log.end != LogEnd::Open || Instant::now() >= until {
                break;
            }
            reader.changed_by(until).await;
        }
        reader.amend_record(self.stage);
        let log = reader.log();
        for expect in look.demands() {
            let mut findings = self.log_findings(expect, &log, &names)?;
            if !findings.is_empty() {
                Halt::where_cut(&log)?;
            }
            if findings.iter().any(|finding| finding.lasting) {
                // What could still have come was not waited for.
                findings.retain(|finding| finding.lasting);
            } else if !findings.is_empty() && log.end == LogEnd::Open {
                self.stage.waited_in_vain(began.elapsed()).await?;
            }
            let blame = self.blame_for(expect.proves.as_deref(), expect.warn.clone());
            self.stage.judge(findings, &blame, Some(reader.exchange()))?;
        }
        Ok(())
    }

    fn log_findings(
        &self,
        expect: &LogsExpect,
        log: &EventLog,
        names: &CaseNames,
    ) -> Result<Vec<Finding>, Halt> {
        check::logs(expect, log, &self.stage.mark(), names, |template| self.stage.leaves_out(template))
            .map_err(|unbound| Halt::Errored(unbound.to_string()))
    }
}

impl Stage {
    /// What stands at the beginning of all messages of the case.
    pub(crate) fn mark(&self) -> String {
        self.names().value("nonce").unwrap_or_default()
    }

    /// How long a line is waited for.
    pub(crate) fn log_patience(&self) -> Duration {
        PATIENCE + self.target().batch_interval() * 2
    }

    /// A request to one of the target's URLs beside the stream root; `path` stands below it.
    pub(crate) fn request_on(&self, method: &str, on: On, path: &str) -> Result<Request, Halt> {
        let url = self
            .target()
            .url(on)
            .ok_or_else(|| Halt::Errored(format!("the target has no URL for {on:?}")))?;
        let target = WireTarget::parse(&format!("{url}{path}"));
        Ok(Request::new(method, target.map_err(|error| Halt::Errored(error.to_string()))?))
    }

    /// Makes the target write these lines, in this order. The case is blocked where it does not take them.
    pub(crate) async fn emit(&self, entries: Vec<Value>) -> Result<(), Halt> {
        let of_service = entries.iter().filter(|entry| entry.get("job_id").is_none()).count();
        if of_service > 0 {
            self.use_service_log(of_service >= FLOOD).await;
        }
        for entries in entries.chunks(HANDED_IN_AT_ONCE) {
            let marked: Vec<Value> = entries.iter().map(|entry| self.marked(entry)).collect();
            let body = match marked.as_slice() {
                [one] => one.to_string(),
                many => Value::from(many).to_string(),
            };
            self.hand_in(self.request_on("POST", On::Emit, "")?, body).await?;
        }
        Ok(())
    }

    /// All cases share the log of the service. One that floods it has it alone, until its end; the others share it.
    async fn use_service_log(&self, alone: bool) {
        let mut held = self.service_log.lock().await;
        if held.is_none() {
            let log = Arc::clone(&self.target().service_log);
            *held = Some(match alone {
                true => ServiceLog::Alone { _guard: log.write_owned().await },
                false => ServiceLog::Shared { _guard: log.read_owned().await },
            });
        }
    }

    /// Sends JSON that only sets the stage: without a 2xx the case is blocked.
    pub(crate) async fn hand_in(&self, request: Request, json: String) -> Result<Answer, Halt> {
        let request = request.header("Content-Type", "application/json").body(Body::Bytes(Bytes::from(json)));
        let blocked = |why: String| Halt::Blocked { rule: None, why };
        let asked = format!("{} {}", request.method, request.target);
        match self.send(request, self.request_limit()).await {
            Ok(answer) if (200..300).contains(&answer.seen.status) => Ok(answer),
            Ok(answer) => Err(blocked(format!("{asked} is answered {}", answer.seen.status))),
            Err(failure) => Err(blocked(format!("{asked}: {}", failure.error))),
        }
    }

    /// An entry with the case's mark in front of its message.
    fn marked(&self, entry: &Value) -> Value {
        let mut entry = entry.clone();
        if let Some(message) = entry.get_mut("message") {
            let text = message.as_str().unwrap_or_default();
            *message = Value::from(format!("{} {text}", self.mark()));
        }
        entry
    }

    /// Whether the text is a cell that the table's row leaves out.
    fn leaves_out(&self, template: &crate::case::Template) -> bool {
        self.cell(template) == Some(&None)
    }
}

/// The rule that says that a log stream can be opened.
pub(super) fn endpoint_rule() -> RuleId {
    RuleId::new("logs.endpoint")
}
