//! One subscription: its links, its wakes and their ends (sections 6 and 7).

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rand::rngs::StdRng;

use super::backoff::Backoff;
use super::config::SubscriptionConfig;
use super::effect::{DeliveryOutcome, Effect, Notification, WakeEvent};
use super::faults;
use super::lease::Lease;
use super::link::Links;
use super::path::StreamPath;
use super::phase::{Attempt, Phase, WakeEventState};
use super::refusal::Refusal;
use super::registry::Put;
use super::settings::{DeliveryKind, Settings, SettingsHash};
use super::streams::{STREAM_START, StreamView};
use super::token::{Claims, Purpose, TokenKey};
use super::wake::{Wake, WakeId};
use crate::sabotage::{Switch, Switches};

pub(super) struct Subscription {
    pub(super) id: String,
    pub(super) settings: Settings,
    pub(super) settings_hash: SettingsHash,
    pub(super) created_at: Timestamp,
    pub(super) links: Links,
    pub(super) phase: Phase,
    /// Failures of webhook deliveries outlive the wake they happened in.
    pub(super) backoff: Option<Backoff>,
    /// Counts wakes; the fence against late workers (section 7.3).
    pub(super) generation: u64,
    /// When the wake in flight began.
    pub(super) woken_at: Duration,
    /// Deleted on a server that only hides what is deleted.
    pub(super) is_hidden: bool,
}

/// The instant something happens at, on both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    /// Since the server's start; never jumps. Leases and retries go by it.
    pub(super) monotonic: Duration,
    pub(super) wall: Timestamp,
}

/// What a subscription needs from around it to change its state.
pub(super) struct Context<'a> {
    pub(super) now: Now,
    pub(super) streams: &'a dyn StreamView,
    pub(super) config: &'a SubscriptionConfig,
    pub(super) tokens: &'a TokenKey,
    pub(super) rng: &'a mut StdRng,
    pub(super) effects: &'a mut Vec<Effect>,
}

impl Subscription {
    /// A new subscription with all streams it names and all that match its pattern linked at their tails, so
    /// that history wakes nobody.
    pub(super) fn new(
        id: String,
        settings: Settings,
        created_at: Timestamp,
        streams: &dyn StreamView,
    ) -> Self {
        let mut links = Links::default();
        let switches = settings.switches;
        for path in &settings.streams {
            links.add_explicit(path, streams, switches);
        }
        if settings.pattern.is_some() && !switches.on(Switch::HistoryNotLinked) {
            let is_pending = switches.on(Switch::HistoryIsPending) || switches.on(Switch::HistoryWakes);
            for path in streams.paths() {
                if settings.pattern_matches(&path)
                    && let Some(tail) = streams.tail(&path)
                {
                    links.add_matched(&path, if is_pending { STREAM_START.to_owned() } else { tail });
                }
            }
        }
        if switches.on(Switch::GlobHidesExplicit) {
            let hidden = settings.streams.iter().filter(|path| settings.pattern_matches(path.as_str()));
            hidden.for_each(|path| links.remove_explicit(path, true, Switches::NONE));
        }
        Self {
            id,
            settings_hash: settings.hash(),
            settings,
            created_at,
            links,
            phase: Phase::Idle,
            backoff: None,
            generation: 0,
            woken_at: Duration::ZERO,
            is_hidden: false,
        }
    }

    /// Compares a configuration that was put again with the one there is.
    pub(super) fn confirm(&mut self, settings: Settings) -> Result<Put, Refusal> {
        let switches = settings.switches;
        if std::mem::take(&mut self.is_hidden) {
            return Ok(Put::Created);
        }
        let hash = match switches.on(Switch::ConfigComparedWithLinks) {
            true => self.hash_with_links(),
            false => self.settings_hash,
        };
        if hash == settings.hash() {
            if switches.on(Switch::ConfirmationResetsCursors) {
                self.links.rewind();
            }
            return Ok(Put::Confirmed);
        }
        if switches.on(Switch::RefusedConfigApplied) {
            self.settings_hash = settings.hash();
            self.settings = settings;
        }
        Err(Refusal::Conflict)
    }

    /// A stream got its first or further events.
    pub(super) fn stream_appended(&mut self, path: &str, context: &mut Context<'_>) {
        let switches = self.settings.switches;
        if self.links.find(path).is_none() {
            if switches.on(Switch::AnyStreamWakes) && matches!(self.phase, Phase::Idle) {
                return self.wake(path, context);
            }
            if !self.settings.pattern_matches(path)
                || switches.on(Switch::LateStreamsNotLinked)
                || self.links.len() >= context.config.limits.streams_per_subscription
            {
                return;
            }
            // Every matching stream that existed at the subscription's creation was linked then: all of this
            // one's events came later, so its cursor starts where the stream itself did.
            let origin = match switches.on(Switch::LateStreamsSkipFirstAppend) {
                true => context.streams.tail(path),
                false => context.streams.origin(path),
            };
            self.links.add_matched(path, origin.unwrap_or_else(|| STREAM_START.to_owned()));
        }
        match &self.phase {
            Phase::Idle if self.is_holding_back() => {}
            Phase::Idle
                if self.links.is_pending(path, context.streams) || switches.on(Switch::ClosureWakes) =>
            {
                self.wake(path, context);
            }
            Phase::Announced { wake, event }
                if *event == WakeEventState::Refused || switches.on(Switch::AppendsWakeDespiteWake) =>
            {
                self.announce(wake.clone(), path.to_owned(), context);
            }
            Phase::Notified { .. } if switches.on(Switch::AppendsWakeDespiteWake) => self.deliver(context),
            Phase::Claimed { .. } if switches.on(Switch::AppendsWakeDespiteLease) => self.wake(path, context),
            _ => {}
        }
    }

