//! The newest entries of one scope, oldest out.

use std::collections::VecDeque;
use std::sync::Arc;

use super::entry::{Entry, Level};
use super::query::Filter;

/// A place between two entries of a ring: how many entries of each level came before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Mark {
    before: [u64; Level::ALL.len()],
}

impl Mark {
    /// How many entries came before, of any level.
    pub(super) fn position(&self) -> u64 {
        self.before.iter().sum()
    }

    /// How many entries at or above `level` lie between an earlier mark and this one.
    pub(super) fn since(&self, earlier: &Mark, level: Level) -> u64 {
        let from = level as usize;
        self.before[from..].iter().sum::<u64>() - earlier.before[from..].iter().sum::<u64>()
    }

    fn step_over(&mut self, entry: &Entry) {
        self.before[entry.level as usize] += 1;
    }
}

/// A bounded queue of entries that remembers how many it let go.
#[derive(Debug)]
pub(super) struct Ring {
    entries: VecDeque<Arc<Entry>>,
    bytes: usize,
    max_entries: usize,
    max_bytes: usize,
    oldest: Mark,
    head: Mark,
}

impl Ring {
    pub(super) fn new(max_entries: usize, max_bytes: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            bytes: 0,
            max_entries,
            max_bytes,
            oldest: Mark::default(),
            head: Mark::default(),
        }
    }

    /// Adds an entry; what no longer fits goes, which may be this entry itself.
    pub(super) fn push(&mut self, entry: Arc<Entry>) {
        self.head.step_over(&entry);
        self.bytes += entry.cost();
        self.entries.push_back(entry);
        while self.entries.len() > self.max_entries || self.bytes > self.max_bytes {
            self.drop_oldest();
        }
    }

    /// Lets the oldest entry go. False where there is none.
    pub(super) fn drop_oldest(&mut self) -> bool {
        let Some(entry) = self.entries.pop_front() else {
            return false;
        };
        self.oldest.step_over(&entry);
        self.bytes -= entry.cost();
        true
    }

    /// Before the oldest entry still held.
    pub(super) fn oldest(&self) -> Mark {
        self.oldest
    }

    /// After the newest entry.
    pub(super) fn head(&self) -> Mark {
        self.head
    }

    /// What the held entries cost in memory.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Up to `limit` newest entries that pass, oldest first, and how many held entries pass in all.
    pub(super) fn newest(&self, filter: &Filter, limit: usize) -> (Vec<Arc<Entry>>, u64) {
        let mut newest: Vec<_> =
            self.entries.iter().rev().filter(|entry| filter.admits(entry)).take(limit).cloned().collect();
        newest.reverse();
        (newest, self.count(filter))
    }

    /// How many held entries pass.
    pub(super) fn count(&self, filter: &Filter) -> u64 {
        match filter.step {
            None => self.head.since(&self.oldest, filter.level),
            Some(_) => self.entries.iter().filter(|entry| filter.admits(entry)).count() as u64,
        }
    }

    /// The held entries between two marks.
    pub(super) fn between(&self, from: Mark, to: Mark) -> impl Iterator<Item = &Arc<Entry>> {
        let index = |mark: Mark| {
            let into = mark.position().saturating_sub(self.oldest.position());
            usize::try_from(into).map_or(self.entries.len(), |n| n.min(self.entries.len()))
        };
        self.entries.range(index(from)..index(to).max(index(from)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::{NewEntry, Stamp};
    use super::*;

    fn entry(level: Level, message: &str, step: Option<&str>) -> Arc<Entry> {
        let new = NewEntry {
            level,
            message: message.to_owned(),
            job_id: Some("1".to_owned()),
            step_name: step.map(str::to_owned),
            line_number: None,
        };
        Entry::new(new, Stamp { sequence: 0, timestamp: "00:00:00", line_number: 1 })
    }

    fn all(level: Level) -> Filter {
        Filter { level, step: None, exact: false }
    }

    #[test]
    fn the_oldest_go_and_are_counted_by_level() {
        let mut ring = Ring::new(3, usize::MAX);
        let start = ring.head();
        for level in [Level::Error, Level::Debug, Level::Info, Level::Warn, Level::Info] {
            ring.push(entry(level, "", None));
        }
        assert_eq!(ring.oldest().since(&start, Level::Debug), 2);
        assert_eq!(ring.oldest().since(&start, Level::Info), 1);
        assert_eq!(ring.head().position(), 5);
        assert_eq!(ring.count(&all(Level::Debug)), 3);
        assert_eq!(ring.count(&all(Level::Warn)), 1);
    }

    #[test]
    fn bytes_are_a_bound_too_and_a_giant_does_not_fit() {
        let small = entry(Level::Info, "small", None).cost();
        let mut ring = Ring::new(100, 2 * small);
        for _ in 0..3 {
            ring.push(entry(Level::Info, "small", None));
        }
        assert_eq!(ring.bytes(), 2 * small);
        ring.push(entry(Level::Info, &"x".repeat(3 * small), None));
        assert_eq!((ring.bytes(), ring.count(&all(Level::Debug))), (0, 0));
        assert_eq!(ring.oldest(), ring.head());
    }

    #[test]
    fn the_newest_come_oldest_first_with_a_true_total() {
        let mut ring = Ring::new(4, usize::MAX);
        for (n, step) in ["a", "b", "a", "a", "b"].into_iter().enumerate() {
            ring.push(entry(Level::Info, &format!("line {n}"), Some(step)));
        }
        let filter = Filter { level: Level::Info, step: Some("a".into()), exact: false };
        let (newest, total) = ring.newest(&filter, 1);
        assert_eq!(total, 2);
        assert!(newest[0].json().contains("line 3"), "{newest:?}");
        let (newest, total) = ring.newest(&all(Level::Info), 3);
        assert_eq!((newest.len(), total), (3, 4));
        assert!(newest[0].json().contains("line 2") && newest[2].json().contains("line 4"));
    }

    #[test]
    fn between_gives_what_is_still_held() {
        let mut ring = Ring::new(2, usize::MAX);
        let start = ring.head();
        ring.push(entry(Level::Info, "0", None));
        let after_first = ring.head();
        ring.push(entry(Level::Info, "1", None));
        ring.push(entry(Level::Info, "2", None));
        assert_eq!(ring.between(start, after_first).count(), 0);
        assert_eq!(ring.between(start, ring.head()).count(), 2);
        assert_eq!(ring.between(ring.head(), start).count(), 0);
    }
}
