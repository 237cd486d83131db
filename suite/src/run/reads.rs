//! The steps that look at waiting reads.

use std::time::Duration;

use super::{
    answer::Demands,
    background::{Background, WaitingRead},
    case::Context,
    stage::{Answer, Halt, SendFailure, seen},
};
use crate::{
    case::{Expect, FinishRead, Method, StartRead},
    check::{Finding, Seen},
    rule::RuleId,
    wire::{Exchange, Request},
};

/// A long-poll that ended this shortly after a write may have timed out before it.
const CROSSING: Duration = Duration::from_millis(60);

/// A long-poll that answered sooner than this did not wait.
const NO_WAIT: Duration = Duration::from_millis(100);

impl Context<'_> {
    pub(super) fn start_request(&self, start: &StartRead) -> Result<Request, Halt> {
        let names = self.stage.names();
        let path = names.path(start.stream.as_deref().unwrap_or("stream"));
        self.read_request(Method::Get, path, &start.query, &start.headers, &names)
    }

    pub(super) fn start_get(&self, start: &StartRead) -> Result<(), Halt> {
        let request = self.start_request(start)?;
        let read = WaitingRead::start(self.stage, request, self.stage.world.target.long_poll_limit());
        self.keep_read(&start.name, Background::Answer(read));
        Ok(())
    }

    /// The read stays unanswered for that long from its start on, or for as long as the target's own timeout allows.
    pub(super) async fn still_waiting(&self, name: &str, time: Duration) -> Result<(), Halt> {
        let Background::Answer(mut read) = self.take_read(name)? else {
            return Err(Halt::Errored(format!("{name} is an event stream; `quiet` looks at those")));
        };
        let bound = self
            .stage
            .world
            .target
            .timings
            .long_poll_timeout
            .map_or(time, |timeout| time.min(timeout * 3 / 5));
        let answered = read.answered_by(read.began + bound).await;
        if !answered {
            self.keep_read(name, Background::Answer(read));
            return Ok(());
        }
        let (request, began, result) = read.answer().await;
        let client = &self.stage.world.target.client;
        let exchange =
            self.stage.keep(Exchange::record(client, &request, &result, began, self.stage.world.epoch, 4096));
        let actual = match &result {
            Ok(response) => {
                let elapsed = response.timing.end.saturating_duration_since(response.timing.connected);
                if response.status() == 204
                    && elapsed > NO_WAIT
                    && !response.headers().contains("Stream-Closed")
                {
                    return Err(Halt::Inconclusive(format!(
                        "the target's long-poll timed out after {elapsed:.0?}, sooner than the {bound:?} that were to be seen; say --long-poll-timeout"
                    )));
                }
                format!("answered {} after {elapsed:.0?}", response.status())
            }
            Err(error) => error.to_string(),
        };
        let finding = Finding::new(format!("read {name}"), format!("no answer for {bound:?}"), actual);
        self.stage.judge(vec![finding], &self.blame(&Expect::default()), Some(exchange))?;
        // Only warned of: what follows builds on a reader that waits, and this one does not.
        Err(Halt::Done)
    }

    pub(super) async fn finish_get(&self, finish: &FinishRead) -> Result<(), Halt> {
        let Background::Answer(read) = self.take_read(&finish.name)? else {
            return Err(Halt::Errored(format!(
                "{} is an event stream; `finish_sse` ends those",
                finish.name
            )));
        };
        let was_answered = read.is_answered();
        let (request, began, result) = read.answer().await;
        let client = &self.stage.world.target.client;
        let exchange =
            self.stage.keep(Exchange::record(client, &request, &result, began, self.stage.world.epoch, 4096));
        let base = RuleId::new("longpoll.data-immediate-200");
        let demands =
            Demands { expect: finish.expect.as_ref(), also: &finish.also, accept: &finish.accept, base };
        let response = match result {
            Ok(response) => response,
            Err(error) => return self.unanswered(SendFailure { error, exchange }, &demands).await,
        };
        let mut seen = seen(&request, &response);
        if let Some(last_write) = self.stage.last_write() {
            let crossed = response.timing.end < last_write + CROSSING;
            let timed_out = response.status() == 204
                && seen.elapsed > NO_WAIT
                && !response.headers().contains("Stream-Closed");
            if crossed && timed_out && (was_answered || !self.meets(&demands, &seen)?) {
                return Err(Halt::Inconclusive(
                    "the long-poll timed out before what it waited for".to_owned(),
                ));
            }
            // What a waiting reader is measured by is the time from what it waited for, not from its own start.
            if response.timing.connected < last_write {
                seen.elapsed = response.timing.end.saturating_duration_since(last_write);
            }
        }
        self.answer(&Answer { seen: seen.clone(), exchange }, &demands).await?;
        self.save(&finish.save, &seen, &demands.base)
    }

    fn meets(&self, demands: &Demands<'_>, seen: &Seen) -> Result<bool, Halt> {
        let mut met = true;
        for expect in demands.expect.into_iter().chain(demands.also) {
            met &= self.findings(expect, seen)?.is_empty();
        }
        let mut chosen = demands.accept.is_empty();
        for choice in demands.accept {
            chosen |= self.findings(&choice.expect, seen)?.is_empty();
        }
        Ok(met && chosen)
    }

    pub(super) fn keep_read(&self, name: &str, read: Background) {
        let mut reads = self.stage.reads.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        reads.insert(name.to_owned(), read);
    }

    pub(super) fn take_read(&self, name: &str) -> Result<Background, Halt> {
        let mut reads = self.stage.reads.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        reads.remove(name).ok_or_else(|| Halt::Errored(format!("no read named {name} is under way")))
    }
}
