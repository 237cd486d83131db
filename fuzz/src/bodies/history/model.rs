//! Streams as plain vectors. A fork copies what it inherits: that it must not tell from sharing is the point.

use std::collections::BTreeMap;

use streamgauge_reference_server::core::{
    append::Outcome,
    content_type::Format,
    error::{Malformed, Refusal},
    offset::Offset,
};

use super::{
    RETENTION,
    step::{AppendStep, Body, CreateStep, Lifetime, Producer, Type},
};

/// What remembering a producer costs beside its id.
const PRODUCER_OVERHEAD: u64 = 96;

type Id = usize;

#[derive(Default)]
pub(super) struct Model {
    /// Every stream that ever was.
    all: Vec<Stream>,
    by_path: BTreeMap<&'static str, Id>,
}

struct Stream {
    content_type: &'static str,
    lifetime: Option<Lifetime>,
    fork: Option<Fork>,
    /// All appends, inherited ones included.
    appends: Vec<Stored>,
    /// Where its own data begins.
    origin: u64,
    closed: Option<Option<Producer>>,
    last_seq: Option<u8>,
    producers: BTreeMap<&'static str, Known>,
    last_use: u64,
    life: Life,
}

struct Fork {
    source: Id,
    asked: ForkAsked,
    anchor: u64,
    inherited: Option<Lifetime>,
}

#[derive(Clone)]
struct Stored {
    start: u64,
    bytes: Vec<u8>,
    /// Where it may be cut; everywhere where there is no such list.
    ends: Option<Vec<u64>>,
}

#[derive(Clone, Copy)]
struct Known {
    epoch: u64,
    last_seq: u64,
    seen: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    Live,
    SoftDeleted,
    Removed,
}

