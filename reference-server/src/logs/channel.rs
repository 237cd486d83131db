//! One scope: its entries, its batches, its changes of state, and what a reader is sent next.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::watch;

use super::batch::{Pushed, Windows};
use super::config::LogsConfig;
use super::entry::{Entry, Level};
use super::payload::{self, Meta, Payload};
use super::query::Filter;
use super::ring::{Mark, Ring};
use super::status::JobStatus;
use crate::sabotage::{Switch, Switches};

#[derive(Debug)]
pub(super) struct Channel {
    ring: Ring,
    windows: Windows,
    status: Option<JobStatus>,
    /// The newest changes of state, oldest first.
    changes: VecDeque<Change>,
    changes_made: u64,
    shared_batches: VecDeque<SharedBatch>,
    ready: watch::Sender<()>,
    switches: Switches,
    /// The most readers that there ever were, and the end of the last batch that one of them got: for faults.
    most_readers: usize,
    taken: u64,
}

/// Where a reader is in its channel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor {
    mark: Mark,
    next_change: u64,
    /// The most lines of a live batch.
    limit: Option<usize>,
}

impl Cursor {
    pub(super) fn limit(&mut self, limit: usize) {
        self.limit = Some(limit);
    }
}

#[derive(Debug)]
struct Change {
    /// The entries that came before it.
    after: Mark,
    event: Bytes,
}

/// A batch that was written for one reader and may serve others.
#[derive(Debug)]
struct SharedBatch {
    from: Mark,
    to: Mark,
    filter: Filter,
    /// None where no entry passes the filter.
    event: Option<Bytes>,
}

/// Changes of state kept for readers that are behind. Each tells the whole state, so a reader
/// that misses some still learns the last.
const MAX_CHANGES: usize = 64;
/// How many different filters or lags can share batches at a time.
const MAX_SHARED_BATCHES: usize = 4;

impl Channel {
    pub(super) fn new(config: &LogsConfig, switches: Switches) -> Self {
        Self {
            ring: Ring::new(config.ring_entries, config.ring_bytes),
            windows: Windows::new(config.batch_interval),
            status: None,
            changes: VecDeque::new(),
            changes_made: 0,
            shared_batches: VecDeque::new(),
            ready: watch::Sender::new(()),
            switches,
            most_readers: 0,
            taken: 0,
        }
    }

    /// Whether any stream reads this channel.
    pub(super) fn is_read(&self) -> bool {
        self.ready.receiver_count() > 0
    }

    /// What the held entries cost in memory.
    pub(super) fn bytes(&self) -> usize {
        self.ring.bytes()
    }

    /// How many entries ever came.
    pub(super) fn entries_taken(&self) -> u64 {
        self.ring.head().position()
    }

    pub(super) fn status(&self) -> Option<&JobStatus> {
        self.status.as_ref()
    }

    /// Begins to read: from this moment on nothing is missed, and nothing of the first batch is
    /// sent again.
    pub(super) fn subscribe(&mut self) -> (Cursor, watch::Receiver<()>) {
        let is_doubled = self.switches.on(Switch::LogsSeamDoubled);
        let mark = if is_doubled { self.ring.oldest() } else { self.ring.head() };
        let cursor = Cursor { mark, next_change: self.changes_made, limit: None };
        let ready = self.ready.subscribe();
        self.most_readers = self.most_readers.max(self.ready.receiver_count());
        (cursor, ready)
    }

    /// The newest entries that pass.
    pub(super) fn newest(&self, filter: &Filter, limit: usize) -> Payload {
        let (mut entries, total_count) = self.ring.newest(filter, limit);
        if self.switches.on(Switch::LogsLimitBeforeFilter) {
            let all = Filter { level: Level::Debug, step: None, exact: false };
            entries = self.ring.newest(&all, limit).0;
            entries.retain(|entry| filter.admits(entry));
        }
        if self.switches.on(Switch::LogsBeginWithOldest) {
            entries = self.ring.newest(filter, usize::MAX).0;
            entries.truncate(limit);
        }
        let meta = Meta {
            total_count,
            displayed_count: entries.len(),
            has_more: total_count > entries.len() as u64,
            dropped: 0,
        };
        Payload { entries, meta }
    }

    /// Takes an entry. An instant in the answer is when [`Self::close_window_if_due`] is to be called.
    pub(super) fn push(&mut self, entry: Arc<Entry>, now: Instant) -> Option<Instant> {
        let cost = entry.cost();
        self.ring.push(entry);
        self.forget_what_left_the_ring();
        if !self.is_read() {
            self.shared_batches.clear();
            return None;
        }
        let pushed = self.windows.note(cost, self.ring.head(), now);
        if self.switches.on(Switch::LogsUnbatched) {
            self.flush();
            return None;
        }
        match pushed {
            Pushed::Opened(until) => Some(until),
            Pushed::Joined => None,
            Pushed::Filled => {
                self.ready.send_replace(());
                None
            }
        }
    }

