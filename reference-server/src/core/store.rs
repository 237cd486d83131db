//! All streams of a server.

mod faults;

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use dashmap::DashMap;
use jiff::Timestamp;
use parking_lot::MutexGuard;
use tokio::sync::Notify;

use super::{
    append::{Append, Appended, EarlyLook, Outcome},
    error::Refusal,
    expiry_queue::ExpiryQueue,
    limits::{Limits, MemoryBudget},
    offset::Offset,
    offset_form::OffsetForm,
    producer::{ProducerHeaders, ProducerTable},
    reader::Reader,
    stream::{Absence, Life, State, Stream, Use},
    ttl::Expiry,
};
use crate::sabotage::{Switch, Switches};

/// Is told what happens to streams; called after the fact, with no lock held.
pub trait StreamObserver: Send + Sync {
    /// Data was appended to the stream at `path`, or given to it at its creation.
    fn appended(&self, path: &str, previous_tail: Offset, tail: Offset);

    /// The stream at `path` can no longer be reached: deleted or expired.
    fn deleted(&self, path: &str);
}

/// Room for so many streams is kept, however few there are.
const ROOM_TO_KEEP: usize = 4096;

/// Streams by their path below the stream root. Knows no clock: the time is passed in.
pub struct Store {
    pub(super) streams: DashMap<Arc<str>, Arc<Stream>>,
    /// Streams of any life, counted before they are made, so that the limit holds in a rush.
    pub(super) count: AtomicUsize,
    pub(super) limits: Limits,
    pub(super) memory: MemoryBudget,
    pub(super) expiring: ExpiryQueue,
    pub(crate) switches: Switches,
    /// Only a faulty server remembers producers here.
    pub(super) producers: ProducerTable,
    /// How offsets are spelled to clients.
    pub(crate) offsets: OffsetForm,
    observer: OnceLock<Arc<dyn StreamObserver>>,
    /// Told of every append to any stream, where that is to wake strangers.
    any_change: Notify,
}

/// What `HEAD` tells (section 5.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// As the creator spelled it.
    pub content_type: String,
    /// The end of the stream.
    pub tail: Offset,
    /// Whether that is final.
    pub closed: bool,
    /// As configured, not what is left of it.
    pub expiry: Expiry,
}

impl Store {
    /// An empty store.
    pub fn new(limits: Limits) -> Self {
        Self {
            streams: DashMap::new(),
            count: AtomicUsize::new(0),
            memory: MemoryBudget::new(limits.memory),
            limits,
            expiring: ExpiryQueue::default(),
            switches: Switches::NONE,
            producers: ProducerTable::default(),
            offsets: OffsetForm::default(),
            observer: OnceLock::new(),
            any_change: Notify::new(),
        }
    }

    /// The same store with faults.
    #[must_use]
    pub fn with_switches(self, switches: Switches) -> Self {
        Self { switches, ..self }
    }

    /// The same store with another spelling of offsets.
    #[must_use]
    pub fn with_offsets(self, offsets: OffsetForm) -> Self {
        Self { offsets, ..self }
    }

    /// Names the one observer; says whether there was none before.
    pub fn observe(&self, observer: Arc<dyn StreamObserver>) -> bool {
        self.observer.set(observer).is_ok()
    }

    /// Bytes of content held, for callers that hold bodies on behalf of the store.
    pub fn memory(&self) -> &MemoryBudget {
        &self.memory
    }

    /// Streams of any life.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Readers that follow a stream. Counted anew: for tests and operators, not for every request.
    pub fn live_readers(&self) -> usize {
        self.streams.iter().map(|entry| entry.value().live_readers.load(Ordering::Relaxed)).sum()
    }

    /// Appends to a stream, closes it, or both (sections 5.2 and 5.3).
    ///
    /// # Errors
    /// Every refusal of section 5.2; then nothing has changed.
    pub fn append(&self, path: &str, request: Append<'_>, now: Timestamp) -> Result<Appended, Refusal> {
        if self.switches != Switches::NONE
            && let Some(known) = self.err_in_knowing(path, &request, now)?
        {
            return Ok(known);
        }
        let stream = self.find(path)?;
        // Parsed outside the lock; whether it matters is known only inside.
        let payload = request.payload(&stream.content_type, self.switches);
        let cost = request.cost(payload.as_ref().ok().and_then(Option::as_ref));
        let reservation = self.memory.reserve(cost)?;
        if self.switches.on(Switch::AppendsRenewWhatIsOver) {
            stream.lock().touch(now);
        }
        let mut state = self.enter(&stream, Use::Look, now)?;
        let before = state.footprint();
        let asked = (self.switches != Switches::NONE).then(|| request.clone());
        let appended = stream.append(&mut state, request, payload, &self.limits, now).inspect_err(|_| {
            if let Some(refused) = &asked {
                state.err_after_refused_append(refused.clone(), &self.limits, now, self.switches);
            }
        })?;
        if asked.as_ref().is_none_or(|asked| self.renews(asked)) {
            state.touch(now);
        }
        let after = state.footprint();
        drop(state);
        if appended.outcome == Outcome::Stored || !self.switches.on(Switch::CloseWakesNobody) {
            stream.changed.notify_waiters();
        }
        if self.switches.on(Switch::StrangersWake) {
            self.any_change.notify_waiters();
        }
        reservation.keep(after.saturating_sub(before));
        self.memory.release(before.saturating_sub(after));
        if appended.outcome == Outcome::Stored || self.switches.on(Switch::ClosureWakes) {
            self.tell_appended(path, appended.previous_tail, appended.tail);
        }
        if let Some(asked) = &asked {
            self.err_after_append(&stream, asked, now);
        }
        Ok(appended)
    }

