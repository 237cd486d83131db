//! The steps that look at waiting reads.

use std::time::{Duration, Instant};

use super::{
    answer::Demands,
    background::{Background, WaitingRead},
    case::Context,
    stage::{Answer, Halt, SendFailure, Written, seen},
};
use crate::{
    case::{Expect, FinishRead, Method, On, StartRead},
    check::{Finding, Seen},
    rule::RuleId,
    wire::{Exchange, Request, Response, WireError},
};

/// How long a target may take to notice a write: a long-poll that timed out this shortly after one proves
/// nothing.
const NOTICING: Duration = Duration::from_millis(150);

impl Context<'_> {
    pub(super) fn start_request(&self, start: &StartRead) -> Result<Request, Halt> {
        let names = self.stage.names();
        let target = match start.on {
            On::Streams => self.on_streams(&names.path(start.stream.as_deref().unwrap_or("stream")))?,
            on => self.stage.request_on(Method::Get.as_str(), on, "")?.target,
        };
        self.read_request(Method::Get, target, &start.query, &start.headers, &names)
    }

    pub(super) fn start_get(&self, start: &StartRead) -> Result<(), Halt> {
        let request = self.start_request(start)?;
        self.in_time(start.before.as_ref())?;
        let read = WaitingRead::start(self.stage, request, self.stage.world.target.long_poll_limit());
        self.keep_read(&start.name, Background::Answer(read));
        Ok(())
    }

    /// The read stays unanswered for that long from its start on, or for as long as the target's own timeout allows.
    pub(super) async fn still_waiting(&self, name: &str, time: Duration) -> Result<(), Halt> {
        let Background::Answer(mut read) = self.take_read(name)? else {
            return Err(Halt::Errored(format!("{name} is an event stream; `quiet` looks at those")));
        };
        let bound = match self.stage.world.target.timings.long_poll_timeout {
            Some(timeout) => time.min(timeout * 3 / 5),
            None => time,
        };
        let answer = read.answer_by(read.began + bound).await.cloned();
        let (request, began) = (read.request.clone(), read.began);
        self.keep_read(name, Background::Answer(read));
        let Some(result) = answer else {
            return Ok(());
        };
        let exchange = self.keep_exchange(&request, began, &result);
        let actual = match &result {
            Ok(response) => {
                let elapsed = response.timing.end.saturating_duration_since(response.timing.connected);
                if self.may_have_timed_out(response) {
                    return Err(Halt::Inconclusive(format!(
                        "a long-poll ended with 204 after {elapsed:.0?}, and {bound:?} were to be seen; where that is its timeout, say --long-poll-timeout"
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
        let (request, began, result) = read.answer().await;
        let exchange = self.keep_exchange(&request, began, &result);
        let base = RuleId::new("longpoll.data-immediate-200");
        let demands =
            Demands { expect: finish.expect.as_ref(), also: &finish.also, accept: &finish.accept, base };
        let response = match result.and_then(Response::unless_without_room) {
            Ok(response) => response,
            Err(error) => return self.unanswered(SendFailure { error, exchange }, &demands).await,
        };
        let mut seen = seen(&request, &response);
        if let Some(write) = self.stage.last_write() {
            if self.tells_nothing(&response, write, &demands, &seen)? {
                return Err(Halt::Inconclusive(
                    "a long-poll timed out before what it waited for; where its timeout is short, say --long-poll-timeout"
                        .to_owned(),
                ));
            }
            // What a waiting reader is measured by is the time from what it waited for, not from its own start.
            if response.timing.connected < write.ended {
                seen.elapsed = response.timing.end.saturating_duration_since(write.ended);
            }
        }
        self.answer(&Answer { seen: seen.clone(), exchange }, &demands).await?;
        self.save(&finish.save, &seen, &demands.base)
    }

    /// Whether an answer is no more than the end of a wait that the last write came too late for.
    fn tells_nothing(
        &self,
        response: &Response,
        write: Written,
        demands: &Demands<'_>,
        seen: &Seen,
    ) -> Result<bool, Halt> {
        if !self.may_have_timed_out(response) || response.timing.connected > write.ended {
            return Ok(false);
        }
        let end = response.timing.end;
        Ok(end < write.began || end < write.ended + NOTICING && !self.meets(demands, seen)?)
    }

    /// Whether this looks like a long-poll that waited in vain: a 204 without word of an end, as late as
    /// the target's timeout lets expect.
    fn may_have_timed_out(&self, response: &Response) -> bool {
        let elapsed = response.timing.end.saturating_duration_since(response.timing.connected);
        response.status() == 204
            && !response.headers().contains("Stream-Closed")
            && elapsed >= self.stage.world.target.earliest_timeout()
    }

    /// Whether an answer is as it is demanded; where nothing is, a success.
    pub(super) fn meets(&self, demands: &Demands<'_>, seen: &Seen) -> Result<bool, Halt> {
        let demanded = demands.expect.is_some() || !demands.accept.is_empty();
        let mut met = demanded || (200..300).contains(&seen.status);
        for expect in demands.expect.into_iter().chain(demands.also) {
            met &= self.findings(expect, seen)?.is_empty();
        }
        let mut chosen = demands.accept.is_empty();
        for choice in demands.accept {
            chosen |= self.findings(&choice.expect, seen)?.is_empty();
        }
        Ok(met && chosen)
    }

    fn keep_exchange(
        &self,
        request: &Request,
        began: Instant,
        result: &Result<Response, WireError>,
    ) -> usize {
        let world = &self.stage.world;
        self.stage.keep(Exchange::record(&world.target.client, request, result, began, world.epoch, 4096))
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