    pub(super) fn stream_deleted(&mut self, path: &str) {
        self.links.stream_deleted(path);
        // A stream made anew at this path has offsets of its own, which the old tail must not ack.
        if let Phase::Notified { snapshot, .. } = &mut self.phase
            && snapshot.iter().any(|status| status.path == path)
        {
            *snapshot = snapshot.iter().filter(|status| status.path != path).cloned().collect();
        }
    }

    /// Links streams explicitly at their tails; streams that are linked keep their cursors.
    pub(super) fn add_explicit(&mut self, path: &StreamPath, streams: &dyn StreamView) {
        self.links.add_explicit(path, streams, self.settings.switches);
    }

    pub(super) fn remove_explicit(&mut self, path: &StreamPath, streams: &dyn StreamView) {
        let still_matched =
            self.settings.pattern_matches(path.as_str()) && streams.tail(path.as_str()).is_some();
        self.links.remove_explicit(path, still_matched, self.settings.switches);
    }

    /// The next instant at which [`Self::expire`] has something to do.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let lease = self.phase.lease().filter(|_| !self.settings.switches.on(Switch::LeaseEndsAtNextClaim));
        let lease_ends = lease.map(Lease::ends);
        let next_attempt = self.backoff.and_then(|backoff| backoff.next_attempt_at());
        match (lease_ends, next_attempt) {
            (Some(lease), Some(attempt)) => Some(lease.min(attempt)),
            (lease, attempt) => lease.or(attempt),
        }
    }

    /// Ends a lease whose time is over and starts a delivery whose time has come.
    pub(super) fn expire(&mut self, context: &mut Context<'_>) {
        let now = context.now.monotonic;
        let switches = self.settings.switches;
        if self.phase.lease_is_over(now) && !switches.on(Switch::LeaseEndsAtNextClaim) {
            if let Phase::Notified { attempt: Attempt::UnderWay, .. } = self.phase
                && !switches.on(Switch::LateAnswerTaken)
            {
                // A receiver that never answers must not be called again at once, lease after lease.
                self.delivery_failed(context);
            }
            self.phase = Phase::Idle;
            if !switches.on(Switch::LeaseEndsSilently) {
                self.wake_if_pending(context);
            }
        }
        if self.backoff.and_then(|backoff| backoff.next_attempt_at()).is_some_and(|due| due <= now) {
            self.attempt_again(context);
        }
    }

    /// The attempt to deliver wake `wake_id` ended. An outcome of a wake that is over changes nothing.
    pub(super) fn delivery_ended(
        &mut self,
        wake_id: &WakeId,
        outcome: DeliveryOutcome,
        context: &mut Context<'_>,
    ) {
        let Phase::Notified { wake, snapshot, attempt, .. } = &mut self.phase else {
            return;
        };
        let switches = self.settings.switches;
        if wake.id != *wake_id && !switches.on(Switch::LateAnswerTaken) {
            return;
        }
        match outcome {
            DeliveryOutcome::Received { done: true } => {
                let acked = snapshot.iter().filter(|_| !switches.on(Switch::AnswerAcksNothing));
                acked.for_each(|status| self.links.ack(&status.path, &status.tail_offset));
                if switches.on(Switch::AnswerAcksTails) {
                    self.links.ack_everything(context.streams);
                }
                self.finish(context);
            }
            DeliveryOutcome::Received { done: false } => {
                *attempt = Attempt::Arrived;
                self.forget_failures();
            }
            DeliveryOutcome::Failed => {
                if *attempt == Attempt::UnderWay {
                    *attempt = Attempt::WaitingToRepeat;
                    self.delivery_failed(context);
                }
            }
        }
    }

    /// The attempt to append the wake event of `wake_id` ended.
    pub(super) fn wake_event_ended(&mut self, wake_id: &WakeId, appended: bool) {
        if let Phase::Announced { wake, event } = &mut self.phase
            && wake.id == *wake_id
        {
            *event = if appended { WakeEventState::Appended } else { WakeEventState::Refused };
        }
    }

    /// Ends the wake in flight; tells whether another one is due because work is left.
    pub(super) fn finish(&mut self, context: &mut Context<'_>) -> bool {
        self.phase = Phase::Idle;
        self.forget_failures();
        if self.settings.switches.on(Switch::DoneWakesNobody) {
            return self.links.first_pending(context.streams).is_some();
        }
        self.wake_if_pending(context)
    }

    /// A delivery has succeeded, or none is needed any more.
    pub(super) fn forget_failures(&mut self) {
        self.backoff = self.backoff.filter(|_| self.settings.switches.on(Switch::BackoffKept));
    }

    pub(super) fn wake_if_pending(&mut self, context: &mut Context<'_>) -> bool {
        let Some(path) = self.links.first_pending(context.streams).map(str::to_owned) else {
            // Nothing is left to be delivered, so no attempt is either.
            self.forget_failures();
            return false;
        };
        if !self.is_holding_back() {
            self.wake(&path, context);
        }
        true
    }

    /// Whether the next wake waits for a delivery attempt's time.
    fn is_holding_back(&self) -> bool {
        self.backoff.is_some_and(|backoff| backoff.next_attempt_at().is_some())
    }

    /// Starts a new wake, with `path` as the stream that has work.
    pub(super) fn wake(&mut self, path: &str, context: &mut Context<'_>) {
        self.generation += 1;
        self.woken_at = context.now.monotonic;
        let wake = self.next_wake(context);
        match self.settings.delivery {
            DeliveryKind::Webhook(_) => {
                self.phase = Phase::Notified {
                    wake,
                    lease: self.new_lease(context.now.monotonic),
                    snapshot: self.links.statuses(context.streams).into(),
                    attempt: Attempt::WaitingToRepeat,
                };
                self.deliver(context);
            }
            DeliveryKind::PullWake { .. } => self.announce(wake, path.to_owned(), context),
        }
    }

    fn next_wake(&self, context: &mut Context<'_>) -> Wake {
        let switches = self.settings.switches;
        let generation = match self.generation {
            _ if switches.on(Switch::GenerationStands) => 1,
            counted if switches.on(Switch::GenerationFalls) => u64::from(u32::MAX) - counted,
            counted => counted,
        };
        let id = match switches.on(Switch::WakeIdStands) {
            true => WakeId::first(),
            false => WakeId::random(context.rng),
        };
        Wake { id, generation }
    }

    pub(super) fn new_lease(&self, now: Duration) -> Lease {
        const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);
        let length =
            if self.settings.switches.on(Switch::LeaseNeverEnds) { FOR_EVER } else { self.settings.lease };
        Lease::starting(now, length)
    }

    fn announce(&mut self, wake: Wake, stream: String, context: &mut Context<'_>) {
        let DeliveryKind::PullWake { wake_stream } = &self.settings.delivery else {
            return;
        };
        context.effects.push(Effect::AppendWakeEvent(WakeEvent {
            subscription: self.id.clone(),
            wake_stream: wake_stream.as_str().to_owned(),
            stream,
            wake: wake.clone(),
        }));
        self.phase = Phase::Announced { wake, event: WakeEventState::Appending };
    }

    /// Sends the wake in flight, for the first time or again.
    fn deliver(&mut self, context: &mut Context<'_>) {
        let (DeliveryKind::Webhook(url), Phase::Notified { wake, snapshot, attempt, .. }) =
            (&self.settings.delivery, &mut self.phase)
        else {
            return;
        };
        *attempt = Attempt::UnderWay;
        if let Some(backoff) = &mut self.backoff {
            backoff.attempt_started();
        }
        context.effects.push(Effect::Deliver(Notification {
            subscription: self.id.clone(),
            url: url.clone(),
            wake: wake.clone(),
            streams: Arc::clone(snapshot),
            token: sign_token(&self.id, Purpose::Callback, wake, context),
        }));
    }

    fn attempt_again(&mut self, context: &mut Context<'_>) {
        let pending = self.links.first_pending(context.streams).map(str::to_owned);
        match (&self.phase, pending) {
            (_, None) => {
                self.phase = Phase::Idle;
                self.backoff = None;
            }
            // A repeat within the lease is the same wake; after it the lease has made a new one necessary.
            (Phase::Notified { .. }, Some(_)) => self.deliver(context),
            (_, Some(path)) => self.wake(&path, context),
        }
    }

    fn delivery_failed(&mut self, context: &mut Context<'_>) {
        let switches = self.settings.switches;
        if switches.on(Switch::RetriesNever) || (switches.on(Switch::RetriesOnce) && self.backoff.is_some()) {
            return;
        }
        let schedule = faults::retries(context.config.retry, switches);
        self.backoff =
            Some(Backoff::after_failure(self.backoff, context.now.monotonic, &schedule, context.rng));
    }
}

/// A token for one wake of a subscription and nothing else (section 7.1).
pub(super) fn sign_token(subscription: &str, purpose: Purpose, wake: &Wake, context: &Context<'_>) -> String {
    let lifetime = context.config.token_lifetime.as_secs();
    context.tokens.sign(&Claims {
        subscription: subscription.to_owned(),
        purpose,
        generation: wake.generation,
        wake_id: wake.id.as_str().to_owned(),
        expires: context.now.wall.as_second().saturating_add_unsigned(lifetime),
    })
}
