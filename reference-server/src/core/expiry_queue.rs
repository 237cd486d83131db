//! Streams in the order in which their time may be over.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{Arc, Weak},
};

use jiff::Timestamp;
use parking_lot::Mutex;

use super::stream::Stream;

/// One entry per stream that can expire. A use of the stream does not touch the queue: an entry that
/// comes due too early is put back with the deadline of that moment.
#[derive(Default)]
pub(super) struct ExpiryQueue(Mutex<BinaryHeap<Reverse<Entry>>>);

struct Entry {
    deadline: Timestamp,
    stream: Weak<Stream>,
}

impl ExpiryQueue {
    pub(super) fn watch(&self, stream: &Arc<Stream>, deadline: Option<Timestamp>) {
        let Some(deadline) = deadline else { return };
        let stream = Arc::downgrade(stream);
        self.0.lock().push(Reverse(Entry { deadline, stream }));
    }

    /// Takes out what is due.
    pub(super) fn due(&self, now: Timestamp) -> Vec<Arc<Stream>> {
        let mut queue = self.0.lock();
        let mut due = Vec::new();
        while queue.peek().is_some_and(|Reverse(entry)| entry.deadline <= now) {
            let entry = queue.pop().map(|Reverse(entry)| entry.stream.upgrade());
            due.extend(entry.flatten());
        }
        due
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.deadline == other.deadline
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.deadline.cmp(&other.deadline)
    }
}