pub(super) struct Asked<'a> {
    pub(super) content_type: Option<&'static str>,
    pub(super) lifetime: Option<Lifetime>,
    pub(super) closed: bool,
    pub(super) fork: Option<ForkAsked>,
    pub(super) body: &'a Body<'a>,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) struct ForkAsked {
    pub(super) source: String,
    pub(super) offset: Option<u64>,
    pub(super) sub_offset: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Appended {
    pub(super) outcome: Outcome,
    pub(super) previous_tail: u64,
    pub(super) tail: u64,
    pub(super) closed: bool,
    pub(super) producer: Option<(u64, u64)>,
}

pub(super) type Created = (bool, String, u64, bool);

impl Model {
    pub(super) fn create(
        &mut self,
        path: &'static str,
        asked: &Asked<'_>,
        now: u64,
    ) -> Result<Created, Refusal> {
        match self.enter(path, now) {
            Ok(id) => return self.create_again(id, asked, now),
            Err(Refusal::Gone) => return Err(Refusal::PathBlocked),
            Err(_) => {}
        }
        let source = asked.fork.as_ref().map(|fork| self.source(&fork.source, now)).transpose()?;
        let content_type = match (asked.content_type, source.map(|source| self.all[source].content_type)) {
            (Some(given), Some(inherited)) if given != inherited => return Err(Refusal::ContentTypeDiffers),
            (Some(given), _) | (None, Some(given)) => given,
            (None, None) => Type::Binary.text(),
        };
        let mut appends = Vec::new();
        let mut origin = 0;
        let fork = match (source, &asked.fork) {
            (Some(source), Some(fork)) => {
                let (anchor, point) = self.all[source].fork_point(fork)?;
                appends = self.all[source].until(point);
                origin = point;
                Some(Fork { source, asked: fork.clone(), anchor, inherited: self.all[source].lifetime })
            }
            _ => None,
        };
        let inherited = fork.as_ref().and_then(|fork| fork.inherited);
        let lifetime = asked.lifetime.or(inherited);
        let mut stream = Stream {
            content_type,
            lifetime,
            fork,
            appends,
            origin,
            closed: asked.closed.then_some(None),
            last_seq: None,
            producers: BTreeMap::new(),
            last_use: now,
            life: Life::Live,
        };
        stream.store(asked.body);
        let created = stream.created(true);
        self.by_path.insert(path, self.all.len());
        self.all.push(stream);
        Ok(created)
    }

    fn create_again(&mut self, id: Id, asked: &Asked<'_>, now: u64) -> Result<Created, Refusal> {
        let stream = &self.all[id];
        let is_fork = stream.fork.is_some();
        let type_agrees = match asked.content_type {
            Some(given) => given == stream.content_type,
            None => is_fork || stream.content_type == Type::Binary.text(),
        };
        let inherited = stream.fork.as_ref().filter(|_| asked.fork.is_some()).and_then(|fork| fork.inherited);
        let lifetime_agrees = asked.lifetime.or(inherited) == stream.lifetime;
        let agrees = type_agrees
            && lifetime_agrees
            && asked.closed == stream.closed.is_some()
            && self.fork_agrees(stream, asked, now);
        if !agrees {
            return Err(Refusal::ConfigurationDiffers);
        }
        let stream = &mut self.all[id];
        stream.last_use = now;
        Ok(stream.created(false))
    }

    fn fork_agrees(&self, stream: &Stream, asked: &Asked<'_>, now: u64) -> bool {
        let (Some(fork), Some(asked)) = (&stream.fork, &asked.fork) else {
            return stream.fork.is_none() && asked.fork.is_none();
        };
        let source = &self.all[fork.source];
        let offset_agrees = match (fork.asked.offset, asked.offset) {
            (None, None) => true,
            (_, Some(offset)) => offset == fork.anchor,
            (Some(_), None) => source.is_readable(now) && source.tail() == fork.anchor,
        };
        offset_agrees && asked.source == fork.asked.source && asked.sub_offset == fork.asked.sub_offset
    }

    fn source(&mut self, path: &str, now: u64) -> Result<Id, Refusal> {
        self.enter(path, now).map_err(|refusal| match refusal {
            Refusal::Gone => Refusal::SourceGone,
            _ => Refusal::SourceNotFound,
        })
    }

    pub(super) fn append(
        &mut self,
        step: &AppendStep<'_>,
        content_type: Option<&str>,
        now: u64,
    ) -> Result<Appended, Refusal> {
        let id = self.enter(step.path.0, now)?;
        let stream = &mut self.all[id];
        let appended = stream.append(step, content_type, now)?;
        stream.last_use = now;
        Ok(appended)
    }

    pub(super) fn read(&mut self, path: &str, from: u64, now: u64) -> Result<(Vec<u8>, u64, bool), Refusal> {
        let id = self.enter(path, now)?;
        let stream = &mut self.all[id];
        stream.last_use = now;
        let content = stream.content();
        if from > stream.tail() {
            return Err(Refusal::OffsetBeyondTail);
        }
        if !stream.may_cut_at(from) {
            return Err(Refusal::OffsetNotABoundary);
        }
        Ok((content[from as usize..].to_owned(), stream.tail(), stream.closed.is_some()))
    }

    pub(super) fn describe(&mut self, path: &str, now: u64) -> Result<(String, u64, bool), Refusal> {
        let id = self.enter(path, now)?;
        let stream = &self.all[id];
        Ok((stream.content_type.to_owned(), stream.tail(), stream.closed.is_some()))
    }

    pub(super) fn delete(&mut self, path: &str, now: u64) -> Result<(), Refusal> {
        let id = self.enter(path, now)?;
        self.retire(id);
        Ok(())
    }

    pub(super) fn sweep(&mut self, now: u64) {
        for id in 0..self.all.len() {
            if self.all[id].life == Life::Live && !self.all[id].is_readable(now) {
                self.retire(id);
            }
        }
    }

    /// Bytes of all streams that somebody can still read, and of their producers.
    pub(super) fn memory(&self) -> u64 {
        self.all.iter().filter(|stream| stream.life != Life::Removed).map(Stream::size).sum()
    }

    pub(super) fn paths(&self) -> Vec<String> {
        let live = self.by_path.iter().filter(|(_, id)| self.all[**id].life == Life::Live);
        let mut paths: Vec<String> = live.map(|(path, _)| (*path).to_owned()).collect();
        paths.sort();
        paths
    }

    /// Where the stream at the path ends, whatever its life; 0 where there is none.
    pub(super) fn tail(&self, path: &str) -> u64 {
        self.by_path.get(path).map_or(0, |id| self.all[*id].tail())
    }

    /// The type of the stream at the path, whatever its life.
    pub(super) fn content_type_at(&self, path: &str) -> Option<&'static str> {
        self.by_path.get(path).map(|id| self.all[*id].content_type)
    }

    pub(super) fn format_at(&self, path: &str) -> Format {
        format_of(self.content_type_at(path).unwrap_or_default())
    }

    /// The format in which the body of a creation is to be sent, if it is to fit.
    pub(super) fn format_for(&self, step: &CreateStep<'_>) -> Format {
        match (step.content_type, &step.fork) {
            (Some(given), _) => format_of(given.text()),
            (None, Some(fork)) => self.format_at(fork.source.0),
            (None, None) => Format::Binary,
        }
    }

    /// The stream at a path that can be used; an expired one is retired on the way.
    fn enter(&mut self, path: &str, now: u64) -> Result<Id, Refusal> {
        let id = *self.by_path.get(path).ok_or(Refusal::NotFound)?;
        if self.all[id].life == Life::Live && !self.all[id].is_readable(now) {
            self.retire(id);
        }
        match self.all[id].life {
            Life::Live => Ok(id),
            Life::SoftDeleted => Err(Refusal::Gone),
            Life::Removed => Err(Refusal::NotFound),
        }
    }

    /// Gone, or kept for its forks; what was only kept for this one goes with it.
    fn retire(&mut self, id: Id) {
        self.all[id].life = Life::SoftDeleted;
        let mut next = Some(id);
        while let Some(id) = next {
            let is_needed = self.all.iter().any(|stream| {
                stream.life != Life::Removed && stream.fork.as_ref().is_some_and(|fork| fork.source == id)
            });
            if is_needed || self.all[id].life != Life::SoftDeleted {
                return;
            }
            self.all[id].life = Life::Removed;
            next = self.all[id].fork.as_ref().map(|fork| fork.source);
        }
    }
}