    /// Looks at a stream without using it: its sliding window goes on.
    ///
    /// # Errors
    /// There is no stream, or it is soft-deleted.
    pub fn describe(&self, path: &str, now: Timestamp) -> Result<Description, Refusal> {
        let stream = self.find(path)?;
        let state = match self.switches.on(Switch::HeadTellsWhatIsOver) {
            true => stream.lock(),
            false => self.enter(&stream, Use::Look, now)?,
        };
        Ok(Description {
            content_type: stream.content_type.as_str().to_owned(),
            tail: state.tail(),
            closed: state.is_closed(),
            expiry: stream.expiry.clone(),
        })
    }

    /// Begins a read, which restarts the sliding window.
    ///
    /// # Errors
    /// There is no stream, or it is soft-deleted.
    pub fn read(&self, path: &str, now: Timestamp) -> Result<Reader, Refusal> {
        self.begin_read(path, Use::ReadOrWrite, now)
    }

    fn begin_read(&self, path: &str, purpose: Use, now: Timestamp) -> Result<Reader, Refusal> {
        let stream = self.find(path)?;
        if self.switches != Switches::NONE {
            self.err_before_read(&stream, now);
        }
        let state = self.enter(&stream, purpose, now)?;
        let deadline = stream.deadline(&state);
        drop(state);
        Ok(Reader::new(stream, self.limits.page, deadline))
    }

    /// Deletes a stream; softly, while forks read from it (section 5.4).
    ///
    /// # Errors
    /// There is no stream, or it is soft-deleted already.
    pub fn delete(&self, path: &str, now: Timestamp) -> Result<(), Refusal> {
        let stream = self.find(path)?;
        let state = self.enter(&stream, Use::Look, now)?;
        if state.is_closed() && self.switches.on(Switch::ClosedStreamUndeletable) {
            return Err(Refusal::Closed { final_offset: state.tail() });
        }
        self.retire(&stream, state);
        if self.switches != Switches::NONE {
            self.err_after_deletion(&stream, now);
        }
        Ok(())
    }

    /// An append to any stream, where that wakes all readers; else nothing ever.
    pub(crate) async fn stranger(&self) {
        match self.switches.on(Switch::StrangersWake) {
            true => self.any_change.notified().await,
            false => std::future::pending().await,
        }
    }

    /// What a writer sees that looks first and acts later.
    pub(crate) fn look_early(
        &self,
        path: &str,
        producer: Option<&ProducerHeaders>,
        now: Timestamp,
    ) -> Option<EarlyLook> {
        let stream = self.find(path).ok()?;
        let state = stream.lock();
        let retention = self.limits.producer_retention;
        Some(EarlyLook {
            is_closed: state.is_closed(),
            last_seq: state.last_seq().cloned(),
            producer: producer.and_then(|producer| state.producers().state(&producer.id, retention, now)),
        })
    }

    /// The tail of a stream that can be read. Never tells the observer anything, so an observer may ask.
    pub fn tail(&self, path: &str, now: Timestamp) -> Option<Offset> {
        let stream = self.find(path).ok()?;
        let state = stream.enter(Use::Look, now).ok()?;
        Some(state.tail())
    }

    /// Where the data of a stream itself begins: at the start, or where a fork branched off. Like
    /// [`Self::tail`], open to observers.
    pub fn origin(&self, path: &str, now: Timestamp) -> Option<Offset> {
        let stream = self.find(path).ok()?;
        drop(stream.enter(Use::Look, now).ok()?);
        Some(stream.origin())
    }

    /// The paths of all streams that can be read, in no order. Like [`Self::tail`], open to observers.
    pub fn paths(&self, now: Timestamp) -> Vec<Arc<str>> {
        let streams: Vec<Arc<Stream>> = self.streams.iter().map(|entry| entry.value().clone()).collect();
        let readable = |stream: &Arc<Stream>| stream.enter(Use::Look, now).is_ok();
        streams.into_iter().filter(readable).map(|stream| stream.path.clone()).collect()
    }

