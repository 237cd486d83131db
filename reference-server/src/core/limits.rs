//! What the store may use.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use thiserror::Error;

/// Bounds of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Streams at a time, soft-deleted ones included.
    pub streams: usize,
    /// Bytes of content at a time.
    pub memory: u64,
    /// Bytes after which an answer to a read is cut, between two appends.
    pub page: usize,
    /// How long a producer that does not write is remembered (section 5.2.1).
    pub producer_retention: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            streams: 1_000_000,
            memory: 1 << 30,
            page: 1 << 20,
            producer_retention: Duration::from_secs(7 * 24 * 60 * 60),
        }
    }
}

/// The configured memory is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("this server holds as much data as it may")]
pub struct BudgetExhausted;

/// Counts bytes against a limit.
#[derive(Clone, Debug)]
pub struct MemoryBudget {
    used: Arc<AtomicU64>,
    limit: u64,
}

impl MemoryBudget {
    /// Nothing used yet of `limit` bytes.
    pub fn new(limit: u64) -> Self {
        Self { used: Arc::default(), limit }
    }

    /// Bytes counted now.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Counts `bytes` until the reservation is dropped.
    ///
    /// # Errors
    /// They do not fit under the limit any more.
    pub fn reserve(&self, bytes: u64) -> Result<Reservation, BudgetExhausted> {
        let mut reservation = Reservation { budget: self.clone(), bytes: 0 };
        reservation.grow(bytes)?;
        Ok(reservation)
    }

    /// Gives kept bytes back.
    pub(crate) fn release(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Bytes that are counted as long as this lives.
#[derive(Debug)]
pub struct Reservation {
    budget: MemoryBudget,
    bytes: u64,
}

impl Reservation {
    /// Counts `bytes` more.
    ///
    /// # Errors
    /// They do not fit under the limit any more; the reservation is as before.
    pub fn grow(&mut self, bytes: u64) -> Result<(), BudgetExhausted> {
        let before = self.budget.used.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.budget.limit {
            self.budget.release(bytes);
            return Err(BudgetExhausted);
        }
        self.bytes += bytes;
        Ok(())
    }

    /// Counts `bytes` of the reserved ones from now on without this reservation, until they are released.
    pub(crate) fn keep(mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.release(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reservations_return_what_is_not_kept() {
        let budget = MemoryBudget::new(10);
        let kept = budget.reserve(4).unwrap();
        let mut dropped = budget.reserve(4).unwrap();
        assert_eq!(dropped.grow(3), Err(BudgetExhausted));
        assert_eq!(budget.used(), 8);
        dropped.grow(2).unwrap();
        drop(dropped);
        kept.keep(3);
        assert_eq!(budget.used(), 3);
        budget.release(3);
        assert_eq!(budget.used(), 0);
    }
}
