//! What goes wrong inside a stream that is to go wrong on purpose.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::{Closure, Life, State, Stream, Use};
use crate::{
    core::{
        append::Append, error::Refusal, limits::Limits, offset::Offset, payload::Payload,
        producer::Producers, sequence::StreamSeq, ttl::Expiry,
    },
    sabotage::{Switch, Switches},
};

impl Stream {
    /// When a faulty server ends the stream; `None` where its fault makes no difference.
    pub(super) fn wrong_deadline(&self, state: &State) -> Option<Option<Timestamp>> {
        let on = |switch| self.switches.on(switch);
        match &self.expiry {
            Expiry::Never => None,
            Expiry::Sliding(ttl) => {
                if on(Switch::TtlEndsNothing) {
                    Some(None)
                } else if on(Switch::TtlFromCreation) {
                    Some(self.expiry.deadline(self.created))
                } else if on(Switch::TtlInMilliseconds) {
                    let window = i64::try_from(ttl.seconds()).map(SignedDuration::from_millis).ok()?;
                    Some(state.last_use.checked_add(window).ok())
                } else {
                    let overflows = on(Switch::TtlOverflows) && i32::try_from(ttl.seconds()).is_err();
                    overflows.then_some(Some(self.created))
                }
            }
            Expiry::At(at) => {
                let instant = at.instant();
                if on(Switch::ExpiresAtEndsNothing) {
                    Some(None)
                } else if on(Switch::ExpiresAtSlides) {
                    Some(instant.checked_add(state.last_use.duration_since(self.created)).ok())
                } else if on(Switch::ExpiresAtByTheHour) {
                    const HOUR: i64 = 3600;
                    Some(Timestamp::from_second(instant.as_second().div_euclid(HOUR) * HOUR).ok())
                } else {
                    (on(Switch::PastExpiresAtIsNone) && instant <= self.created).then_some(None)
                }
            }
        }
    }

    /// Whether the stream is a fork that went with its source, as it should not.
    pub(super) fn ends_with_source(&self, now: Timestamp) -> bool {
        self.switches.on(Switch::ForkEndsWithSource)
            && self.lineage.as_ref().is_some_and(|lineage| lineage.source.enter(Use::Look, now).is_err())
    }

    /// Whether the stream inherits from `owner` and does not know how to read there.
    pub(super) fn cannot_read(&self, owner: &Self) -> bool {
        self.switches.on(Switch::ForkReadsOneLevel)
            && self.lineage.as_ref().is_some_and(|lineage| !std::ptr::eq(&*lineage.source, owner))
    }

    /// What a faulty server gives to a fork beside the data of its source.
    pub(crate) fn inherit_too_much(&self) {
        let Some(lineage) = &self.lineage else { return };
        let mut state = self.lock();
        let source = lineage.source.lock();
        if self.switches.on(Switch::ForkInheritsClosure) && source.is_closed() {
            state.closure = Some(Closure { by: None });
        }
        if self.switches.on(Switch::ForkInheritsProducers) {
            state.producers = source.producers.clone();
        }
        if self.switches.on(Switch::ForkInheritsSeq) {
            state.last_seq = source.last_seq.clone();
        }
    }
}

impl State {
    /// Brings a deleted source back to life.
    pub(crate) fn revive(&mut self) {
        if self.life == Life::SoftDeleted {
            self.life = Life::Live;
        }
    }

    /// Overwrites all bytes of the stream.
    pub(crate) fn blank_out(&mut self) {
        self.log.blank_out();
    }

