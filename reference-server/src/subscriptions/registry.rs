//! All subscriptions: the state machine behind the control routes.
//!
//! Nothing here waits, sends or reads a clock. Every entry is told when it happens; what is to be done outside
//! is fetched with [`Registry::take_effects`], and [`Registry::deadline`] says when to call
//! [`Registry::expire`] next.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use rand::rngs::StdRng;

use super::config::SubscriptionConfig;
use super::effect::{DeliveryOutcome, Effect};
use super::faults;
use super::path::StreamPath;
use super::refusal::Refusal;
use super::settings::{Settings, too_many_streams};
use super::streams::StreamView;
use super::subscription::{Context, Now, Subscription};
use super::token::{Claims, Purpose, TokenKey};
use super::wake::WakeId;
use super::worker::{Claim, Report, WakeNamed};
use crate::sabotage::Switch;

pub(super) struct Registry {
    config: SubscriptionConfig,
    tokens: TokenKey,
    rng: StdRng,
    subscriptions: HashMap<String, Subscription>,
    deadlines: Deadlines,
    effects: Vec<Effect>,
}

/// Deadline and id of every subscription that has one.
type Deadlines = BTreeSet<(Duration, String)>;

/// What a PUT did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    Created,
    Confirmed,
}

/// An instant, and the streams as they are then.
#[derive(Clone, Copy)]
pub(super) struct Moment<'a> {
    pub(super) now: Now,
    pub(super) streams: &'a dyn StreamView,
}

impl Registry {
    pub(super) fn new(config: SubscriptionConfig, mut rng: StdRng) -> Self {
        Self {
            config,
            tokens: TokenKey::random(&mut rng),
            rng,
            subscriptions: HashMap::new(),
            deadlines: Deadlines::new(),
            effects: Vec::new(),
        }
    }