impl Stream {
    fn created(&self, is_new: bool) -> Created {
        (is_new, self.content_type.to_owned(), self.tail(), self.closed.is_some())
    }

    fn tail(&self) -> u64 {
        self.appends.last().map_or(self.origin, Stored::end)
    }

    fn content(&self) -> Vec<u8> {
        self.appends.iter().flat_map(|append| append.bytes.clone()).collect()
    }

    fn is_readable(&self, now: u64) -> bool {
        let is_over = match self.lifetime {
            None => false,
            Some(Lifetime::Sliding(seconds)) => self.last_use + seconds <= now,
            Some(Lifetime::Until(end)) => end <= now,
        };
        self.life == Life::Live && !is_over
    }

    fn size(&self) -> u64 {
        let producers: u64 = self.producers.keys().map(|id| id.len() as u64 + PRODUCER_OVERHEAD).sum();
        self.tail() - self.origin + producers
    }

    fn append(
        &mut self,
        step: &AppendStep<'_>,
        content_type: Option<&str>,
        now: u64,
    ) -> Result<Appended, Refusal> {
        let body = format_of(self.content_type);
        let closes_only = step.close && step.body.in_format(body).is_empty();
        if let Some(by) = self.closed {
            return match step.producer {
                Some(producer) if by == Some(producer) => {
                    Ok(self.unchanged(Outcome::Duplicate, Some((producer.epoch.into(), producer.seq.into()))))
                }
                None if closes_only => Ok(self.unchanged(Outcome::ClosedOnly, None)),
                _ => Err(Refusal::Closed { final_offset: Offset::at(self.tail()) }),
            };
        }
        if !closes_only {
            self.check_content(step, content_type)?;
        }
        if let Some(producer) = step.producer
            && let Some(highest) = self.check_producer(producer, now)?
        {
            return Ok(self.unchanged(Outcome::Duplicate, Some((producer.epoch.into(), highest))));
        }
        if let (Some(last), Some(seq)) = (self.last_seq, step.seq)
            && seq.to_string() <= last.to_string()
        {
            return Err(Refusal::SequenceNotGreater);
        }
        let previous_tail = self.tail();
        if !closes_only {
            self.store(&step.body);
        }
        self.last_seq = step.seq.or(self.last_seq);
        let state = step.producer.map(|producer| {
            let (epoch, last_seq) = (producer.epoch.into(), producer.seq.into());
            self.producers.insert(producer.id, Known { epoch, last_seq, seen: now });
            (epoch, last_seq)
        });
        if step.close {
            self.closed = Some(step.producer);
        }
        let outcome = if closes_only { Outcome::ClosedOnly } else { Outcome::Stored };
        Ok(Appended { previous_tail, ..self.unchanged(outcome, state) })
    }