    /// What a faulty server does with an append before it comes to the checks.
    pub(super) fn err_before_checks(
        &mut self,
        request: &mut Append<'_>,
        payload: &Result<Option<Payload>, Refusal>,
        switches: Switches,
    ) -> Result<(), Refusal> {
        if switches.on(Switch::ContentBeforeClosure)
            && let Err(refusal) = payload
        {
            return Err(refusal.clone());
        }
        if switches.on(Switch::SeqBeforeClosure)
            && let Some(seq) = &request.seq
        {
            seq.follows(self.last_seq.as_ref(), switches)?;
        }
        if switches.on(Switch::ClosedStreamGrows) && !request.body.is_empty() {
            self.closure = None;
        }
        if switches.on(Switch::PlainAppendForgetsProducers) && request.producer.is_none() {
            self.producers = Producers::default();
        }
        if switches.on(Switch::ClosingAppendStoredAgain)
            && let (Some(closure), Some(producer)) = (&self.closure, &request.producer)
            && closure.is_by(producer, switches)
            && let Some(payload) = Payload::of_bytes(request.body)
        {
            self.log.push(payload);
        }
        if switches.on(Switch::SeqDemanded) && request.seq.is_none() && self.last_seq.is_some() {
            return Err(Refusal::SequenceNotGreater);
        }
        if switches.on(Switch::SeqForgotten) && request.seq.is_none() {
            self.last_seq = None;
        }
        if let Some(seq) = request.seq.take_if(|_| switches.on(Switch::SeqRememberedEarly)) {
            seq.follows(self.last_seq.as_ref(), switches)?;
            self.last_seq = Some(seq);
        }
        Ok(())
    }

    /// What a faulty server does with an append that it refused.
    pub(crate) fn err_after_refused_append(
        &mut self,
        refused: Append<'_>,
        limits: &Limits,
        now: Timestamp,
        switches: Switches,
    ) {
        if switches.on(Switch::RefusedAppendStored)
            && let Some(payload) = Payload::of_bytes(refused.body)
        {
            self.log.push(payload);
        }
        if switches.on(Switch::SeqRefusedRemembered) && refused.seq.is_some() {
            self.last_seq = refused.seq;
        }
        if let Some(producer) = refused.producer.filter(|_| switches.on(Switch::RefusedRequestRemembered)) {
            self.producers.accept(&producer, limits.producer_retention, now);
        }
    }

    /// What a faulty server does with a `PUT` that it refused.
    pub(crate) fn err_after_refused_put(&mut self, body: &[u8], closed: bool, switches: Switches) {
        if switches.on(Switch::RefusedPutStores)
            && let Some(payload) = Payload::of_bytes(body)
        {
            self.log.push(payload);
        }
        if switches.on(Switch::RefusedPutCloses) && closed {
            self.closure = Some(Closure { by: None });
        }
        if switches.on(Switch::RefusedPutReopens) && !closed {
            self.closure = None;
        }
    }

    /// The tail as a read sees it that does not see the last write; the next one will.
    pub(super) fn tail_as_seen(&mut self, start: Offset) -> Offset {
        std::mem::replace(&mut self.seen, self.log.tail()).max(start)
    }

    /// Whether an offset that was once issued is not known any more.
    pub(super) fn forgot(&self, offset: Offset, switches: Switches) -> bool {
        const REMEMBERED: usize = 4;
        let is_old = || self.log.appends_from(offset) > REMEMBERED;
        (switches.on(Switch::OldOffsetsForgotten) && is_old())
            || (switches.on(Switch::OffsetsEndWithClosure) && self.is_closed() && offset != self.tail())
    }

    /// The last accepted `Stream-Seq`.
    pub(crate) fn last_seq(&self) -> Option<&StreamSeq> {
        self.last_seq.as_ref()
    }

    /// When the stream was last used.
    pub(crate) fn last_use(&self) -> Timestamp {
        self.last_use
    }

    /// All bytes of the stream itself.
    pub(crate) fn content(&self) -> Vec<Bytes> {
        self.log.everything()
    }
}

/// Ends an array of messages where the messages of another stream begin.
pub(super) fn end_array(chunks: &mut Vec<Bytes>) {
    if let Some(last) = chunks.last_mut() {
        last.truncate(last.len() - 1);
    }
    chunks.push(Bytes::from_static(b"],["));
}
