//! Creation of streams and forks, and what a repeated creation is compared with (sections 4.2 and 5.1).

use std::sync::{Arc, atomic::Ordering};

use dashmap::Entry;
use jiff::Timestamp;
use parking_lot::MutexGuard;

use super::{
    append::payload_of,
    content_type::ContentType,
    error::Refusal,
    fork::ForkRequest,
    limits::Reservation,
    offset::Offset,
    payload::Payload,
    producer::Producers,
    sequence::StreamSeq,
    store::Store,
    stream::{Absence, Life, Lineage, State, Stream, Use},
    ttl::Expiry,
};
use crate::sabotage::{Switch, Switches};

/// A request to create a stream, or to make sure that it exists.
#[derive(Clone, Debug, Default)]
pub struct Creation<'a> {
    /// The type as it was sent.
    pub content_type: Option<&'a str>,
    /// The expiry that was asked for.
    pub expiry: Option<Expiry>,
    /// Whether the stream is complete with its first content.
    pub closed: bool,
    /// Where to fork from.
    pub fork: Option<ForkRequest>,
    /// The first content.
    pub body: &'a [u8],
}

/// A stream that exists as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// False when it existed before.
    pub is_new: bool,
    /// As its creator spelled it.
    pub content_type: String,
    /// The end of the stream.
    pub tail: Offset,
    /// Whether that is final.
    pub closed: bool,
}

impl Store {
    /// Creates a stream unless one with the same configuration exists.
    ///
    /// # Errors
    /// Every refusal of sections 4.2 and 5.1; then nothing has changed.
    pub fn create(&self, path: &str, request: &Creation<'_>, now: Timestamp) -> Result<Created, Refusal> {
        loop {
            if let Some(existing) = self.existing(path, now)? {
                match self.compare(&existing, request, now) {
                    // Deleted since it was found: look again.
                    Err(Refusal::NotFound) => continue,
                    Err(Refusal::Gone) => return Err(Refusal::PathBlocked),
                    compared => return compared,
                }
            }
            // Somebody may have taken the path since it was found free: look again then.
            match self.draft(request, now).and_then(|draft| self.settle(path, draft, now)) {
                Ok(Some(created)) => return Ok(created),
                Ok(None) => {}
                Err(refusal) if self.existing(path, now)?.is_none() => return Err(refusal),
                Err(_) => {}
            }
        }
    }

    /// The stream that holds the path, if one does.
    fn existing(&self, path: &str, now: Timestamp) -> Result<Option<Arc<Stream>>, Refusal> {
        let Ok(stream) = self.find(path) else {
            return Ok(None);
        };
        match self.enter(&stream, Use::Look, now).map(drop) {
            Ok(()) => Ok(Some(stream)),
            Err(Refusal::NotFound) => Ok(None),
            Err(_) if self.switches.on(Switch::SoftDeletedRevived) => {
                stream.lock().revive();
                Ok(Some(stream))
            }
            Err(_) => Err(Refusal::PathBlocked),
        }
    }

    fn compare(
        &self,
        stream: &Arc<Stream>,
        request: &Creation<'_>,
        now: Timestamp,
    ) -> Result<Created, Refusal> {
        let source_tail = self.tail_of_source(stream, now);
        let mut state = self.enter(stream, Use::Look, now)?;
        if !agrees(stream, &state, request, source_tail)? {
            state.err_after_refused_put(request.body, request.closed, self.switches);
            return Err(Refusal::ConfigurationDiffers);
        }
        state.touch(now);
        Ok(created(false, stream, &state))
    }

    fn tail_of_source(&self, stream: &Stream, now: Timestamp) -> Option<Offset> {
        let source = &stream.lineage.as_ref()?.source;
        source.enter(Use::Look, now).ok().map(|state| state.tail())
    }

    /// Checks everything that does not depend on the path.
    fn draft(&self, request: &Creation<'_>, now: Timestamp) -> Result<Draft, Refusal> {
        let source = match &request.fork {
            Some(fork) => Some((self.source(fork, now)?, fork.clone())),
            None => None,
        };
        let content_type =
            content_type_of(request, source.as_ref().map(|(source, _)| &**source), self.switches)?;
        if let Some((source, fork)) = &source {
            // Asked again when the reference is taken; a bad point is worth no parsing.
            source.fork_point(fork, &*self.enter_source(source, now)?)?;
        }
        let payload = payload_of(request.body, &content_type)?;
        let reservation = self.memory.reserve(payload.as_ref().map_or(0, |payload| payload.size() as u64))?;
        Ok(Draft {
            content_type,
            expiry: request.expiry.clone(),
            closed: request.closed,
            payload,
            source,
            reservation,
            seq: None,
            producers: Producers::default(),
        })
    }

