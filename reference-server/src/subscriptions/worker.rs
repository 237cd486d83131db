//! What workers and receivers ask of a subscription: callback, claim, ack and release (section 7).

use serde::{Deserialize, Serialize};

use super::lease::Lease;
use super::link::{Links, StreamStatus};
use super::path::StreamPath;
use super::phase::{Attempt, Phase};
use super::refusal::Refusal;
use super::settings::DeliveryKind;
use super::streams::{STREAM_START, StreamView};
use super::subscription::{Context, Subscription, sign_token};
use super::token::{Claims, Purpose};

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

impl Subscription {
    /// Gives the lease to `worker` if nobody holds it and there is work.
    pub(super) fn claim(&mut self, worker: &str, context: &mut Context<'_>) -> Result<Claim, Refusal> {
        if !matches!(self.settings.delivery, DeliveryKind::PullWake { .. }) {
            return Err(Refusal::Invalid("only pull-wake subscriptions are claimed".to_owned()));
        }
        if let Phase::Claimed { wake, holder, .. } = &self.phase {
            return Err(Refusal::AlreadyClaimed {
                current_holder: holder.clone(),
                generation: wake.generation,
            });
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
            lease: Lease::starting(context.now.monotonic, self.settings.lease),
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
        self.fence(claims, &report.wake)?;
        self.links = acked(&self.links, report.acks.as_deref().unwrap_or_default(), context.streams)?;
        if let Phase::Notified { attempt, .. } = &mut self.phase {
            // Whatever becomes of the HTTP exchange, the receiver has the wake: no repeat is needed.
            *attempt = Attempt::Arrived;
            self.backoff = None;
        }
        if report.done == Some(true) {
            return Ok(self.finish(context));
        }
        if let Some(lease) = self.phase.lease_mut() {
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
        self.fence(claims, wake)?;
        self.finish(context);
        Ok(())
    }

    /// Lets only requests of the current wake pass, by token and by body (section 7.3).
    fn fence(&self, claims: &Claims, named: &WakeNamed) -> Result<(), Refusal> {
        let is_current = |wake_id: &str, generation: u64| {
            self.phase.wake().is_some_and(|wake| wake.id.as_str() == wake_id && wake.generation == generation)
        };
        if is_current(&claims.wake_id, claims.generation) && is_current(&named.wake_id, named.generation) {
            Ok(())
        } else {
            Err(Refusal::Fenced)
        }
    }
}

/// The links with `acks` applied in their order.
fn acked(links: &Links, acks: &[Ack], streams: &dyn StreamView) -> Result<Links, Refusal> {
    let mut links = links.clone();
    for ack in acks {
        let path = StreamPath::parse(&ack.stream)
            .map_err(|_| Refusal::InvalidOffset("an acked stream is not linked"))?;
        let link =
            links.find(path.as_str()).ok_or(Refusal::InvalidOffset("an acked stream is not linked"))?;
        if !streams.is_offset(&ack.offset) {
            return Err(Refusal::InvalidOffset("an acked offset was never issued"));
        }
        if link.acked != STREAM_START && ack.offset < link.acked {
            return Err(Refusal::InvalidOffset("an acked offset lies before the cursor"));
        }
        if streams.tail(path.as_str()).is_none_or(|tail| ack.offset > tail) {
            return Err(Refusal::InvalidOffset("an acked offset lies beyond the tail"));
        }
        links.ack(path.as_str(), &ack.offset);
    }
    Ok(links)
}
