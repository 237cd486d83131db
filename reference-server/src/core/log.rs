//! The bytes of one stream, append by append.

use std::ops::Range;

use bytes::Bytes;

use super::{offset::Offset, payload::Payload};

/// The appends of one stream, from where its own data begins to its tail.
#[derive(Debug)]
pub(crate) struct Log {
    base: Offset,
    tail: Offset,
    segments: Vec<Segment>,
}

#[derive(Debug)]
struct Segment {
    start: Offset,
    payload: Payload,
}

impl Segment {
    fn end(&self) -> Offset {
        Offset::at(self.start.position() + self.payload.size() as u64)
    }

    fn distance_to(&self, offset: Offset) -> usize {
        (offset.position() - self.start.position()) as usize
    }
}

impl Log {
    /// An empty log whose first byte will lie at `base`.
    pub(crate) fn starting_at(base: Offset) -> Self {
        Self { base, tail: base, segments: Vec::new() }
    }

    pub(crate) fn tail(&self) -> Offset {
        self.tail
    }

    /// Bytes held.
    pub(crate) fn size(&self) -> u64 {
        self.tail.position() - self.base.position()
    }

    pub(crate) fn push(&mut self, payload: Payload) {
        let segment = Segment { start: self.tail, payload };
        self.tail = segment.end();
        self.segments.push(segment);
    }

    /// Like [`Self::push`], in a log that has room for little and begins to overwrite then.
    pub(crate) fn push_into_ring(&mut self, payload: Payload) {
        const ROOM: u64 = 4096;
        self.push(payload);
        let tail = self.tail.position();
        let lost = self.segments.iter_mut().filter(|segment| segment.start.position() + ROOM < tail);
        lost.for_each(|segment| segment.payload.blank_out());
    }

    /// Overwrites everything.
    pub(crate) fn blank_out(&mut self) {
        self.segments.iter_mut().for_each(|segment| segment.payload.blank_out());
    }

    /// The bytes from `offset` to the end of the append that follows it.
    pub(crate) fn rest_of_append(&self, offset: Offset) -> Option<Bytes> {
        let segment = self.segment_at(offset)?;
        Some(segment.payload.bytes().slice(segment.distance_to(offset)..))
    }

    /// How many appends lie behind `offset`.
    pub(crate) fn appends_from(&self, offset: Offset) -> usize {
        self.segments.len() - self.index_at(offset)
    }

    /// All bytes.
    pub(crate) fn everything(&self) -> Vec<Bytes> {
        self.segments.iter().map(|segment| segment.payload.bytes().clone()).collect()
    }

    /// Whether a read or a fork may begin at `offset`.
    pub(crate) fn may_cut_at(&self, offset: Offset) -> bool {
        match self.segment_at(offset) {
            Some(segment) => segment.payload.may_cut_at(segment.distance_to(offset)),
            None => offset == self.tail,
        }
    }

    /// The place `units` bytes or messages past `offset`, within the append that follows it.
    pub(crate) fn advance(&self, offset: Offset, units: u64) -> Option<Offset> {
        let segment = self.segment_at(offset)?;
        let distance = segment.payload.advance(segment.distance_to(offset), units)?;
        Some(Offset::at(segment.start.position() + distance as u64))
    }

    /// Gives what lies from `from` to `until`, whole appends at a time, until `budget` bytes are
    /// reached; at least one append. Says where that ends.
    pub(crate) fn collect(
        &self,
        from: Offset,
        until: Offset,
        budget: usize,
        mut take: impl FnMut(&Bytes, Range<usize>),
    ) -> Offset {
        let first = self.index_at(from);
        let mut at = from;
        let mut collected = 0;
        for segment in &self.segments[first..] {
            let has_enough =
                collected >= budget || (collected > 0 && collected + segment.payload.size() > budget);
            if at >= until || has_enough {
                break;
            }
            let end = segment.end().min(until);
            let window = segment.distance_to(at)..segment.distance_to(end);
            collected += window.len();
            take(segment.payload.bytes(), window);
            at = end;
        }
        at
    }

    /// Gives the memory back.
    pub(crate) fn discard(&mut self) {
        *self = Self::starting_at(self.tail);
    }

    fn segment_at(&self, offset: Offset) -> Option<&Segment> {
        (self.base <= offset && offset < self.tail)
            .then(|| self.segments.get(self.index_at(offset)))
            .flatten()
    }

    /// The segment that holds the byte behind `offset`.
    fn index_at(&self, offset: Offset) -> usize {
        self.segments.partition_point(|segment| segment.end() <= offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::json_messages::store_form;

    fn log(appends: &[&str]) -> Log {
        let mut log = Log::starting_at(Offset::at(10));
        for append in appends {
            log.push(Payload::of_bytes(append.as_bytes()).unwrap());
        }
        log
    }

    fn read(log: &Log, from: u64, until: u64, budget: usize) -> (String, u64) {
        let mut chunks = Vec::new();
        let take = |bytes: &Bytes, window| chunks.push(bytes.slice(window));
        let end = log.collect(Offset::at(from), Offset::at(until), budget, take);
        let text = String::from_utf8(chunks.concat()).unwrap();
        (text, end.position())
    }

    #[test]
    fn a_range_begins_and_ends_anywhere() {
        let log = log(&["abc", "defg", "h"]);
        assert_eq!(log.tail().position(), 18);
        assert_eq!(read(&log, 10, 18, 100), ("abcdefgh".into(), 18));
        assert_eq!(read(&log, 12, 15, 100), ("cde".into(), 15));
        assert_eq!(read(&log, 18, 18, 100), (String::new(), 18));
        assert_eq!(log.size(), 8);
    }

    #[test]
    fn a_budget_stops_between_appends_and_always_makes_progress() {
        let log = log(&["abc", "defg", "h"]);
        assert_eq!(read(&log, 10, 18, 1), ("abc".into(), 13));
        assert_eq!(read(&log, 13, 18, 5), ("defgh".into(), 18));
        assert_eq!(read(&log, 10, 18, 6), ("abc".into(), 13));
    }

    #[test]
    fn cuts_respect_messages() {
        let mut log = Log::starting_at(Offset::START);
        log.push(store_form(&["1", "22"]).unwrap());
        log.push(store_form(&["333"]).unwrap());
        let cuts: Vec<u64> = (0..12).filter(|at| log.may_cut_at(Offset::at(*at))).collect();
        assert_eq!(cuts, [0, 2, 5, 9]);
        assert_eq!(log.advance(Offset::START, 2), Some(Offset::at(5)));
        assert_eq!(log.advance(Offset::START, 3), None);
        assert_eq!(log.advance(Offset::at(9), 1), None);
    }
}
