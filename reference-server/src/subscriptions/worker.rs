//! What workers and receivers ask of a subscription: callback, claim, ack and release (section 7).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::link::{Links, StreamStatus};
use super::path::StreamPath;
use super::phase::{Attempt, Phase};
use super::refusal::Refusal;
use super::settings::DeliveryKind;
use super::streams::{STREAM_START, StreamView};
use super::subscription::{Context, Subscription, sign_token};
use super::token::{Claims, Purpose};
use crate::sabotage::{Switch, Switches};

/// Body of a callback or an ack.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Report {
    #[serde(flatten)]
    pub(super) wake: WakeNamed,
    acks: Option<Vec<Ack>>,
    done: Option<bool>,
}

/// The wake a request speaks of; body of a release.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct WakeNamed {
    wake_id: String,
    generation: u64,
}

/// One stream, processed up to and including an offset.
#[derive(Clone, Debug, Deserialize)]
struct Ack {
    stream: String,
    offset: String,
}

/// What a successful claim gives the worker.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Claim {
    pub(super) wake_id: String,
    pub(super) generation: u64,
    pub(super) token: String,
    pub(super) streams: Vec<StreamStatus>,
    pub(super) lease_ttl_ms: u64,
}

impl Report {
    fn acks(&self, switches: Switches) -> &[Ack] {
        let acks = self.acks.as_deref().unwrap_or_default();
        if switches.on(Switch::FirstAckCounts) { &acks[..acks.len().min(1)] } else { acks }
    }
}

impl Subscription {
    /// Gives the lease to `worker` if nobody holds it and there is work.
    pub(super) fn claim(&mut self, worker: &str, context: &mut Context<'_>) -> Result<Claim, Refusal> {
        if !matches!(self.settings.delivery, DeliveryKind::PullWake { .. }) {
            return Err(Refusal::Invalid("only pull-wake subscriptions are claimed".to_owned()));
        }
        let switches = self.settings.switches;
        let now = context.now.monotonic;
        if switches.on(Switch::LeaseEndsAtNextClaim) && self.phase.lease_is_over(now) {
            self.phase = Phase::Idle;
        }
        if let Phase::Claimed { wake, holder, lease } = &self.phase {
            let races = switches.on(Switch::ClaimsRace) && lease.age(now) < Duration::from_millis(100);
            let refusal =
                Refusal::AlreadyClaimed { current_holder: holder.clone(), generation: wake.generation };
            if switches.on(Switch::RefusedClaimEndsLease) {
                self.phase = Phase::Idle;
            }
            if !races && !switches.on(Switch::ClaimTakesOver) {
                return Err(refusal);
            }
        }
        let Some(path) = self.links.first_pending(context.streams).map(str::to_owned) else {
            // The work went away with its stream; the next append shall be announced anew.
            self.phase = Phase::Idle;
            return Err(Refusal::NoPendingWork);
        };
        if matches!(self.phase, Phase::Idle) {
            self.wake(&path, context);
        }
        let wake = self.phase.wake().ok_or(Refusal::NoPendingWork)?.clone();
        let claim = Claim {
            wake_id: wake.id.as_str().to_owned(),
            generation: wake.generation,
            token: sign_token(&self.id, Purpose::Claim, &wake, context),
            streams: self.links.statuses(context.streams),
            lease_ttl_ms: u64::try_from(self.settings.lease.as_millis()).unwrap_or(u64::MAX),
        };
        self.phase = Phase::Claimed {
            wake,
            holder: worker.to_owned(),
            lease: self.new_lease(if switches.on(Switch::LeaseStartsAtWake) { self.woken_at } else { now }),
        };
        Ok(claim)
    }

    /// Applies a callback's or an ack's report, all of it or nothing; tells whether another wake follows.
    ///
    /// Without `done` it extends the lease.
    pub(super) fn report(
        &mut self,
        claims: &Claims,
        report: &Report,
        context: &mut Context<'_>,
    ) -> Result<bool, Refusal> {
        let switches = self.settings.switches;
        let is_done = report.done == Some(true);
        if let Err(refusal) = self.fence(claims, &report.wake) {
            self.err_after_stale_report(report, context);
            return Err(refusal);
        }
        let ignored = if is_done { Switch::DoneAcksNothing } else { Switch::HeartbeatAcksNothing };
        if !switches.on(ignored) {
            self.links = acked(&self.links, report.acks(switches), context.streams, switches)?;
        }
        if switches.on(Switch::AckCoversSubscription) && !report.acks(switches).is_empty() {
            self.links.ack_everything(context.streams);
        }
        if let Phase::Notified { attempt, .. } = &mut self.phase {
            // Whatever becomes of the HTTP exchange, the receiver has the wake: no repeat is needed.
            *attempt = Attempt::Arrived;
            self.forget_failures();
        }
        let ends = if is_done {
            !switches.on(Switch::DoneKeepsLease)
        } else {
            switches.on(Switch::HeartbeatEndsWake)
        };
        if ends {
            return Ok(self.finish(context));
        }
        if let Some(lease) = self.phase.lease_mut().filter(|_| !switches.on(Switch::HeartbeatRenewsNothing)) {
            lease.extend(context.now.monotonic);
        }
        Ok(false)
    }

