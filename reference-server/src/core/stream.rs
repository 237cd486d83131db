//! One stream: its log, its closure, its writers, its forks.

mod faults;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use super::{
    append::{Append, Appended, Outcome},
    content_type::ContentType,
    error::Refusal,
    fork::{self, ForkRequest},
    limits::Limits,
    log::Log,
    offset::{Offset, ReadStart},
    page::{Collect, Page},
    payload::Payload,
    producer::{self, ProducerHeaders, ProducerState, Producers, Standing},
    sequence::StreamSeq,
    ttl::Expiry,
};
use crate::sabotage::{Switch, Switches};

/// A stream at its path, from creation to deletion.
pub(crate) struct Stream {
    pub(crate) id: u64,
    pub(crate) path: Arc<str>,
    pub(crate) content_type: ContentType,
    pub(crate) expiry: Expiry,
    pub(crate) lineage: Option<Lineage>,
    /// Told of every append, closure and removal.
    pub(crate) changed: Notify,
    pub(crate) live_readers: AtomicUsize,
    pub(crate) switches: Switches,
    created: Timestamp,
    state: Mutex<State>,
}

/// Where a fork comes from.
pub(crate) struct Lineage {
    pub(crate) source: Arc<Stream>,
    /// What lies before this offset belongs to the source.
    pub(crate) point: Offset,
    /// The offset that the request named or implied, before the sub-offset.
    pub(crate) anchor: Offset,
    pub(crate) request: ForkRequest,
    /// What the source's expiry was, for a request that leaves it out.
    pub(crate) inherited_expiry: Expiry,
}

pub(crate) struct State {
    pub(crate) life: Life,
    log: Log,
    closure: Option<Closure>,
    last_seq: Option<StreamSeq>,
    producers: Producers,
    last_use: Timestamp,
    pub(crate) forks: usize,
    /// How far readers have seen, where reads lag behind.
    seen: Offset,
}

/// Who closed the stream, when it was a producer.
#[derive(Debug)]
struct Closure {
    by: Option<ProducerHeaders>,
}

/// Whether a stream can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Live,
    /// Deleted, but still read by forks (section 4.2).
    SoftDeleted,
    Removed,
}

/// Why a stream at a path cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absence {
    SoftDeleted,
    Removed,
    /// Its time is over, and nobody has retired it yet.
    Expired,
}

/// What an operation means for the sliding window (section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    ReadOrWrite,
    Look,
}

impl Stream {
    pub(crate) fn new(
        path: &str,
        content_type: ContentType,
        expiry: Expiry,
        lineage: Option<Lineage>,
        now: Timestamp,
    ) -> Self {
        let base = origin_of(lineage.as_ref());
        Self {
            id: rand::random(),
            path: path.into(),
            content_type,
            expiry,
            lineage,
            changed: Notify::new(),
            live_readers: AtomicUsize::new(0),
            switches: Switches::NONE,
            created: now,
            state: Mutex::new(State {
                life: Life::Live,
                log: Log::starting_at(base),
                closure: None,
                last_seq: None,
                producers: Producers::default(),
                last_use: now,
                forks: 0,
                seen: base,
            }),
        }
    }

    /// Where the stream's own data begins.
    pub(crate) fn origin(&self) -> Offset {
        origin_of(self.lineage.as_ref())
    }

    /// The first content of a stream that nobody has seen yet.
    pub(crate) fn start_with(
        &mut self,
        payload: Option<Payload>,
        closed: bool,
        seq: Option<StreamSeq>,
        producers: Producers,
    ) {
        let state = self.state.get_mut();
        state.last_seq = seq;
        state.producers = producers;
        if let Some(payload) = payload {
            state.log.push(payload);
        }
        state.closure = closed.then_some(Closure { by: None });
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// The state of a stream that can be used now.
    pub(crate) fn enter(&self, purpose: Use, now: Timestamp) -> Result<MutexGuard<'_, State>, Absence> {
        let mut state = self.lock();
        match state.life {
            Life::SoftDeleted => return Err(Absence::SoftDeleted),
            Life::Removed => return Err(Absence::Removed),
            Life::Live if self.ends_with_source(now) => return Err(Absence::Removed),
            Life::Live if self.is_expired(&state, now) => return Err(Absence::Expired),
            Life::Live => {}
        }
        if purpose == Use::ReadOrWrite {
            state.touch(now);
        }
        Ok(state)
    }

