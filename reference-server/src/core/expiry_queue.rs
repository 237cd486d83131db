//! Streams in the order in which their time may be over.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
    sync::{Arc, Weak},
};

use jiff::Timestamp;
use parking_lot::Mutex;

use super::stream::Stream;

/// One entry per stream that can expire. A use of the stream does not touch the queue: an entry that
/// comes due too early is put back with the deadline of that moment.
#[derive(Default)]
pub(super) struct ExpiryQueue(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    heap: BinaryHeap<Reverse<Entry>>,
    purge_at: usize,
}

struct Entry {
    deadline: Timestamp,
    stream: Weak<Stream>,
}

/// Below this many entries those of deleted streams are not worth a pass.
const SMALL: usize = 1024;

impl ExpiryQueue {
    pub(super) fn watch(&self, stream: &Arc<Stream>, deadline: Option<Timestamp>) {
        let Some(deadline) = deadline else { return };
        let stream = Arc::downgrade(stream);
        let mut entries = self.0.lock();
        entries.purge();
        entries.heap.push(Reverse(Entry { deadline, stream }));
    }

    /// Takes out what is due.
    pub(super) fn due(&self, now: Timestamp) -> Vec<Arc<Stream>> {
        let heap = &mut self.0.lock().heap;
        let mut due = Vec::new();
        while heap.peek().is_some_and(|Reverse(entry)| entry.deadline <= now) {
            let stream = heap.pop().and_then(|Reverse(entry)| entry.stream.upgrade());
            due.extend(stream);
        }
        due
    }
}

impl Entries {
    /// Entries of deleted streams would stay until their deadline, a year ahead perhaps. A pass each
    /// time their number has doubled keeps the cost per stream constant.
    fn purge(&mut self) {
        if self.heap.len() < self.purge_at.max(SMALL) {
            return;
        }
        self.heap.retain(|Reverse(entry)| entry.stream.strong_count() > 0);
        self.purge_at = self.heap.len() * 2;
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.deadline == other.deadline
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.deadline.cmp(&other.deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{content_type::ContentType, ttl::Expiry};

    #[test]
    fn deleted_streams_do_not_pile_up() {
        let queue = ExpiryQueue::default();
        let now = Timestamp::UNIX_EPOCH;
        for _ in 0..10 * SMALL {
            let stream = Arc::new(Stream::new("a", ContentType::default(), Expiry::Never, None, now));
            queue.watch(&stream, Some(Timestamp::MAX));
        }
        assert!(queue.0.lock().heap.len() <= SMALL);
    }
}