    /// Gives the lease back with all cursors where they are.
    pub(super) fn release(
        &mut self,
        claims: &Claims,
        wake: &WakeNamed,
        context: &mut Context<'_>,
    ) -> Result<(), Refusal> {
        let switches = self.settings.switches;
        if let Err(refusal) = self.fence(claims, wake) {
            if switches.on(Switch::StaleEndsWake) {
                self.finish(context);
            }
            return Err(refusal);
        }
        if switches.on(Switch::ReleaseAcks) {
            self.links.ack_everything(context.streams);
        }
        if switches.on(Switch::ReleaseWakesNobody) {
            self.phase = Phase::Idle;
        } else if !self.finish(context) && switches.on(Switch::ReleaseWakesAnyway) {
            let path = self.links.iter().next().map(|(path, _)| path.to_owned());
            path.into_iter().for_each(|path| self.wake(&path, context));
        }
        Ok(())
    }

    /// What a faulty server does with a report of an earlier wake.
    fn err_after_stale_report(&mut self, report: &Report, context: &mut Context<'_>) {
        let switches = self.settings.switches;
        if switches.on(Switch::StaleAcksApplied)
            && let Ok(links) = acked(&self.links, report.acks(switches), context.streams, switches)
        {
            self.links = links;
        }
        if switches.on(Switch::StaleEndsWake) {
            self.finish(context);
        }
    }

    /// Lets only requests of the current wake pass, by token and by body (section 7.3).
    fn fence(&self, claims: &Claims, named: &WakeNamed) -> Result<(), Refusal> {
        let switches = self.settings.switches;
        let Some(wake) = self.phase.wake() else {
            let matches_nothing = switches.on(Switch::NullMatchesIdle)
                && named.wake_id.is_empty()
                && named.generation == self.generation;
            return if matches_nothing { Ok(()) } else { Err(Refusal::Fenced) };
        };
        let is_absent_fine = switches.on(Switch::AbsentMatches);
        let is_id = |id: &str| wake.id.as_str() == id || (is_absent_fine && id.is_empty());
        let is_generation = |number: u64| wake.generation == number || (is_absent_fine && number == 0);
        let is_foreign_fine =
            switches.on(Switch::TokenSubscriptionUnchecked) || switches.on(Switch::TokenPurposeUnchecked);
        let token_fits = (is_id(&claims.wake_id) || is_foreign_fine) && is_generation(claims.generation);
        let body_fits = (is_id(&named.wake_id) || switches.on(Switch::WakeIdUnchecked))
            && (is_generation(named.generation) || switches.on(Switch::GenerationUnchecked));
        if (token_fits || switches.on(Switch::TokenWakeUnchecked)) && body_fits
            || switches.on(Switch::StaleTaken)
        {
            Ok(())
        } else {
            Err(Refusal::Fenced)
        }
    }
}

/// The links with `acks` applied in their order.
fn acked(
    links: &Links,
    acks: &[Ack],
    streams: &dyn StreamView,
    switches: Switches,
) -> Result<Links, Refusal> {
    let mut links = links.clone();
    for ack in acks {
        let path = StreamPath::parse(&ack.stream)
            .map_err(|_| Refusal::InvalidOffset("an acked stream is not linked"))?;
        if switches.on(Switch::AckLinksStream) {
            links.add_explicit(&path, streams, Switches::NONE);
        }
        let link =
            links.find(path.as_str()).ok_or(Refusal::InvalidOffset("an acked stream is not linked"))?;
        if !streams.is_offset(&ack.offset) {
            return Err(Refusal::InvalidOffset("an acked offset was never issued"));
        }
        let tail = streams.tail(path.as_str());
        if switches.on(Switch::AckGoesAnywhere) {
            links.force(path.as_str(), &ack.offset);
            continue;
        }
        if link.acked != STREAM_START && ack.offset < link.acked {
            return Err(Refusal::InvalidOffset("an acked offset lies before the cursor"));
        }
        if tail.as_ref().is_none_or(|tail| ack.offset > *tail) {
            return Err(Refusal::InvalidOffset("an acked offset lies beyond the tail"));
        }
        let covered = tail.filter(|_| switches.on(Switch::AckCoversStream));
        links.ack(path.as_str(), covered.as_ref().unwrap_or(&ack.offset));
    }
    Ok(links)
}