    /// When the stream will be gone if nobody uses it; `None` for never.
    pub(crate) fn deadline(&self, state: &State) -> Option<Timestamp> {
        if self.switches != Switches::NONE
            && let Some(wrong) = self.wrong_deadline(state)
        {
            return wrong;
        }
        self.expiry.deadline(state.last_use)
    }

    /// A sliding window does not end under a live reader, an instant does.
    pub(crate) fn is_expired(&self, state: &State, now: Timestamp) -> bool {
        let held_open =
            matches!(self.expiry, Expiry::Sliding(_)) && self.live_readers.load(Ordering::Relaxed) > 0;
        !held_open && self.deadline(state).is_some_and(|deadline| deadline <= now)
    }

    /// Takes the append, or says why not. Checks in the order of section 5.2: closure, content,
    /// producer, sequence; nothing changes before all have passed.
    pub(crate) fn append(
        &self,
        state: &mut State,
        mut request: Append<'_>,
        payload: Result<Option<Payload>, Refusal>,
        limits: &Limits,
        now: Timestamp,
    ) -> Result<Appended, Refusal> {
        let early_look = request.early_look.take();
        if self.switches != Switches::NONE {
            state.err_before_checks(&mut request, &payload, self.switches)?;
        }
        let seems_open = early_look.as_ref().is_some_and(|look| !look.is_closed);
        if let Some(closure) = state.closure.as_ref().filter(|_| !seems_open) {
            return answer_when_closed(closure, &request, state, self.switches);
        }
        let payload = payload?;
        if let Some(producer) = &request.producer {
            let known = match &early_look {
                Some(look) => look.producer,
                None => state.producers.state(&producer.id, limits.producer_retention, now),
            };
            let standing = producer::validate(known, producer.epoch, producer.seq, self.switches)?;
            if let Standing::Duplicate { highest } = standing {
                return Ok(state.unchanged(Outcome::Duplicate, Some((producer.epoch, highest))));
            }
        }
        if let Some(seq) = &request.seq {
            let last = early_look.as_ref().map_or(state.last_seq.as_ref(), |look| look.last_seq.as_ref());
            seq.follows(last, self.switches)?;
        }
        Ok(state.apply(request, payload, limits, now, self.switches))
    }

    /// The range from `start` to at most the tail; its content, too, or only where it ends.
    pub(crate) fn page(&self, start: ReadStart, budget: usize, what: Collect) -> Result<Page, Refusal> {
        let mut state = self.lock();
        match state.life {
            Life::Live => {}
            Life::SoftDeleted => return Err(Refusal::Gone),
            Life::Removed => return Err(Refusal::NotFound),
        }
        let tail = state.log.tail();
        let start = match start {
            ReadStart::Beginning => Offset::START,
            ReadStart::Now => tail,
            ReadStart::At(offset) => self.checked(offset, &state)?,
        };
        let tail = if self.switches.on(Switch::ReadsLagBehind) { state.tail_as_seen(start) } else { tail };
        let start =
            if start > tail && self.switches.on(Switch::BeyondTailIsStart) { Offset::START } else { start };
        let mut chunks = Vec::new();
        let mut at = start;
        let mut room = budget;
        let mut ends_at_seam = false;
        let mut ancestors = self.ancestors_from(start);
        while at < tail && room > 0 && !ends_at_seam {
            let from = at;
            while ancestors.last().is_some_and(|(_, cap)| *cap <= at) {
                ancestors.pop();
            }
            let take = |bytes: &Bytes, window| {
                if what == Collect::Content {
                    chunks.push(bytes.slice(window));
                }
            };
            at = match ancestors.last() {
                Some((owner, _)) if self.cannot_read(owner) => self.origin(),
                Some((owner, cap)) => owner.lock().log.collect(at, *cap, room, take),
                None => state.log.collect(at, tail, room, take),
            };
            // A faulty server may have lost what was there.
            if at == from {
                break;
            }
            ends_at_seam = self.switches.on(Switch::ForkUpToDateAtSeam) && at == self.origin();
            room = room.saturating_sub((at.position() - from.position()) as usize);
            if self.switches.on(Switch::ForkArraysApart) && at < tail {
                faults::end_array(&mut chunks);
            }
        }
        if self.switches.on(Switch::NewestFirst) {
            chunks.reverse();
        }
        if self.switches.on(Switch::FirstAppendOnly) {
            chunks.truncate(1);
        }
        Ok(Page {
            stream_id: self.id,
            format: self.content_type.format(),
            start,
            end: at,
            at_tail: at == tail || ends_at_seam,
            closed: state.closure.is_some(),
            chunks,
        })
    }

