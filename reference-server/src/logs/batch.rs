//! When entries that wait are sent: the windows of a scope.
//!
//! Windows belong to the scope and not to each reader, so that readers with the same filter get
//! the same batches and can share their bytes.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::ring::Mark;

/// Cuts the entries of one scope into batches.
#[derive(Debug)]
pub(super) struct Windows {
    interval: Duration,
    /// When the first entry came that is in no batch yet.
    opened: Option<Instant>,
    /// Cost of the entries that are in no batch yet.
    waiting_bytes: usize,
    /// The end of every batch that a reader may still have to be sent, in order.
    ends: VecDeque<Mark>,
}

/// A window this full is closed before its time, which bounds the size of one event.
const MAX_BATCH_BYTES: usize = 1 << 20;

/// What to do after an entry came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It joined a window that is already open.
    Joined,
    /// It opened a window, which must be closed at this instant.
    Opened(Instant),
    /// It filled its window: the batch can be sent.
    Filled,
}

impl Windows {
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, opened: None, waiting_bytes: 0, ends: VecDeque::new() }
    }

    /// Notes an entry of this cost that came at `now`; `head` is behind it.
    pub(super) fn note(&mut self, cost: usize, head: Mark, now: Instant) -> Pushed {
        self.waiting_bytes += cost;
        let joined = self.opened.is_some();
        let opened = *self.opened.get_or_insert(now);
        if self.waiting_bytes >= MAX_BATCH_BYTES {
            self.close(head);
            Pushed::Filled
        } else if joined {
            Pushed::Joined
        } else {
            Pushed::Opened(opened + self.interval)
        }
    }

    /// Closes the window if its time has come. A window that another event closed early has a
    /// successor of its own, whose time is later.
    pub(super) fn close_if_due(&mut self, head: Mark, now: Instant) -> bool {
        let due = self.opened.is_some_and(|opened| now >= opened + self.interval);
        due && self.close(head)
    }

    /// Closes the window now. False where nothing waits.
    pub(super) fn close(&mut self, head: Mark) -> bool {
        self.waiting_bytes = 0;
        let waiting = self.opened.take().is_some();
        if waiting {
            self.ends.push_back(head);
        }
        waiting
    }

    /// The end of the batch that begins at or reaches beyond this position.
    pub(super) fn next_end(&self, position: u64) -> Option<Mark> {
        let passed = self.ends.partition_point(|end| end.position() <= position);
        self.ends.get(passed).copied()
    }

    /// Forgets the batches that end at or before this position.
    pub(super) fn forget_until(&mut self, position: u64) {
        while self.ends.front().is_some_and(|end| end.position() <= position) {
            self.ends.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::{Entry, Level, NewEntry, Stamp};
    use super::super::ring::Ring;
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(150);

    /// The mark behind `count` entries.
    fn mark(count: usize) -> Mark {
        let new = NewEntry {
            level: Level::Info,
            message: String::new(),
            job_id: None,
            step_name: None,
            line_number: None,
        };
        let stamp = Stamp { sequence: 0, timestamp: "", line_number: 1 };
        let entry = Entry::new(new, stamp);
        let mut ring = Ring::new(usize::MAX, usize::MAX);
        (0..count).for_each(|_| ring.push(entry.clone()));
        ring.head()
    }

    #[test]
    fn the_first_entry_opens_a_window_and_the_others_join() {
        let start = Instant::now();
        let mut windows = Windows::new(INTERVAL);
        assert_eq!(windows.note(1, mark(1), start), Pushed::Opened(start + INTERVAL));
        let later = start + Duration::from_millis(100);
        assert_eq!(windows.note(1, mark(2), later), Pushed::Joined);
        assert!(!windows.close_if_due(mark(2), start + Duration::from_millis(149)));
        assert_eq!(windows.next_end(0), None);
        assert!(windows.close_if_due(mark(2), start + INTERVAL));
        assert_eq!(windows.next_end(0), Some(mark(2)));
        assert_eq!(windows.next_end(2), None);
        let again = start + Duration::from_millis(151);
        assert_eq!(windows.note(1, mark(3), again), Pushed::Opened(again + INTERVAL));
    }

    #[test]
    fn the_timer_of_a_window_closed_early_leaves_its_successor_alone() {
        let start = Instant::now();
        let mut windows = Windows::new(INTERVAL);
        windows.note(1, mark(1), start);
        assert!(windows.close(mark(1)));
        assert!(!windows.close(mark(1)), "nothing waits");
        windows.note(1, mark(2), start + Duration::from_millis(100));
        assert!(!windows.close_if_due(mark(2), start + INTERVAL));
        assert!(windows.close_if_due(mark(2), start + Duration::from_millis(250)));
    }

    #[test]
    fn a_full_window_does_not_wait() {
        let start = Instant::now();
        let mut windows = Windows::new(INTERVAL);
        assert_eq!(windows.note(MAX_BATCH_BYTES, mark(1), start), Pushed::Filled);
        windows.note(MAX_BATCH_BYTES - 1, mark(2), start);
        assert_eq!(windows.note(1, mark(3), start), Pushed::Filled);
        assert_eq!(windows.next_end(0), Some(mark(1)));
        assert_eq!(windows.next_end(1), Some(mark(3)));
    }

    #[test]
    fn a_reader_behind_gets_the_same_batches_as_the_others() {
        let start = Instant::now();
        let mut windows = Windows::new(Duration::ZERO);
        for count in [2, 5, 9] {
            windows.note(1, mark(count), start);
            windows.close(mark(count));
        }
        assert_eq!(windows.next_end(0), Some(mark(2)));
        assert_eq!(windows.next_end(3), Some(mark(5)));
        windows.forget_until(5);
        assert_eq!(windows.next_end(0), Some(mark(9)));
    }
}
