//! The acts of a case, told apart, and whom their expectations speak of.

use std::time::{Duration, Instant};

use super::{
    answer::Demands,
    base_rule::base_rule,
    case::Context,
    stage::{Blame, Halt},
};
use crate::{
    case::{Act, Expect, Method, RequestSpec},
    rule::RuleId,
};

/// How long one look lasts before an `eventually` looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

impl Context<'_> {
    pub(super) async fn act(&self, act: &Act) -> Result<(), Halt> {
        match act {
            Act::Put(spec) => self.exchange(Method::Put, spec).await,
            Act::Post(spec) => self.exchange(Method::Post, spec).await,
            Act::Get(spec) => self.exchange(Method::Get, spec).await,
            Act::Head(spec) => self.exchange(Method::Head, spec).await,
            Act::Delete(spec) => self.exchange(Method::Delete, spec).await,
            Act::Options(spec) => self.exchange(Method::Options, spec).await,
            Act::Raw(raw) => self.raw(raw).await,
            Act::AtOnce(at_once) => self.at_once(at_once).await,
            Act::StartGet(start) => self.start_get(start),
            Act::StillWaiting(reads) => {
                for (name, time) in reads {
                    self.still_waiting(name, time.0).await?;
                }
                Ok(())
            }
            Act::FinishGet(finish) => self.finish_get(finish).await,
            Act::StartSse(start) => self.start_sse(start).await,
            Act::AwaitSse(look) => self.await_sse(look).await,
            Act::FinishSse(look) => self.finish_sse(look).await,
            Act::Quiet(readers) => {
                for (name, time) in readers {
                    self.quiet(name, time.0).await?;
                }
                Ok(())
            }
            Act::Stop(names) => {
                for name in names {
                    self.take_read(name)?.leave(self.stage);
                }
                Ok(())
            }
            Act::Emit(emit) => self.emit(emit).await,
            Act::AwaitLogs(look) => self.await_logs(look).await,
            Act::Receiver(receiver) => self.receiver(receiver).await,
            Act::AwaitDelivery(delivery) => self.await_delivery(delivery).await,
            Act::NoDelivery(receivers) => {
                for (name, time) in receivers {
                    self.no_delivery(name, time.0).await?;
                }
                Ok(())
            }
            Act::Instant(instant) => self.instant(instant),
            Act::WaitUntil(wait) => self.wait_until(wait).await,
        }
    }

    async fn exchange(&self, method: Method, spec: &RequestSpec) -> Result<(), Halt> {
        if let Some(name) = &spec.name {
            self.stage.mark_step(name, Instant::now());
        }
        let base = base_rule(method.as_str(), spec);
        let demands = Demands { expect: spec.expect.as_ref(), also: &spec.also, accept: &spec.accept, base };
        let look_limit = self.stage.world.options.look_limit;
        let until = spec.eventually.map(|limit| Instant::now() + limit.0.min(look_limit));
        loop {
            let request = self.request(method, spec, &self.stage.names())?;
            let result = match spec.to_tail {
                true => self.read_to_tail(request).await?,
                false => self.stage.send(request, self.request_limit(spec)).await,
            };
            let answer = match result {
                Ok(answer) => answer,
                Err(failure) => return self.unanswered(failure, &demands).await,
            };
            if let (Some(until), Some(expect)) = (until, demands.expect) {
                let unmet = !self.findings(expect, &answer.seen)?.is_empty();
                if unmet && Instant::now() < until {
                    tokio::time::sleep(LOOK_AGAIN).await;
                    continue;
                }
            }
            self.excuse_lateness(spec.before.as_ref(), &demands, &answer.seen)?;
            self.answer(&answer, &demands).await?;
            return self.save(&spec.save, &answer.seen, &demands.base);
        }
    }

    /// A read that may wait for data gets the time of a long-poll.
    fn request_limit(&self, spec: &RequestSpec) -> Duration {
        let live = spec.query.0.iter().any(|(name, _)| name == "live");
        if live { self.stage.world.target.long_poll_limit() } else { self.stage.world.options.request_limit }
    }
    /// Whom an expectation of this step speaks of.
    pub(super) fn blame(&self, expect: &Expect) -> Blame {
        self.blame_for(expect.proves.as_deref(), expect.warn.clone())
    }

    pub(super) fn blame_for(&self, named: Option<&[RuleId]>, warn: Option<String>) -> Blame {
        let rules = named.map_or_else(|| self.case.proves.clone(), <[RuleId]>::to_vec);
        Blame { rules, warn, place: self.place.clone(), given: self.given }
    }

    /// A step that only has to succeed: when it does not, the case is blocked, wherever the step stands.
    pub(super) fn stage_setting(&self, rule: RuleId) -> Blame {
        Blame { rules: vec![rule], warn: None, place: self.place.clone(), given: true }
    }
}
