//! All scopes of a server, within bounds.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::watch;

use super::channel::{Channel, Cursor};
use super::config::LogsConfig;
use super::entry::{Entry, NewEntry, Stamp};
use super::faults;
use super::payload::Payload;
use super::query::{LogsQuery, Scope};
use super::status::{JobStatus, NewStatus};
use crate::sabotage::{Switch, Switches};

#[cfg(test)]
mod tests;

#[derive(Debug)]
pub(super) struct Store {
    config: LogsConfig,
    service: Channel,
    jobs: HashMap<Arc<str>, Job>,
    /// What all held entries cost in memory.
    bytes: usize,
    next_sequence: u64,
    switches: Switches,
    /// Counts writes, to tell which job was written to longest ago.
    writes: u64,
}

#[derive(Debug)]
struct Job {
    channel: Channel,
    last_write: u64,
}

/// A reader's hold on its channel: while it lives, the channel is not forgotten.
#[derive(Debug)]
pub(super) struct Subscription {
    query: LogsQuery,
    cursor: Cursor,
    /// Changes whenever there may be a next event.
    pub(super) ready: watch::Receiver<()>,
}

/// When an entry comes: by the steady clock that times batches, and by the clock on the wall.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival<'a> {
    pub(super) now: Instant,
    /// Time of day in UTC, `10:30:45`.
    pub(super) time_of_day: &'a str,
}

/// A window that was opened, and when it is to be closed.
pub(super) type OpenWindow = (Scope, Instant);

impl Store {
    /// Entries are numbered from `first_sequence` on. Where each start of a server begins higher
    /// than the last one ended, a client never takes new entries for those it already has.
    pub(super) fn new(config: LogsConfig, first_sequence: u64) -> Self {
        Self {
            service: Channel::new(&config, Switches::NONE),
            jobs: HashMap::new(),
            bytes: 0,
            next_sequence: first_sequence,
            switches: Switches::NONE,
            writes: 0,
            config,
        }
    }

    /// The same store with faults.
    pub(super) fn with_switches(mut self, switches: Switches) -> Self {
        self.service = Channel::new(&self.config, switches);
        self.switches = switches;
        self
    }

    pub(super) fn switches(&self) -> Switches {
        self.switches
    }

    /// The channel of the service, and those of all jobs.
    pub(super) fn channels_mut(&mut self) -> (&mut Channel, impl Iterator<Item = (&str, &mut Channel)>) {
        let jobs = self.jobs.iter_mut().map(|(id, job)| (&**id, &mut job.channel));
        (&mut self.service, jobs)
    }

    /// Begins to read: the first batch, and the hold that gives what comes after it.
    pub(super) fn subscribe(&mut self, mut query: LogsQuery) -> (Payload, Subscription) {
        let switches = self.switches;
        let channel = match &query.scope {
            Scope::Service => &mut self.service,
            Scope::Job(id) => &mut self.job(id).channel,
        };
        let first = channel.newest(&faults::initial_filter(&query.filter, switches), query.limit);
        let (mut cursor, ready) = channel.subscribe();
        if switches.on(Switch::LogsLimitCountsLive) {
            cursor.limit(query.limit);
        }
        query.filter = faults::live_filter(&query.filter, switches);
        let subscription = Subscription { query, cursor, ready };
        (first, subscription)
    }

    /// The next event of a subscription, if there is one yet.
    pub(super) fn next_event(&mut self, subscription: &mut Subscription) -> Option<Bytes> {
        let LogsQuery { scope, filter, .. } = &subscription.query;
        let channel = channel_mut(&mut self.service, &mut self.jobs, scope)?;
        channel.next_event(&mut subscription.cursor, filter)
    }

    /// Lets the subscription have at once what waits for its batch.
    pub(super) fn flush(&mut self, subscription: &Subscription) {
        let scope = &subscription.query.scope;
        if let Some(channel) = channel_mut(&mut self.service, &mut self.jobs, scope) {
            channel.flush();
        }
    }

    /// The newest entries, once.
    pub(super) fn newest(&self, query: &LogsQuery) -> Payload {
        let LogsQuery { scope, filter, limit } = query;
        match scope {
            Scope::Service => self.service.newest(filter, *limit),
            Scope::Job(id) => match self.jobs.get(id) {
                Some(job) => job.channel.newest(filter, *limit),
                None => Payload::empty(),
            },
        }
    }