    fn unchanged(&self, outcome: Outcome, producer: Option<(u64, u64)>) -> Appended {
        let tail = self.tail();
        Appended { outcome, previous_tail: tail, tail, closed: self.closed.is_some(), producer }
    }

    fn check_content(&self, step: &AppendStep<'_>, content_type: Option<&str>) -> Result<(), Refusal> {
        let format = format_of(self.content_type);
        if step.body.in_format(format).is_empty() {
            return Err(Malformed::EmptyBody.into());
        }
        if content_type.ok_or(Malformed::ContentTypeMissing)? != self.content_type {
            return Err(Refusal::ContentTypeDiffers);
        }
        if format == Format::Json && step.body.messages().is_empty() {
            return Err(Malformed::EmptyArray.into());
        }
        Ok(())
    }

    /// The highest sequence where the request is a duplicate.
    fn check_producer(&self, producer: Producer, now: u64) -> Result<Option<u64>, Refusal> {
        let (epoch, seq) = (u64::from(producer.epoch), u64::from(producer.seq));
        let known = self.producers.get(producer.id).filter(|known| now - known.seen < RETENTION.into());
        match known {
            None if seq == 0 => Ok(None),
            None => Err(Refusal::SequenceGap { expected: 0, received: seq }),
            Some(known) if epoch < known.epoch => Err(Refusal::StaleEpoch { current: known.epoch }),
            Some(known) if epoch > known.epoch && seq == 0 => Ok(None),
            Some(known) if epoch > known.epoch => Err(Refusal::EpochMustStartAtZero),
            Some(known) if seq <= known.last_seq => Ok(Some(known.last_seq)),
            Some(known) if seq == known.last_seq + 1 => Ok(None),
            Some(known) => Err(Refusal::SequenceGap { expected: known.last_seq + 1, received: seq }),
        }
    }

    fn store(&mut self, body: &Body<'_>) {
        let start = self.tail();
        let (bytes, ends) = match format_of(self.content_type) {
            Format::Text | Format::Binary => (body.bytes().to_owned(), None),
            Format::Json => {
                let (mut bytes, mut ends) = (Vec::new(), Vec::new());
                for message in body.messages() {
                    bytes.extend(message.bytes());
                    bytes.push(b',');
                    ends.push(start + bytes.len() as u64);
                }
                (bytes, Some(ends))
            }
        };
        if !bytes.is_empty() {
            self.appends.push(Stored { start, bytes, ends });
        }
    }

    fn may_cut_at(&self, offset: u64) -> bool {
        offset == self.tail()
            || self.appends.iter().any(|append| match &append.ends {
                _ if offset == append.start => true,
                Some(ends) => ends.contains(&offset),
                None => (append.start..=append.end()).contains(&offset),
            })
    }

    /// The anchor and the point of a fork.
    fn fork_point(&self, asked: &ForkAsked) -> Result<(u64, u64), Refusal> {
        let anchor = asked.offset.unwrap_or(self.tail());
        if anchor > self.tail() {
            return Err(Refusal::ForkOffsetBeyondTail);
        }
        if !self.may_cut_at(anchor) {
            return Err(Refusal::OffsetNotABoundary);
        }
        if asked.sub_offset == 0 {
            return Ok((anchor, anchor));
        }
        let behind = self.appends.iter().find(|append| (append.start..append.end()).contains(&anchor));
        let point = behind.and_then(|append| append.advance(anchor, asked.sub_offset));
        Ok((anchor, point.ok_or(Refusal::SubOffsetTooFar)?))
    }

    /// The appends before a point; the last may be cut.
    fn until(&self, point: u64) -> Vec<Stored> {
        let before = self.appends.iter().filter(|append| append.start < point).cloned();
        let cut = before.map(|mut append| {
            append.bytes.truncate((point - append.start) as usize);
            if let Some(ends) = &mut append.ends {
                ends.retain(|end| *end <= point);
            }
            append
        });
        cut.collect()
    }
}

impl Stored {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    fn advance(&self, anchor: u64, units: u64) -> Option<u64> {
        match &self.ends {
            None => Some(anchor + units).filter(|point| *point <= self.end()),
            Some(ends) => {
                let mut behind = ends.iter().copied().filter(|end| *end > anchor);
                behind.nth(units as usize - 1)
            }
        }
    }
}

fn format_of(content_type: &str) -> Format {
    match content_type {
        "application/json" => Format::Json,
        "text/plain" => Format::Text,
        _ => Format::Binary,
    }
}