    /// What has to be done since the last call.
    pub(super) fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// When [`Self::expire`] has something to do, on the monotonic clock.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.deadlines.first().map(|(due, _)| *due)
    }

    pub(super) fn put(&mut self, id: &str, settings: Settings, moment: Moment<'_>) -> Result<Put, Refusal> {
        let switches = settings.switches;
        if let Some(existing) = self.subscriptions.get_mut(id) {
            return existing.confirm(settings);
        }
        if self.subscriptions.len() >= self.config.limits.subscriptions {
            return Err(Refusal::Limit(format!("{} subscriptions", self.subscriptions.len())));
        }
        let subscription = Subscription::new(id.to_owned(), settings, moment.now.wall, moment.streams);
        if subscription.links.len() > self.config.limits.streams_per_subscription {
            return Err(too_many_streams(&self.config));
        }
        self.subscriptions.insert(id.to_owned(), subscription);
        if switches.on(Switch::HistoryWakes) {
            self.wake_for_pending(id, moment);
        }
        Ok(Put::Created)
    }

    pub(super) fn find(&self, id: &str) -> Result<&Subscription, Refusal> {
        self.subscriptions.get(id).filter(|found| !found.is_hidden).ok_or(Refusal::UnknownSubscription)
    }

    /// Forgets a subscription with all its wakes. Forgetting one that is not there changes nothing.
    pub(super) fn delete(&mut self, id: &str) {
        let hides = |found: &&mut Subscription| found.settings.switches.on(Switch::DeletionHidesOnly);
        if let Some(subscription) = self.subscriptions.get_mut(id).filter(hides) {
            subscription.is_hidden = true;
            return;
        }
        if let Some(subscription) = self.subscriptions.remove(id)
            && let Some(due) = subscription.deadline()
        {
            self.deadlines.remove(&(due, id.to_owned()));
        }
    }

    pub(super) fn add_streams(
        &mut self,
        id: &str,
        paths: &BTreeSet<StreamPath>,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        let most = self.config.limits.streams_per_subscription;
        let too_many = too_many_streams(&self.config);
        self.with(id, moment, |subscription, context| {
            let new = paths.iter().filter(|path| subscription.links.find(path.as_str()).is_none());
            if subscription.links.len() + new.count() > most {
                return Err(too_many);
            }
            for path in paths {
                subscription.add_explicit(path, context.streams);
            }
            if subscription.settings.switches.on(Switch::AddedStreamsWake)
                && let Some(path) = paths.first()
            {
                subscription.wake(path.as_str(), context);
            }
            Ok(())
        })
    }

    pub(super) fn remove_stream(
        &mut self,
        id: &str,
        path: &StreamPath,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        self.with(id, moment, |subscription, context| {
            subscription.remove_explicit(path, context.streams);
            Ok(())
        })
    }

    pub(super) fn claim(&mut self, id: &str, worker: &str, moment: Moment<'_>) -> Result<Claim, Refusal> {
        self.with(id, moment, |subscription, context| subscription.claim(worker, context))
    }

    /// Applies a callback or an ack; tells whether another wake follows.
    pub(super) fn report(
        &mut self,
        id: &str,
        token: &str,
        purpose: Purpose,
        report: &Report,
        moment: Moment<'_>,
    ) -> Result<bool, Refusal> {
        let claims = self.authenticate(id, token, purpose, moment)?;
        self.with(id, moment, |subscription, context| subscription.report(&claims, report, context))
    }

    pub(super) fn release(
        &mut self,
        id: &str,
        token: &str,
        wake: &WakeNamed,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        let claims = self.authenticate(id, token, Purpose::Claim, moment)?;
        self.with(id, moment, |subscription, context| subscription.release(&claims, wake, context))
    }

    /// Tells every subscription that a stream got events. Called after the append, by whom it was ordered.
    pub(super) fn stream_appended(&mut self, path: &str, moment: Moment<'_>) {
        self.with_each(moment, |subscription, context| {
            subscription.stream_appended(path, context);
        });
    }

    pub(super) fn stream_deleted(&mut self, path: &str, moment: Moment<'_>) {
        self.with_each(moment, |subscription, _| subscription.stream_deleted(path));
    }

    pub(super) fn delivery_ended(
        &mut self,
        id: &str,
        wake_id: &WakeId,
        outcome: DeliveryOutcome,
        moment: Moment<'_>,
    ) {
        // The subscription may have been deleted meanwhile; then the outcome is nobody's.
        let _ = self.with(id, moment, |subscription, context| {
            subscription.delivery_ended(wake_id, outcome, context);
            Ok(())
        });
    }

    pub(super) fn wake_event_ended(
        &mut self,
        id: &str,
        wake_id: &WakeId,
        appended: bool,
        moment: Moment<'_>,
    ) {
        let _ = self.with(id, moment, |subscription, _| {
            subscription.wake_event_ended(wake_id, appended);
            Ok(())
        });
    }

    /// Does all that is due.
    pub(super) fn expire(&mut self, moment: Moment<'_>) {
        let due: Vec<String> = self
            .deadlines
            .iter()
            .take_while(|(due, _)| *due <= moment.now.monotonic)
            .map(|(_, id)| id.clone())
            .collect();
        for id in due {
            let _ = self.with(&id, moment, |_, _| Ok(()));
        }
    }

    fn authenticate(
        &self,
        id: &str,
        token: &str,
        purpose: Purpose,
        moment: Moment<'_>,
    ) -> Result<Claims, Refusal> {
        let subscription = self.subscriptions.get(id).ok_or(Refusal::UnknownSubscription)?;
        let switches = subscription.settings.switches;
        if (switches.on(Switch::TokenNotNeeded) && token.is_empty()) || switches.on(Switch::TokenUnverified) {
            return Ok(subscription.present_claims(purpose));
        }
        let now = moment.now.wall.as_second();
        let verify = |token| self.tokens.verify(token, purpose, now, switches);
        let claims = match switches.on(Switch::TokenSearched) {
            true => faults::parts_of_token(token)
                .find_map(|part| verify(part).ok())
                .ok_or(Refusal::TokenInvalid)?,
            false => verify(token)?,
        };
        let is_foreign_fine =
            switches.on(Switch::TokenSubscriptionUnchecked) || switches.on(Switch::TokenPurposeUnchecked);
        if claims.subscription == id || is_foreign_fine { Ok(claims) } else { Err(Refusal::TokenInvalid) }
    }

    /// Wakes a subscription that has work from the beginning, as a faulty server does.
    fn wake_for_pending(&mut self, id: &str, moment: Moment<'_>) {
        let _ = self.with(id, moment, |subscription, context| Ok(subscription.wake_if_pending(context)));
    }

    /// Lets `act` change one subscription.
    fn with<T>(
        &mut self,
        id: &str,
        moment: Moment<'_>,
        act: impl FnOnce(&mut Subscription, &mut Context<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let (subscriptions, deadlines, mut context) = self.split(moment);
        let subscription = subscriptions.get_mut(id).ok_or(Refusal::UnknownSubscription)?;
        change(subscription, deadlines, &mut context, act)
    }

    /// Lets `act` change every subscription.
    fn with_each(&mut self, moment: Moment<'_>, mut act: impl FnMut(&mut Subscription, &mut Context<'_>)) {
        let (subscriptions, deadlines, mut context) = self.split(moment);
        for subscription in subscriptions.values_mut() {
            change(subscription, deadlines, &mut context, &mut act);
        }
    }

    fn split<'a>(
        &'a mut self,
        moment: Moment<'a>,
    ) -> (&'a mut HashMap<String, Subscription>, &'a mut Deadlines, Context<'a>) {
        let context = Context {
            now: moment.now,
            streams: moment.streams,
            config: &self.config,
            tokens: &self.tokens,
            rng: &mut self.rng,
            effects: &mut self.effects,
        };
        (&mut self.subscriptions, &mut self.deadlines, context)
    }
}

/// Changes a subscription as it is after all that was due before, and keeps its deadline in the list.
fn change<T>(
    subscription: &mut Subscription,
    deadlines: &mut Deadlines,
    context: &mut Context<'_>,
    act: impl FnOnce(&mut Subscription, &mut Context<'_>) -> T,
) -> T {
    let before = subscription.deadline();
    subscription.expire(context);
    let result = act(subscription, context);
    let after = subscription.deadline();
    if before != after {
        if let Some(due) = before {
            deadlines.remove(&(due, subscription.id.clone()));
        }
        if let Some(due) = after {
            deadlines.insert((due, subscription.id.clone()));
        }
    }
    result
}
