//! What goes wrong between streams where it is to go wrong on purpose.

use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::MutexGuard;

use super::{Life, Reader, State, Store, Stream, Use};
use crate::{
    core::{
        append::{Append, Appended, Outcome},
        error::Refusal,
        producer::{ProducerState, Standing},
    },
    sabotage::Switch,
};

impl Store {
    /// What a faulty server answers to a producer before it has looked at the stream.
    pub(super) fn err_in_knowing(
        &self,
        path: &str,
        request: &Append<'_>,
        now: Timestamp,
    ) -> Result<Option<Appended>, Refusal> {
        let Some(producer) = &request.producer else { return Ok(None) };
        let (standing, tail) = (self.producers.take(path, producer, self.switches)?, self.tail(path, now));
        let (Some(Standing::Duplicate { highest }), Some(tail)) = (standing, tail) else { return Ok(None) };
        let producer = Some(ProducerState { epoch: producer.epoch, last_seq: highest });
        let outcome = Outcome::Duplicate;
        Ok(Some(Appended { outcome, previous_tail: tail, tail, closed: false, producer }))
    }

    /// Whether an append renews the window of its stream.
    pub(super) fn renews(&self, request: &Append<'_>) -> bool {
        let on = |switch| self.switches.on(switch);
        let counts_not =
            on(Switch::WritesRenewNothing) || (on(Switch::ClosingsRenewNothing) && request.close);
        !counts_not
    }

    /// A read that does not renew the window of its stream, though it should.
    pub(crate) fn peek(&self, path: &str, now: Timestamp) -> Result<Reader, Refusal> {
        self.begin_read(path, Use::Look, now)
    }

    /// What windows a faulty server renews for a read, beside that of the stream itself.
    pub(super) fn err_before_read(&self, stream: &Arc<Stream>, now: Timestamp) {
        if self.switches.on(Switch::ReadsRenewWhatIsOver) {
            stream.lock().touch(now);
        }
        let reaches_source = self.switches.on(Switch::ForkReadsRenewSource);
        if let Some(lineage) = stream.lineage.as_ref().filter(|_| reaches_source) {
            lineage.source.lock().touch(now);
        }
        if self.switches.on(Switch::SourceReadsRenewForks) {
            self.forks_of(stream).iter().for_each(|fork| fork.lock().touch(now));
        }
    }

    /// Whether nobody looks after streams whose time is over.
    pub(super) fn lets_lie_what_is_over(&self) -> bool {
        let lying =
            [Switch::ReadsRenewWhatIsOver, Switch::AppendsRenewWhatIsOver, Switch::HeadTellsWhatIsOver];
        lying.into_iter().any(|switch| self.switches.on(switch))
    }

    /// To which other streams a faulty server carries an append or a closure.
    pub(super) fn err_after_append(&self, stream: &Arc<Stream>, request: &Append<'_>, now: Timestamp) {
        let on = |switch| self.switches.on(switch);
        let with_data = on(Switch::AppendsReachForks) || on(Switch::AppendsReachSource);
        let with_closure = on(Switch::ClosureReachesForks) || on(Switch::ClosureReachesSource);
        let relatives = if on(Switch::AppendsReachForks) || on(Switch::ClosureReachesForks) {
            self.forks_of(stream)
        } else if on(Switch::AppendsReachSource) || on(Switch::ClosureReachesSource) {
            stream.lineage.iter().map(|lineage| lineage.source.clone()).collect()
        } else {
            return;
        };
        let reach = Append {
            content_type: request.content_type,
            body: if with_data { request.body } else { &[] },
            close: with_closure && request.close,
            ..Append::default()
        };
        for relative in relatives.iter().filter(|_| reach.close || !reach.body.is_empty()) {
            // It may be closed or gone.
            let _ = self.append(&relative.path, reach.clone(), now);
        }
    }

    /// What else a faulty server deletes.
    pub(super) fn err_after_deletion(&self, stream: &Arc<Stream>, now: Timestamp) {
        let source = stream.lineage.as_ref().map(|lineage| &lineage.source);
        let more: Vec<Arc<str>> = if self.switches.on(Switch::DeleteTakesNeighbours) {
            self.paths(now).into_iter().filter(|other| other.starts_with(&*stream.path)).collect()
        } else if self.switches.on(Switch::DeletionReachesSource) {
            source.map(|source| source.path.clone()).into_iter().collect()
        } else if self.switches.on(Switch::DeletionReachesSiblings) {
            let siblings = source.map(|source| self.forks_of(source)).unwrap_or_default();
            siblings.iter().map(|sibling| sibling.path.clone()).collect()
        } else {
            return;
        };
        for path in &more {
            // It may be gone already.
            let _ = self.find(path).and_then(|stream| {
                let state = self.enter(&stream, Use::Look, now)?;
                self.retire(&stream, state);
                Ok(())
            });
        }
    }

    /// A deleted source that may be forked, as it should not.
    pub(in crate::core) fn enter_deleted<'a>(
        &self,
        source: &'a Arc<Stream>,
    ) -> Option<MutexGuard<'a, State>> {
        let is_deleted = |state: &MutexGuard<'_, State>| state.life == Life::SoftDeleted;
        self.switches.on(Switch::SoftDeletedForkable).then(|| source.lock()).filter(is_deleted)
    }

    fn forks_of(&self, source: &Arc<Stream>) -> Vec<Arc<Stream>> {
        let is_fork = |stream: &Arc<Stream>| {
            stream.lineage.as_ref().is_some_and(|lineage| Arc::ptr_eq(&lineage.source, source))
        };
        self.streams.iter().map(|entry| entry.value().clone()).filter(is_fork).collect()
    }
}