    /// The position of a fork of this stream: its anchor and, with the sub-offset, its point.
    pub(crate) fn fork_point(
        &self,
        request: &ForkRequest,
        state: &State,
    ) -> Result<(Offset, Offset), Refusal> {
        let tail = state.log.tail();
        let mut anchor = request.offset.unwrap_or(tail);
        if anchor > tail && self.switches.on(Switch::ForkOffsetClamped) {
            anchor = tail;
        }
        if anchor > tail {
            return Err(Refusal::ForkOffsetBeyondTail);
        }
        let point = match self.owner_of(anchor) {
            (_, None) => fork::refine(&state.log, anchor, request, self.switches)?,
            (owner, Some(cap)) => {
                let point = fork::refine(&owner.lock().log, anchor, request, self.switches)?;
                if point > cap {
                    return Err(Refusal::SubOffsetTooFar);
                }
                point
            }
        };
        Ok((anchor, point))
    }

    fn checked(&self, offset: Offset, state: &State) -> Result<Offset, Refusal> {
        let takes_any = [Switch::BeyondTailIsTail, Switch::BeyondTailIsStart];
        if offset > state.log.tail() && takes_any.into_iter().any(|switch| self.switches.on(switch)) {
            return Ok(offset);
        }
        if offset > state.log.tail() {
            return Err(Refusal::OffsetBeyondTail);
        }
        if self.switches != Switches::NONE && state.forgot(offset, self.switches) {
            return Err(Refusal::OffsetNotABoundary);
        }
        let may_begin = match self.owner_of(offset) {
            (_, None) => state.log.may_cut_at(offset),
            (_, Some(_)) if self.switches.on(Switch::ForkForgetsSourceOffsets) => false,
            (owner, Some(_)) => owner.lock().log.may_cut_at(offset),
        };
        may_begin.then_some(offset).ok_or(Refusal::OffsetNotABoundary)
    }

    /// The ancestors that hold what follows `offset`, the nearest first, and how far this stream inherits from each.
    /// Found at one go: to look for the owner of every piece would make long lines of forks costly to read.
    fn ancestors_from(&self, offset: Offset) -> Vec<(&Self, Offset)> {
        let mut ancestors: Vec<(&Self, Offset)> = Vec::new();
        let mut owner = self;
        while let Some(lineage) = owner.lineage.as_ref().filter(|lineage| offset < lineage.point) {
            let so_far = ancestors.last().filter(|_| !self.switches.on(Switch::ForkCutByFirstOnly));
            let cap = so_far.map_or(lineage.point, |(_, cap)| lineage.point.min(*cap));
            owner = &lineage.source;
            ancestors.push((owner, cap));
        }
        ancestors
    }

    /// The stream whose own log holds what follows `offset` and, for an ancestor, how far this stream
    /// inherits from it; `None` for this stream itself.
    ///
    /// Locks are taken from fork to source only, so holding one's own while asking an ancestor is safe.
    fn owner_of(&self, offset: Offset) -> (&Self, Option<Offset>) {
        self.ancestors_from(offset).pop().map_or((self, None), |(owner, cap)| (owner, Some(cap)))
    }
}