    /// Retires every stream whose time is over; says how many. What room many former streams took is given back.
    pub fn sweep(&self, now: Timestamp) -> usize {
        let mut retired = 0;
        if self.streams.capacity() > ROOM_TO_KEEP + 4 * self.streams.len() {
            self.streams.shrink_to_fit();
        }
        if self.lets_lie_what_is_over() {
            return retired;
        }
        for stream in self.expiring.due(now) {
            match stream.enter(Use::Look, now) {
                Ok(state) => {
                    let deadline = stream.deadline(&state);
                    drop(state);
                    self.expiring.watch(&stream, deadline);
                }
                Err(Absence::Expired) => retired += usize::from(self.retire_expired(&stream, now)),
                Err(Absence::SoftDeleted | Absence::Removed) => {}
            }
        }
        retired
    }

    pub(super) fn find(&self, path: &str) -> Result<Arc<Stream>, Refusal> {
        let entry = self.streams.get(path).ok_or(Refusal::NotFound)?;
        Ok(entry.value().clone())
    }

    /// The state of a stream that can be used; an expired one is retired on the way.
    pub(super) fn enter<'a>(
        &self,
        stream: &'a Arc<Stream>,
        purpose: Use,
        now: Timestamp,
    ) -> Result<MutexGuard<'a, State>, Refusal> {
        stream.enter(purpose, now).map_err(|absence| match absence {
            Absence::SoftDeleted => Refusal::Gone,
            Absence::Removed if self.switches.on(Switch::OverIsGone) => Refusal::Gone,
            Absence::Removed => Refusal::NotFound,
            Absence::Expired => {
                self.retire_expired(stream, now);
                match stream.lock().life {
                    Life::SoftDeleted => Refusal::Gone,
                    Life::Removed if self.switches.on(Switch::OverIsGone) => Refusal::Gone,
                    Life::Live | Life::Removed => Refusal::NotFound,
                }
            }
        })
    }

    /// Retires the stream unless somebody else did meanwhile; says whether it was this call.
    pub(super) fn retire_expired(&self, stream: &Arc<Stream>, now: Timestamp) -> bool {
        let state = stream.lock();
        let due = state.life == Life::Live && stream.is_expired(&state, now);
        if due {
            self.retire(stream, state);
        }
        due
    }

    /// Ends the life of a stream: at once, or softly while forks read from it.
    fn retire(&self, stream: &Arc<Stream>, mut state: MutexGuard<'_, State>) {
        let mut removed = Vec::new();
        if state.forks > 0 {
            state.life = Life::SoftDeleted;
            if self.switches.on(Switch::SoftDeletedOverwritten) {
                state.blank_out();
            }
        } else {
            self.mark_removed(stream, &mut state, &mut removed);
            // As long as this lock is held, nobody sees the fork gone and its source still waiting for it.
            self.release_source(stream, &mut removed);
        }
        drop(state);
        self.unlink(&removed);
        stream.changed.notify_waiters();
        if let Some(observer) = self.observer.get() {
            observer.deleted(&stream.path);
        }
    }

    fn mark_removed(&self, stream: &Arc<Stream>, state: &mut State, removed: &mut Vec<Arc<Stream>>) {
        state.life = Life::Removed;
        if !self.leaves_remains() {
            self.memory.release(state.discard());
            removed.push(stream.clone());
        }
    }

    /// Takes removed streams off their paths. No stream may be locked meanwhile: who makes one holds the map first.
    fn unlink(&self, removed: &[Arc<Stream>]) {
        for stream in removed {
            // A successor may have taken the path since.
            self.streams.remove_if(&stream.path, |_, current| Arc::ptr_eq(current, stream));
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Whether a deleted stream stays where it was, for its successor to find.
    fn leaves_remains(&self) -> bool {
        let remains = [
            Switch::BytesSurviveDeletion,
            Switch::TypeSurvivesDeletion,
            Switch::SeqSurvivesDeletion,
            Switch::ClosureSurvivesDeletion,
            Switch::LifetimeSurvivesDeletion,
            Switch::OverIsGone,
            Switch::ProducersSurviveDeletion,
        ];
        self.switches != Switches::NONE && remains.into_iter().any(|switch| self.switches.on(switch))
    }

    /// Takes back a fork's reference, and collects the soft-deleted ancestors that nobody needs any more.
    fn release_source(&self, fork: &Arc<Stream>, removed: &mut Vec<Arc<Stream>>) {
        let mut fork = fork.clone();
        while let Some(source) = fork.lineage.as_ref().map(|lineage| lineage.source.clone()) {
            let mut state = source.lock();
            if self.switches.on(Switch::ForkReferenceLeaks) {
                break;
            }
            state.forks -= 1;
            let has_forks = state.forks > 0 && !self.switches.on(Switch::CollectedWithFirstFork);
            let is_deleted = state.life == Life::SoftDeleted
                || (self.switches.on(Switch::LiveSourceCollected) && state.life == Life::Live);
            if has_forks || !is_deleted {
                break;
            }
            self.mark_removed(&source, &mut state, removed);
            drop(state);
            if self.switches.on(Switch::ChainNotCollected) {
                break;
            }
            fork = source;
        }
    }

    pub(super) fn tell_appended(&self, path: &str, previous_tail: Offset, tail: Offset) {
        if let Some(observer) = self.observer.get() {
            observer.appended(path, previous_tail, tail);
        }
    }
}