    /// Makes room for other channels. False where nothing is left to let go.
    pub(super) fn drop_oldest(&mut self) -> bool {
        let dropped = self.ring.drop_oldest();
        self.forget_what_left_the_ring();
        dropped
    }

    fn forget_what_left_the_ring(&mut self) {
        let oldest = self.ring.oldest().position();
        self.windows.forget_until(oldest);
        while self.shared_batches.front().is_some_and(|batch| batch.to.position() <= oldest) {
            self.shared_batches.pop_front();
        }
    }

    pub(super) fn close_window_if_due(&mut self, now: Instant) {
        if self.windows.close_if_due(self.ring.head(), now) {
            self.ready.send_replace(());
        }
    }

    /// Lets readers have at once what waits.
    pub(super) fn flush(&mut self) {
        if self.windows.close(self.ring.head()) {
            self.ready.send_replace(());
        }
    }

    /// Takes a new state. Entries that wait go out before it is told; a state that is no change
    /// is not told.
    pub(super) fn change_status(&mut self, status: JobStatus) {
        if self.status.as_ref() == Some(&status) {
            return;
        }
        let overtakes = self.switches.on(Switch::LogsStatusFirst);
        if !overtakes {
            self.windows.close(self.ring.head());
        }
        self.changes.push_back(Change {
            after: if overtakes { self.ring.oldest() } else { self.ring.head() },
            event: payload::event("status", &status.to_json()),
        });
        self.changes_made += 1;
        if self.changes.len() > MAX_CHANGES {
            self.changes.pop_front();
        }
        self.status = Some(status);
        self.ready.send_replace(());
    }

    /// The next event for a reader at `cursor`, if there is one yet.
    pub(super) fn next_event(&mut self, cursor: &mut Cursor, filter: &Filter) -> Option<Bytes> {
        if self.switches.on(Switch::LogsLeaverSilencesAll) && self.ready.receiver_count() < self.most_readers
        {
            return None;
        }
        let oldest = self.ring.oldest();
        let dropped = if oldest.position() > cursor.mark.position() {
            let dropped = oldest.since(&cursor.mark, filter.level);
            cursor.mark = oldest;
            dropped
        } else {
            0
        };
        if dropped > 0 {
            let to = self.windows.next_end(cursor.mark.position());
            return Some(self.batch_after_loss(cursor, to.unwrap_or(cursor.mark), filter, dropped));
        }
        loop {
            if let Some(event) = self.due_change(cursor) {
                return Some(event);
            }
            let to = self.windows.next_end(cursor.mark.position())?;
            let from = std::mem::replace(&mut cursor.mark, to);
            if self.switches.on(Switch::LogsReadersShare)
                && std::mem::replace(&mut self.taken, to.position()) >= to.position()
            {
                continue;
            }
            if let Some(event) = self.batch(from, to, filter, cursor.limit) {
                return Some(event);
            }
        }
    }

    /// The next change of state, once all entries before it were sent.
    fn due_change(&self, cursor: &mut Cursor) -> Option<Bytes> {
        let first_held = self.changes_made - self.changes.len() as u64;
        let next = cursor.next_change.max(first_held);
        let change = self.changes.get(usize::try_from(next - first_held).ok()?)?;
        if change.after.position() > cursor.mark.position() {
            return None;
        }
        cursor.next_change = next + 1;
        Some(change.event.clone())
    }

    fn batch(&mut self, from: Mark, to: Mark, filter: &Filter, limit: Option<usize>) -> Option<Bytes> {
        let is_same = |b: &&SharedBatch| b.from == from && b.to == to && b.filter == *filter;
        if let Some(shared) = self.shared_batches.iter().find(is_same) {
            return shared.event.clone();
        }
        let mut payload = self.live_payload(from, to, filter, 0);
        let limit = limit.or(self.switches.on(Switch::LogsBurstsLost).then_some(100));
        payload.truncate(limit.unwrap_or(usize::MAX));
        let event = (!payload.entries.is_empty()).then(|| payload.into_event());
        if self.ready.receiver_count() > 1 {
            self.shared_batches.push_back(SharedBatch {
                from,
                to,
                filter: filter.clone(),
                event: event.clone(),
            });
        }
        if self.shared_batches.len() > MAX_SHARED_BATCHES {
            self.shared_batches.pop_front();
        }
        event
    }

    /// Said even where nothing else is to be sent.
    fn batch_after_loss(&self, cursor: &mut Cursor, to: Mark, filter: &Filter, dropped: u64) -> Bytes {
        let from = std::mem::replace(&mut cursor.mark, to);
        self.live_payload(from, to, filter, dropped).into_event()
    }

    fn live_payload(&self, from: Mark, to: Mark, filter: &Filter, dropped: u64) -> Payload {
        let passing = self.ring.between(from, to).filter(|entry| filter.admits(entry));
        let entries: Vec<_> = passing.cloned().collect();
        let meta = Meta {
            total_count: self.ring.count(filter),
            displayed_count: entries.len(),
            has_more: false,
            dropped,
        };
        Payload { entries, meta }
    }
}
