//! Leases: how long a worker counts as alive without a word from it (section 7.3).

use std::time::Duration;

/// A lease that ends unless it is extended. Times are on the server's monotonic clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    length: Duration,
    ends: Duration,
}

impl Lease {
    pub(super) fn starting(now: Duration, length: Duration) -> Self {
        Self { length, ends: now + length }
    }

    /// Counts the full length again, from now.
    pub(super) fn extend(&mut self, now: Duration) {
        self.ends = now + self.length;
    }

    /// How long ago it began, or was extended.
    pub(super) fn age(&self, now: Duration) -> Duration {
        (now + self.length).saturating_sub(self.ends)
    }

    pub(super) fn is_over(&self, now: Duration) -> bool {
        now >= self.ends
    }

    pub(super) fn ends(&self) -> Duration {
        self.ends
    }
}