impl Closure {
    /// Whether a request of the producer with these numbers was the one that closed.
    fn is_by(&self, request: &ProducerHeaders, switches: Switches) -> bool {
        let Some(by) = &self.by else { return false };
        by == request
            || (switches.on(Switch::CloserKnownByIdAlone) && by.id == request.id)
            || (switches.on(Switch::CloserKnownByNumbersAlone)
                && (by.epoch, by.seq) == (request.epoch, request.seq))
    }
}

impl State {
    pub(crate) fn tail(&self) -> Offset {
        self.log.tail()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closure.is_some()
    }

    /// All that is known of producers.
    pub(crate) fn producers(&self) -> &Producers {
        &self.producers
    }

    /// Restarts the sliding window.
    pub(crate) fn touch(&mut self, now: Timestamp) {
        self.last_use = self.last_use.max(now);
    }

    /// Bytes that the stream's own data and its producers take.
    pub(crate) fn footprint(&self) -> u64 {
        self.log.size() + self.producers.size()
    }

    /// Drops the stream's own data; says how many bytes that were.
    pub(crate) fn discard(&mut self) -> u64 {
        let freed = self.footprint();
        self.log.discard();
        self.producers = Producers::default();
        freed
    }

    fn apply(
        &mut self,
        request: Append<'_>,
        payload: Option<Payload>,
        limits: &Limits,
        now: Timestamp,
        switches: Switches,
    ) -> Appended {
        let previous_tail = self.log.tail();
        let messages = payload.as_ref().map_or(1, Payload::messages);
        let outcome = match payload {
            Some(payload) if switches.on(Switch::LogIsARing) => {
                self.log.push_into_ring(payload);
                Outcome::Stored
            }
            Some(payload) => {
                self.log.push(payload);
                Outcome::Stored
            }
            None => Outcome::ClosedOnly,
        };
        match &request.producer {
            Some(producer) if switches != Switches::NONE => {
                let remembered = self.producers.misremembered(producer, messages, switches);
                self.producers.accept(&remembered, limits.producer_retention, now);
            }
            Some(producer) => self.producers.accept(producer, limits.producer_retention, now),
            None => {}
        }
        if request.seq.is_some() {
            self.last_seq = request.seq;
        }
        let producer = request.producer.as_ref().map(|producer| (producer.epoch, producer.seq));
        if request.close {
            let by = request.producer.filter(|_| !switches.on(Switch::CloserForgotten));
            self.closure = Some(Closure { by });
        }
        Appended { previous_tail, ..self.unchanged(outcome, producer) }
    }

    fn unchanged(&self, outcome: Outcome, producer: Option<(u64, u64)>) -> Appended {
        Appended {
            outcome,
            previous_tail: self.log.tail(),
            tail: self.log.tail(),
            closed: self.is_closed(),
            producer: producer.map(|(epoch, last_seq)| ProducerState { epoch, last_seq }),
        }
    }
}

/// A closed stream takes a repetition of what closed it, and nothing else (section 5.2.1).
fn answer_when_closed(
    closure: &Closure,
    request: &Append<'_>,
    state: &State,
    switches: Switches,
) -> Result<Appended, Refusal> {
    let closed = Refusal::Closed { final_offset: state.tail() };
    match &request.producer {
        Some(producer) if closure.is_by(producer, switches) => {
            Ok(state.unchanged(Outcome::Duplicate, Some((producer.epoch, producer.seq))))
        }
        None if request.is_close_only() => Ok(state.unchanged(Outcome::ClosedOnly, None)),
        _ => Err(closed),
    }
}

fn origin_of(lineage: Option<&Lineage>) -> Offset {
    lineage.map_or(Offset::START, |lineage| lineage.point)
}

impl Drop for Stream {
    /// A long chain of forks is taken apart link by link, since a nested drop would exhaust the stack.
    fn drop(&mut self) {
        let mut next = self.lineage.take();
        while let Some(lineage) = next {
            next = Arc::into_inner(lineage.source).and_then(|mut source| source.lineage.take());
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Stream").field("path", &self.path).finish_non_exhaustive()
    }
}
