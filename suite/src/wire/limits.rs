use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Bounds on one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all heads of an answer together: interim ones, the final one, trailers.
    pub head: usize,
    /// Header fields in one head.
    pub fields: usize,
    /// 1xx answers before the final one.
    pub interim: usize,
    /// Bytes of content.
    pub body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { head: 64 * 1024, fields: 256, interim: 16, body: 8 * 1024 * 1024 }
    }
}

/// Up to this size, in bytes, a share counts as small.
const SMALL: usize = 64 * 1024;

/// How many bytes of bodies may be held at once by all that share this budget. Clones share. A quarter of it is
/// kept for shares of up to 64 KiB, so that a flood of large bodies does not make small ones fail.
#[derive(Debug, Clone)]
pub struct Budget(Arc<State>);

#[derive(Debug)]
struct State {
    limit: usize,
    used: AtomicUsize,
}

impl Budget {
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(State { limit, used: AtomicUsize::new(0) }))
    }

    /// Bytes that may be held at once.
    pub fn limit(&self) -> usize {
        self.0.limit
    }

    /// Bytes that are held now.
    pub fn used(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }

    /// A share of this budget, empty at first, given back when dropped.
    pub fn hold(&self) -> Hold {
        Hold { budget: self.clone(), bytes: 0 }
    }
}

impl Default for Budget {
    /// 16 MiB, of which large bodies can have 12.
    fn default() -> Self {
        Self::new(16 * 1024 * 1024)
    }
}

/// A share of a [`Budget`].
#[derive(Debug)]
pub struct Hold {
    budget: Budget,
    bytes: usize,
}

impl Hold {
    /// Takes `more` bytes of the budget; `false`, and nothing taken, when they are not there.
    #[must_use]
    pub fn grow(&mut self, more: usize) -> bool {
        let State { limit, used } = &*self.budget.0;
        let is_small = self.bytes.saturating_add(more) <= SMALL;
        let ceiling = if is_small { *limit } else { limit - limit / 4 };
        let fits = |now: usize| now.checked_add(more).filter(|then| *then <= ceiling);
        let taken = used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok();
        if taken {
            self.bytes += more;
        }
        taken
    }

    /// Gives back what goes beyond `bytes`.
    pub(super) fn shrink_to(&mut self, bytes: usize) {
        let surplus = self.bytes.saturating_sub(bytes);
        self.budget.0.used.fetch_sub(surplus, Ordering::Relaxed);
        self.bytes -= surplus;
    }

    /// Gives back that many bytes, or all there are.
    pub(super) fn give_back(&mut self, bytes: usize) {
        self.shrink_to(self.bytes.saturating_sub(bytes));
    }

    pub(super) fn limit(&self) -> usize {
        self.budget.limit()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.budget.0.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_takes_what_is_there_and_gives_it_back() {
        let budget = Budget::new(10);
        let mut first = budget.hold();
        let mut second = budget.hold();
        assert!(first.grow(6));
        assert!(!second.grow(5));
        assert!(second.grow(4));
        assert_eq!(budget.used(), 10);
        drop(first);
        assert_eq!(budget.used(), 4);
        assert!(second.grow(6));
        assert!(!second.grow(usize::MAX));
        second.shrink_to(3);
        assert_eq!(budget.used(), 3);
    }

    #[test]
    fn a_quarter_is_kept_for_the_small() {
        let budget = Budget::new(8 * SMALL);
        let (mut large, mut small) = (budget.hold(), budget.hold());
        assert!(large.grow(6 * SMALL));
        assert!(!large.grow(1));
        assert!(small.grow(SMALL));
        assert!(!small.grow(1));
    }
}
