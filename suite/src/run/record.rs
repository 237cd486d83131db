//! The exchanges of a case, bounded: a long case keeps its beginning and what came last.

use std::collections::VecDeque;

use crate::wire::Exchange;

/// How many exchanges from the beginning of a case are kept: they set its stage.
const FIRST: usize = 40;

/// How many of those after them: what is found is found in the latest.
const LATEST: usize = 100;

/// How many bytes of either part are kept at most; the last exchange stays in any case.
const ROOM: usize = 48 * 1024;

/// Exchanges, numbered from 0 in the order in which they were kept.
#[derive(Default)]
pub(super) struct Record {
    first: Vec<Exchange>,
    latest: VecDeque<Exchange>,
    first_is_full: bool,
    size_of_first: usize,
    size_of_latest: usize,
    /// How many are gone between the two.
    gone: usize,
}

impl Record {
    /// Keeps an exchange and gives its number.
    pub(super) fn keep(&mut self, exchange: Exchange) -> usize {
        let size = exchange.footprint();
        self.first_is_full |= self.first.len() == FIRST || self.size_of_first + size > ROOM;
        if !self.first_is_full {
            self.size_of_first += size;
            self.first.push(exchange);
        } else {
            self.size_of_latest += size;
            self.latest.push_back(exchange);
            while self.latest.len() > LATEST || self.latest.len() > 1 && self.size_of_latest > ROOM {
                self.size_of_latest -= self.latest.pop_front().map_or(0, |oldest| oldest.footprint());
                self.gone += 1;
            }
        }
        self.first.len() + self.gone + self.latest.len() - 1
    }

    /// Replaces an exchange, unless it is gone.
    pub(super) fn amend(&mut self, number: usize, exchange: Exchange) {
        let Some(place) = self.place(number) else { return };
        let kept = match place.checked_sub(self.first.len()) {
            None => self.first.get_mut(place).map(|kept| (kept, &mut self.size_of_first)),
            Some(place) => self.latest.get_mut(place).map(|kept| (kept, &mut self.size_of_latest)),
        };
        if let Some((kept, size)) = kept {
            *size = *size - kept.footprint() + exchange.footprint();
            *kept = exchange;
        }
    }

    /// Where an exchange stands among those that are left, if it is one of them.
    pub(super) fn place(&self, number: usize) -> Option<usize> {
        match number {
            first if first < self.first.len() => Some(first),
            later => later.checked_sub(self.gone).filter(|place| *place >= self.first.len()),
        }
    }

    /// Those that are left, in order.
    pub(super) fn into_exchanges(self) -> Vec<Exchange> {
        self.first.into_iter().chain(self.latest).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::wire::{Outcome, RecordedBody, RecordedRequest};

    fn exchange(number: usize) -> Exchange {
        let request = RecordedRequest {
            method: "GET".to_owned(),
            url: number.to_string(),
            headers: Vec::new(),
            body: RecordedBody::default(),
        };
        let outcome = Outcome::Failure(String::new());
        Exchange { started_at: Duration::ZERO, duration: Duration::ZERO, request, outcome }
    }

    #[test]
    fn large_exchanges_are_kept_as_far_as_there_is_room() {
        let mut record = Record::default();
        for number in 0..100 {
            let mut large = exchange(number);
            large.request.body.text = Some("x".repeat(ROOM / 10));
            record.keep(large);
        }
        assert_eq!((record.place(0), record.place(50)), (Some(0), None));
        let last = record.place(99).unwrap();
        let kept = record.into_exchanges();
        assert_eq!((last, kept[last].request.url.as_str()), (kept.len() - 1, "99"));
        assert!(kept.iter().map(Exchange::footprint).sum::<usize>() <= 2 * ROOM);
    }

    #[test]
    fn the_beginning_and_the_latest_are_kept_and_found_by_number() {
        let mut record = Record::default();
        for number in 0..1000 {
            assert_eq!(record.keep(exchange(number)), number);
        }
        record.amend(999, exchange(5000));
        record.amend(500, exchange(6000));
        let places =
            [0, FIRST - 1, FIRST, 1000 - LATEST - 1, 1000 - LATEST, 999].map(|number| record.place(number));
        let urls: Vec<String> =
            record.into_exchanges().into_iter().map(|exchange| exchange.request.url).collect();
        assert_eq!(urls.len(), FIRST + LATEST);
        let found = places.map(|place| place.map(|place| urls[place].clone()));
        let texts = |number: usize| Some(number.to_string());
        assert_eq!(found, [texts(0), texts(FIRST - 1), None, None, texts(1000 - LATEST), texts(5000)]);
    }
}
