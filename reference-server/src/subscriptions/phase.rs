//! Where a subscription stands between two wakes.

use std::sync::Arc;
use std::time::Duration;

use super::lease::Lease;
use super::link::StreamStatus;
use super::wake::Wake;

/// A wake is in flight or a lease is held in every phase but the first (section 7).
#[derive(Clone, Debug)]
pub(super) enum Phase {
    Idle,
    /// Pull-wake: no worker has claimed the wake yet.
    Announced {
        wake: Wake,
        event: WakeEventState,
    },
    /// Pull-wake: a worker holds the lease.
    Claimed {
        wake: Wake,
        holder: String,
        lease: Lease,
    },
    /// Webhook: the receiver holds the lease, from before the first attempt to reach it.
    Notified {
        wake: Wake,
        lease: Lease,
        /// What the receiver was told; its `done` acks these tails.
        snapshot: Arc<[StreamStatus]>,
        attempt: Attempt,
    },
}

/// What became of the event in the wake stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WakeEventState {
    Appending,
    Appended,
    /// The wake stream took no event; the next append to a linked stream tries again.
    Refused,
}

/// How far the receiver has been reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    UnderWay,
    /// The last attempt failed; the next waits for its time.
    WaitingToRepeat,
    /// A response or a callback shows that the receiver has the wake.
    Arrived,
}

impl Phase {
    /// The wake in flight.
    pub(super) fn wake(&self) -> Option<&Wake> {
        match self {
            Self::Idle => None,
            Self::Announced { wake, .. } | Self::Claimed { wake, .. } | Self::Notified { wake, .. } => {
                Some(wake)
            }
        }
    }

    pub(super) fn lease(&self) -> Option<&Lease> {
        match self {
            Self::Idle | Self::Announced { .. } => None,
            Self::Claimed { lease, .. } | Self::Notified { lease, .. } => Some(lease),
        }
    }

    pub(super) fn lease_mut(&mut self) -> Option<&mut Lease> {
        match self {
            Self::Idle | Self::Announced { .. } => None,
            Self::Claimed { lease, .. } | Self::Notified { lease, .. } => Some(lease),
        }
    }

    pub(super) fn lease_is_over(&self, now: Duration) -> bool {
        self.lease().is_some_and(|lease| lease.is_over(now))
    }
}
