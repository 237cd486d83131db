//! The stage of one attempt at a case: its streams, its values, what was exchanged and what was found.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use super::{
    Job, Suite, Target, World, background::Background, logs::ServiceLog, names::CaseNames,
    receiver::Receiver, record::Record,
};
use crate::{
    case::{Row, Template},
    check::{EventLog, Finding, LogEnd, Names, Seen},
    event::{CaseResult, CaseVerdict, Mismatch},
    fixture::Place,
    rule::{Judgement, RuleId},
    wire::{Exchange, Phase, Request, Response, WireError},
};

/// Why a case went no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// A rule judged `error` was seen broken; the mismatches tell.
    Failed,
    /// The stage could not be set. Nobody is accused.
    Blocked { rule: Option<RuleId>, why: String },
    /// The suite itself could not look.
    Errored(String),
    /// This attempt told nothing; another one may.
    Inconclusive(String),
    /// An accepted answer left nothing more to look at.
    Done,
}

impl Halt {
    /// What ends a case whose event stream the suite, for a bound of its own, read no further: nobody is accused of what
    /// was not read.
    pub(crate) fn where_cut(log: &EventLog) -> Result<(), Self> {
        match &log.end {
            LogEnd::Cut(why) => {
                Err(Self::Errored(format!("the event stream was not read to its end: {why}")))
            }
            _ => Ok(()),
        }
    }
}

/// Whom an expectation speaks of.
#[derive(Clone, Debug)]
pub struct Blame {
    pub rules: Vec<RuleId>,
    /// Makes a mismatch a warning, whatever the rules' judgement.
    pub warn: Option<String>,
    pub place: Place,
    /// The expectation only sets the stage.
    pub given: bool,
}

/// One attempt at a case.
pub struct Stage {
    pub(super) world: Arc<World>,
    row: Row,
    first_attempt: bool,
    /// It is a case of the log stream, which may be elsewhere than the streams.
    on_logs: bool,
    /// Where the experiment is written.
    written: Place,
    state: Mutex<State>,
    pub(super) reads: Mutex<BTreeMap<String, Background>>,
    /// Behind an asynchronous lock, as steps wait for deliveries while they hold it.
    pub(super) receivers: tokio::sync::Mutex<BTreeMap<String, Receiver>>,
    pub(super) service_log: tokio::sync::Mutex<Option<ServiceLog>>,
}

struct State {
    names: CaseNames,
    record: Record,
    mismatches: Vec<Mismatch>,
    nothing_but_late: bool,
    /// Paths that a PUT made, in order.
    created: Vec<String>,
    steps: BTreeMap<String, Instant>,
    last_write: Option<Written>,
}

/// When the last write went out, and when its answer had come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    pub(super) began: Instant,
    pub(super) ended: Instant,
}

/// A request with the answer to it.
#[derive(Clone, Debug)]
pub struct Answer {
    pub seen: Seen,
    /// Number of the exchange in the case's record.
    pub exchange: usize,
}