    fn source(&self, fork: &ForkRequest, now: Timestamp) -> Result<Arc<Stream>, Refusal> {
        let source = self.find(&fork.source).map_err(|_| Refusal::SourceNotFound)?;
        drop(self.enter_source(&source, now)?);
        Ok(source)
    }

    fn enter_source<'a>(
        &self,
        source: &'a Arc<Stream>,
        now: Timestamp,
    ) -> Result<MutexGuard<'a, State>, Refusal> {
        if let Some(state) = self.enter_deleted(source) {
            return Ok(state);
        }
        self.enter(source, Use::Look, now).map_err(|refusal| match refusal {
            Refusal::Gone => Refusal::SourceGone,
            _ => Refusal::SourceNotFound,
        })
    }

    /// Puts the new stream at its path; `None` when the path is not free any more.
    fn settle(&self, path: &str, draft: Draft, now: Timestamp) -> Result<Option<Created>, Refusal> {
        let stream = match self.streams.entry(path.into()) {
            Entry::Occupied(entry) if entry.get().lock().life != Life::Removed => return Ok(None),
            entry => {
                let draft = match &entry {
                    Entry::Occupied(former) => draft.with_remains(former.get(), self.switches),
                    Entry::Vacant(_) => draft,
                };
                self.count_one_more()?;
                let stream = self.build(path, draft, now).inspect_err(|_| self.count_one_less())?;
                entry.insert(stream.clone());
                stream
            }
        };
        let state = stream.lock();
        let created = created(true, &stream, &state);
        self.expiring.watch(&stream, stream.deadline(&state));
        drop(state);
        let base = stream.origin();
        if created.tail > base {
            self.tell_appended(path, base, created.tail);
        }
        Ok(Some(created))
    }

    fn build(&self, path: &str, draft: Draft, now: Timestamp) -> Result<Arc<Stream>, Refusal> {
        let lineage = match draft.source {
            Some((source, request)) => Some(self.take_reference(source, request, now)?),
            None => None,
        };
        let inherited = lineage.as_ref().map(|lineage| lineage.inherited_expiry.clone());
        let expiry = draft.expiry.or(inherited).unwrap_or(Expiry::Never);
        let mut stream = Stream::new(path, draft.content_type, expiry, lineage, now);
        stream.switches = self.switches;
        stream.start_with(draft.payload, draft.closed, draft.seq, draft.producers);
        if self.switches != Switches::NONE {
            stream.inherit_too_much();
        }
        draft.reservation.keep(stream.lock().footprint());
        Ok(Arc::new(stream))
    }

    fn take_reference(
        &self,
        source: Arc<Stream>,
        request: ForkRequest,
        now: Timestamp,
    ) -> Result<Lineage, Refusal> {
        // Not `enter_source`: retiring an expired source would need the map, which is locked here.
        let mut state = match self.enter_deleted(&source) {
            Some(state) => state,
            None => source.enter(Use::Look, now).map_err(|absence| match absence {
                Absence::SoftDeleted => Refusal::SourceGone,
                Absence::Removed | Absence::Expired => Refusal::SourceNotFound,
            })?,
        };
        let (anchor, point) = source.fork_point(&request, &state)?;
        state.forks += 1;
        drop(state);
        let inherited_expiry = match self.switches.on(Switch::ForkInheritsNoLifetime) {
            true => Expiry::Never,
            false => source.expiry.clone(),
        };
        Ok(Lineage { source, point, anchor, request, inherited_expiry })
    }

    fn count_one_more(&self) -> Result<(), Refusal> {
        let before = self.count.fetch_add(1, Ordering::Relaxed);
        if before >= self.limits.streams {
            self.count_one_less();
            return Err(Refusal::TooManyStreams);
        }
        Ok(())
    }

    fn count_one_less(&self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A stream that is checked and has no place yet.
struct Draft {
    content_type: ContentType,
    expiry: Option<Expiry>,
    closed: bool,
    payload: Option<Payload>,
    source: Option<(Arc<Stream>, ForkRequest)>,
    reservation: Reservation,
    /// Of a former stream at the path, where that is not forgotten as it should be.
    seq: Option<StreamSeq>,
    /// Likewise.
    producers: Producers,
}

impl Draft {
    /// What a server that deletes badly leaves of a stream to its successor.
    fn with_remains(mut self, former: &Stream, switches: Switches) -> Self {
        let state = former.lock();
        if switches.on(Switch::BytesSurviveDeletion) {
            let own = self.payload.take();
            let bytes = state.content().into_iter().chain(own.map(|own| own.bytes().clone()));
            self.payload = Payload::of_bytes(&bytes.collect::<Vec<_>>().concat());
        }
        if switches.on(Switch::TypeSurvivesDeletion) {
            self.content_type = former.content_type.clone();
        }
        if switches.on(Switch::SeqSurvivesDeletion) {
            self.seq = state.last_seq().cloned();
        }
        if switches.on(Switch::LifetimeSurvivesDeletion) {
            self.expiry = Some(former.expiry.clone());
        }
        self.closed |= switches.on(Switch::ClosureSurvivesDeletion) && state.is_closed();
        if switches.on(Switch::ProducersSurviveDeletion) {
            self.producers = state.producers().clone();
        }
        self
    }
}

fn content_type_of(
    request: &Creation<'_>,
    source: Option<&Stream>,
    switches: Switches,
) -> Result<ContentType, Refusal> {
    match (request.content_type, source) {
        (None, None) => Ok(ContentType::default()),
        (None, Some(source)) => Ok(source.content_type.clone()),
        (Some(given), None) => Ok(ContentType::parse(given, switches)?),
        (Some(given), Some(source)) => {
            if source.content_type.agrees_with(given, switches)? {
                Ok(ContentType::parse(given, switches)?)
            } else {
                Err(Refusal::ContentTypeDiffers)
            }
        }
    }
}

/// Whether a request to create would have made the stream as it is configured and closed now. Its
/// body is not compared.
fn agrees(
    stream: &Stream,
    state: &State,
    request: &Creation<'_>,
    source_tail: Option<Offset>,
) -> Result<bool, Refusal> {
    let type_agrees = match (request.content_type, &stream.lineage) {
        (Some(given), _) => stream.content_type.agrees_with(given, stream.switches)?,
        (None, Some(_)) if !stream.switches.on(Switch::ForkOmissionsCompared) => true,
        (None, _) => ContentType::default().agrees_with(stream.content_type.as_str(), stream.switches)?,
    };
    let closure_agrees = request.closed == state.is_closed();
    Ok((type_agrees || stream.switches.on(Switch::CreateTypeIgnored))
        && (closure_agrees || stream.switches.on(Switch::CreateClosureIgnored))
        && (expiry_agrees(stream, request) || expiry_agrees_by_fault(stream, state, request))
        && (fork_agrees(stream, request, source_tail) || stream.switches.on(Switch::ForkOriginIgnored)))
}

fn expiry_agrees(stream: &Stream, request: &Creation<'_>) -> bool {
    let otherwise = match &stream.lineage {
        Some(lineage) if request.fork.is_some() && !stream.switches.on(Switch::ForkOmissionsCompared) => {
            &lineage.inherited_expiry
        }
        _ => &Expiry::Never,
    };
    request.expiry.as_ref().unwrap_or(otherwise) == &stream.expiry
}

/// Whether a faulty server takes another expiry for the stream's.
fn expiry_agrees_by_fault(stream: &Stream, state: &State, request: &Creation<'_>) -> bool {
    let by_instant = || {
        let minute = |deadline: Option<Timestamp>| deadline.map(|deadline| deadline.as_second() / 60);
        let asked = request.expiry.as_ref().and_then(|expiry| expiry.deadline(state.last_use()));
        request.expiry.is_some() && minute(asked) == minute(stream.deadline(state))
    };
    stream.switches.on(Switch::CreateExpiryIgnored)
        || (stream.switches.on(Switch::CreateExpiryMayBeLeftOut) && request.expiry.is_none())
        || (stream.switches.on(Switch::CreateExpiryByInstant) && by_instant())
}

fn fork_agrees(stream: &Stream, request: &Creation<'_>, source_tail: Option<Offset>) -> bool {
    match (&stream.lineage, &request.fork) {
        (None, None) => true,
        (Some(lineage), Some(fork)) => {
            let offset_agrees = match (lineage.request.offset, fork.offset) {
                (None, None) => true,
                (_, Some(offset)) => offset == lineage.anchor,
                (Some(_), None) => source_tail == Some(lineage.anchor),
            };
            offset_agrees
                && fork.source == lineage.request.source
                && fork.sub_offset == lineage.request.sub_offset
        }
        _ => false,
    }
}

fn created(is_new: bool, stream: &Stream, state: &State) -> Created {
    Created {
        is_new,
        content_type: stream.content_type.as_str().to_owned(),
        tail: state.tail(),
        closed: state.is_closed(),
    }
}