    /// Takes an entry. A window in the answer must be closed with [`Self::close_window_if_due`].
    pub(super) fn push(&mut self, new: NewEntry, arrival: Arrival<'_>) -> Option<OpenWindow> {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let scope = match &new.job_id {
            Some(id) => Scope::Job(id.as_str().into()),
            None => Scope::Service,
        };
        let channel = match &scope {
            Scope::Service => &mut self.service,
            Scope::Job(id) => &mut self.written_job(id).channel,
        };
        let stamp =
            Stamp { sequence, timestamp: arrival.time_of_day, line_number: channel.entries_taken() + 1 };
        let bytes_before = channel.bytes();
        let entry = Entry::new(new, stamp);
        let until = channel.push(entry.clone(), arrival.now);
        let bytes_after = channel.bytes();
        self.bytes = self.bytes - bytes_before + bytes_after;
        self.make_room(&scope);
        if self.switches != Switches::NONE {
            self.leak(&scope, &entry, arrival.now);
        }
        until.map(|until| (scope, until))
    }

    pub(super) fn close_window_if_due(&mut self, scope: &Scope, now: Instant) {
        if let Some(channel) = channel_mut(&mut self.service, &mut self.jobs, scope) {
            channel.close_window_if_due(now);
        }
    }

    /// Takes a job's new state and gives it as it is now.
    pub(super) fn change_status(&mut self, id: &str, new: NewStatus) -> JobStatus {
        let channel = &mut self.written_job(&id.into()).channel;
        let status = new.after(id, channel.status());
        channel.change_status(status.clone());
        self.leak_status(&status);
        status
    }

    /// A job's state, if any was ever told.
    pub(super) fn status(&self, id: &str) -> Option<&JobStatus> {
        self.jobs.get(id)?.channel.status()
    }

    fn written_job(&mut self, id: &Arc<str>) -> &mut Job {
        self.writes += 1;
        let write = self.writes;
        let job = self.job(id);
        job.last_write = write;
        job
    }

    /// A job, new where it is not known. One that was only ever read is the first to be forgotten.
    fn job(&mut self, id: &Arc<str>) -> &mut Job {
        if !self.jobs.contains_key(id) && self.jobs.len() >= self.config.max_jobs {
            self.forget_stalest_job(None);
        }
        let new = || Job { channel: Channel::new(&self.config, self.switches), last_write: 0 };
        self.jobs.entry(id.clone()).or_insert_with(new)
    }

    /// Keeps to the bound on all entries together: jobs that nobody reads or writes give way, and
    /// where there are none the writer's own oldest entries.
    fn make_room(&mut self, writer: &Scope) {
        while self.bytes > self.config.total_bytes {
            if self.forget_stalest_job(Some(writer)) {
                continue;
            }
            let Some(channel) = channel_mut(&mut self.service, &mut self.jobs, writer) else {
                return;
            };
            let before = channel.bytes();
            if !channel.drop_oldest() {
                return;
            }
            self.bytes = self.bytes - before + channel.bytes();
        }
    }

    fn forget_stalest_job(&mut self, spared: Option<&Scope>) -> bool {
        let is_spared = |id: &Arc<str>| matches!(spared, Some(Scope::Job(spared)) if spared == id);
        let unread = self.jobs.iter().filter(|(id, job)| !job.channel.is_read() && !is_spared(id));
        let stalest = unread.min_by_key(|(_, job)| job.last_write).map(|(id, _)| id.clone());
        let Some(forgotten) = stalest.and_then(|id| self.jobs.remove(&id)) else {
            return false;
        };
        self.bytes -= forgotten.channel.bytes();
        true
    }
}

fn channel_mut<'a>(
    service: &'a mut Channel,
    jobs: &'a mut HashMap<Arc<str>, Job>,
    scope: &Scope,
) -> Option<&'a mut Channel> {
    match scope {
        Scope::Service => Some(service),
        Scope::Job(id) => Some(&mut jobs.get_mut(id)?.channel),
    }
}