impl Stage {
    pub(super) fn new(world: Arc<World>, job: &Job, attempt: u32) -> Self {
        let row = match job {
            Job::Case(case) => case.row.clone(),
            Job::Scenario(_) => Row::new(),
        };
        // The plan has left out what cannot be run on the target's own streams.
        let standing = world.target.streams_for(job).unwrap_or_default();
        let state = State {
            names: CaseNames::new(&world.target, &row, standing),
            record: Record::default(),
            mismatches: Vec::new(),
            nothing_but_late: true,
            created: Vec::new(),
            steps: BTreeMap::new(),
            last_write: None,
        };
        Self {
            world,
            row,
            first_attempt: attempt == 1,
            on_logs: job.suite() == Suite::Logs,
            written: job.place(),
            state: Mutex::new(state),
            reads: Mutex::default(),
            receivers: tokio::sync::Mutex::default(),
            service_log: tokio::sync::Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(crate) fn target(&self) -> &Target {
        &self.world.target
    }

    pub(crate) fn request_limit(&self) -> Duration {
        self.world.options.request_limit
    }

    pub(crate) fn seed(&self) -> u64 {
        self.world.options.seed
    }

    pub(crate) fn written(&self) -> Place {
        self.written.clone()
    }

    /// A copy of the names, for checks and templates.
    pub(crate) fn names(&self) -> CaseNames {
        self.state().names.clone()
    }

    /// The path of one of the case's streams, from the origin.
    pub fn path(&self, stream: &str) -> String {
        self.state().names.path(stream)
    }

    /// Gives a name a value.
    pub(crate) fn set(&self, name: &str, value: String) {
        self.state().names.set(name, value);
    }

    /// Gives a name a value out of JSON.
    pub(super) fn set_json(&self, name: &str, value: serde_json::Value) {
        self.state().names.set_json(name, value);
    }

    /// The template's text, or nothing when it is a cell that the table's row leaves out.
    pub(super) fn render_or_omit(
        &self,
        template: &Template,
        names: &dyn Names,
    ) -> Result<Option<String>, Halt> {
        if self.cell(template) == Some(&None) {
            return Ok(None);
        }
        self.render(template, names).map(Some)
    }

    /// The cell of the table's row that is the whole of this text, if one is.
    pub(super) fn cell(&self, template: &Template) -> Option<&Option<String>> {
        template.source().strip_prefix('$').and_then(|name| self.row.get(name))
    }

    pub(super) fn render(&self, template: &Template, names: &dyn Names) -> Result<String, Halt> {
        names.render(template).map_err(|unbound| Halt::Errored(unbound.to_string()))
    }

    /// What a write did is remembered: to clean up, and to tell a reader that timed out before it from one
    /// that was not woken by it.
    pub(super) fn remember(&self, request: &Request, response: &Response, began: Instant) {
        let mut state = self.state();
        if matches!(request.method.as_str(), "PUT" | "POST" | "DELETE") {
            state.last_write = Some(Written { began, ended: Instant::now() });
        }
        let is_status = self.target().is_status(&request.target);
        if request.method == "PUT" && !is_status && (200..300).contains(&response.status()) {
            let path = request.target.path_and_query.clone();
            if !state.created.contains(&path) {
                state.created.push(path);
            }
        }
    }

    pub(super) fn last_write(&self) -> Option<Written> {
        self.state().last_write
    }

    /// Keeps an exchange and gives its number.
    pub(super) fn keep(&self, exchange: Exchange) -> usize {
        self.state().record.keep(exchange)
    }

    /// Replaces the record of an exchange that went on after it was first kept.
    pub(super) fn amend(&self, index: usize, exchange: Exchange) {
        self.state().record.amend(index, exchange);
    }

    pub(super) fn mark_step(&self, name: &str, at: Instant) {
        self.state().steps.insert(name.to_owned(), at);
    }

    pub(super) fn step_began(&self, name: &str) -> Option<Instant> {
        self.state().steps.get(name).copied()
    }

    /// Records what an expectation found. In `given`, findings block the case; elsewhere they accuse, and
    /// end it unless they only warn.
    pub fn judge(&self, findings: Vec<Finding>, blame: &Blame, exchange: Option<usize>) -> Result<(), Halt> {
        let Some(first) = findings.first() else {
            return Ok(());
        };
        if blame.given {
            return Err(Halt::Blocked {
                rule: blame.rules.first().cloned(),
                why: format!("{}: expected {}, got {}", first.subject, first.expected, first.actual),
            });
        }
        let weight = self.weight(blame);
        let mut state = self.state();
        for finding in findings {
            state.nothing_but_late &= finding.late;
            state.mismatches.push(Mismatch {
                rules: blame.rules.clone(),
                weight,
                place: blame.place.clone(),
                subject: finding.subject,
                expected: finding.expected,
                actual: finding.actual,
                exchange,
            });
        }
        match weight {
            Judgement::Error => Err(Halt::Failed),
            Judgement::Warning | Judgement::Note => Ok(()),
        }
    }

    /// Records that an accepted answer deserves a warning.
    pub(super) fn warn(&self, sentence: &str, seen: &Seen, blame: &Blame, exchange: usize) {
        let actual = format!("status {}", seen.status);
        let finding = Finding::new("answer", sentence, actual);
        let blame = Blame { warn: Some(sentence.to_owned()), ..blame.clone() };
        // A warning never ends a case.
        let _: Result<(), Halt> = self.judge(vec![finding], &blame, Some(exchange));
    }

    /// The heaviest judgement among the rules; an expectation that only warns makes it a warning at most.
    fn weight(&self, blame: &Blame) -> Judgement {
        let heaviest = blame
            .rules
            .iter()
            .filter_map(|id| self.world.catalogue.rule(id))
            .map(|rule| rule.judged)
            .max()
            .unwrap_or(Judgement::Error);
        if blame.warn.is_some() { heaviest.min(Judgement::Warning) } else { heaviest }
    }

    /// No answer at all: the target's fault where it answers others at the time, nobody's where it answers none.
    pub(crate) async fn unanswered(&self, failure: SendFailure, blame: &Blame) -> Result<(), Halt> {
        let SendFailure { error, exchange } = failure;
        match &error {
            WireError::Refused { .. }
            | WireError::Unreachable { .. }
            | WireError::Unresolved { .. }
            | WireError::Tls { .. }
            | WireError::Unsendable { .. }
            | WireError::BudgetSpent { .. }
            | WireError::NoAnswer { phase: Phase::Connect, .. } => {
                return Err(Halt::Errored(error.to_string()));
            }
            WireError::Closed { received: 0 } | WireError::Broken { received: 0, .. }
                if self.first_attempt =>
            {
                return Err(Halt::Inconclusive(error.to_string()));
            }
            WireError::NoAnswer { .. } => {
                if let Err(why) = self.control().await {
                    return Err(Halt::Errored(format!("{error}; a control request beside it: {why}")));
                }
            }
            _ => {}
        }
        self.judge(vec![Finding::new("answer", "an answer", error.to_string())], blame, Some(exchange))
    }

    /// A request beside a timed one: how long does the target take for something plain right now?
    pub(crate) async fn control(&self) -> Result<Duration, String> {
        let target = self.world.target.control(self.on_logs).map_err(|error| error.to_string())?;
        let began = Instant::now();
        let request = Request::new("HEAD", target);
        let answer = self.world.target.client.fetch(&request, self.world.options.request_limit).await;
        answer.map(|_| began.elapsed()).map_err(|error| error.to_string())
    }

    /// What did not come within `waited` counts only while the target answers plain requests quickly.
    pub(crate) async fn waited_in_vain(&self, waited: Duration) -> Result<(), Halt> {
        match self.control().await {
            Ok(plain) if plain * 4 < waited => Ok(()),
            Ok(plain) => Err(Halt::Errored(format!(
                "too slow to tell: a plain request takes {plain:.0?} at the time, and {waited:.0?} were waited"
            ))),
            Err(why) => Err(Halt::Errored(format!("too slow to tell: a control request failed: {why}"))),
        }
    }

    /// Findings about time alone count only while the target answers plain requests quickly.
    pub(crate) async fn excuse_slowness(
        &self,
        findings: Vec<Finding>,
        within: Duration,
    ) -> Result<Vec<Finding>, Halt> {
        if findings.iter().any(|finding| finding.late) {
            self.waited_in_vain(within).await?;
        }
        Ok(findings)
    }

    /// Leaves what is still open and removes the streams that were made.
    pub(super) async fn clean_up(&self) {
        let reads: Vec<Background> = {
            let mut reads = self.reads.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            std::mem::take(&mut *reads).into_values().collect()
        };
        for read in reads {
            read.leave(self);
        }
        let created: Vec<String> = self.state().created.iter().rev().cloned().collect();
        for path in created {
            let Ok(target) = self.world.target.at(path.split('?').next().unwrap_or(&path)) else { continue };
            let _permit = self.world.permits.acquire().await;
            // A stream that cannot be removed is not this case's business.
            let _ =
                self.world.target.client.fetch(&Request::new("DELETE", target), Duration::from_secs(2)).await;
        }
    }

    /// The verdict, and whether nothing but lateness speaks against the target.
    pub(super) fn into_result(self, job: &Job, outcome: Result<(), Halt>) -> (CaseResult, bool) {
        let State { record, mut mismatches, nothing_but_late, .. } =
            self.state.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        let heaviest = mismatches.iter().map(|mismatch| mismatch.weight).max();
        let seen = match heaviest {
            Some(Judgement::Error) => CaseVerdict::Failed,
            Some(Judgement::Warning) => CaseVerdict::Warned,
            Some(Judgement::Note) | None => CaseVerdict::Passed,
        };
        let (verdict, reason, blocked_by) = match outcome {
            _ if seen == CaseVerdict::Failed => (seen, None, None),
            Ok(()) | Err(Halt::Done | Halt::Failed) => (seen, None, None),
            Err(Halt::Blocked { rule, why }) => (CaseVerdict::Blocked, Some(why), rule),
            Err(Halt::Errored(why)) => (CaseVerdict::Errored, Some(why), None),
            Err(Halt::Inconclusive(why)) => {
                (CaseVerdict::Errored, Some(format!("no attempt told anything: {why}")), None)
            }
        };
        let mut result = job.result(verdict);
        result.reason = reason;
        result.blocked_by = blocked_by;
        result.waited_for = job.waited_for();
        if verdict != CaseVerdict::Passed || !mismatches.is_empty() || self.world.options.keep_all_exchanges {
            for mismatch in &mut mismatches {
                mismatch.exchange = mismatch.exchange.and_then(|number| record.place(number));
            }
            result.exchanges = record.into_exchanges();
        }
        let only_late = verdict == CaseVerdict::Failed && nothing_but_late;
        result.mismatches = mismatches;
        (result, only_late)
    }
}

/// No answer came.
#[derive(Clone, Debug)]
pub struct SendFailure {
    pub error: WireError,
    pub exchange: usize,
}

pub(super) fn seen(request: &Request, response: &Response) -> Seen {
    Seen {
        status: response.status(),
        headers: response.headers().clone(),
        body: response.body.clone(),
        ending: response.ending.clone(),
        elapsed: response.timing.end.saturating_duration_since(response.timing.connected),
        url: url::Url::parse(&request.target.to_string()).ok(),
    }
}
