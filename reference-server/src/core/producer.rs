//! Idempotent producers: exactly-once appends by epoch and sequence (section 5.2.1).

mod faults;

use std::{collections::HashMap, time::Duration};

use ::http::HeaderMap;
use jiff::{SignedDuration, Timestamp};

use super::{
    error::{Malformed, Refusal},
    headers::{self, digits, single},
};
use crate::sabotage::{Switch, Switches};

pub(crate) use faults::ProducerTable;

/// The largest number JavaScript holds exactly.
const LARGEST_NUMBER: u64 = (1 << 53) - 1;

/// The three producer headers of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerHeaders {
    /// Names the producer across its restarts.
    pub id: Box<[u8]>,
    /// Raised by the producer with each restart.
    pub epoch: u64,
    /// Counts the requests of one epoch from 0.
    pub seq: u64,
}

impl ProducerHeaders {
    /// Reads the headers; `None` when there is none of the three.
    ///
    /// # Errors
    /// Some are missing, the id is empty, or a number is not an integer from 0 to 2^53-1.
    pub fn parse(headers: &HeaderMap, switches: Switches) -> Result<Option<Self>, Malformed> {
        let id = single(headers, &headers::PRODUCER_ID, "Producer-Id")?;
        let epoch = single(headers, &headers::PRODUCER_EPOCH, "Producer-Epoch")?;
        let seq = single(headers, &headers::PRODUCER_SEQ, "Producer-Seq")?;
        let (id, epoch, seq) = match (id, epoch, seq) {
            (None, None, None) => return Ok(None),
            (Some(id), Some(epoch), Some(seq)) => (id, epoch, seq),
            _ => return Err(Malformed::IncompleteProducer),
        };
        if id.as_bytes().trim_ascii().is_empty() {
            return Err(Malformed::ProducerId);
        }
        Ok(Some(Self {
            id: id.as_bytes().into(),
            epoch: number(epoch.as_bytes(), "Producer-Epoch", switches)?,
            seq: number(seq.as_bytes(), "Producer-Seq", switches)?,
        }))
    }
}

/// What a stream remembers of one producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerState {
    /// The epoch that holds the id.
    pub epoch: u64,
    /// The highest sequence accepted in that epoch.
    pub last_seq: u64,
}

/// An acceptable position of a request in its producer's sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The next batch: append it.
    New,
    /// Stored before: answer with success, append nothing.
    Duplicate {
        /// The highest sequence accepted so far.
        highest: u64,
    },
}

/// The validation table: where a request stands against what is known of its producer.
///
/// # Errors
/// The epoch is stale, or starts elsewhere than at sequence 0, or a batch is missing.
pub fn validate(
    known: Option<ProducerState>,
    epoch: u64,
    seq: u64,
    switches: Switches,
) -> Result<Standing, Refusal> {
    if switches != Switches::NONE
        && let Some(misjudged) = faults::misjudge(known, epoch, seq, switches)
    {
        return misjudged;
    }
    let Some(known) = known else {
        return first_contact(seq);
    };
    if epoch < known.epoch {
        return Err(Refusal::StaleEpoch { current: known.epoch });
    }
    if epoch > known.epoch {
        return match seq {
            0 => Ok(Standing::New),
            _ => Err(Refusal::EpochMustStartAtZero),
        };
    }
    let expected = known.last_seq + 1;
    if seq < expected {
        Ok(Standing::Duplicate { highest: known.last_seq })
    } else if seq == expected {
        Ok(Standing::New)
    } else {
        Err(Refusal::SequenceGap { expected, received: seq })
    }
}

/// A producer that is not known yet may bring any epoch, but nothing may be missing before it.
fn first_contact(seq: u64) -> Result<Standing, Refusal> {
    match seq {
        0 => Ok(Standing::New),
        received => Err(Refusal::SequenceGap { expected: 0, received }),
    }
}

/// All producers of one stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Producers {
    known: HashMap<Box<[u8]>, Remembered>,
    purge_at: usize,
    size: u64,
}

#[derive(Clone, Debug)]
struct Remembered {
    state: ProducerState,
    last_seen: Timestamp,
}

/// What remembering a producer costs beside its id, in bytes; about.
const OVERHEAD: u64 = 96;

/// Below this many producers forgetting is not worth a pass over them.
const SMALL: usize = 64;

impl Producers {
    pub(crate) fn state(&self, id: &[u8], retention: Duration, now: Timestamp) -> Option<ProducerState> {
        let remembered = self.known.get(id)?;
        (!is_forgotten(remembered, retention, now)).then_some(remembered.state)
    }

    /// Remembers an accepted request.
    pub(crate) fn accept(&mut self, request: &ProducerHeaders, retention: Duration, now: Timestamp) {
        let state = ProducerState { epoch: request.epoch, last_seq: request.seq };
        let remembered = Remembered { state, last_seen: now };
        match self.known.get_mut(&request.id) {
            Some(known) => *known = remembered,
            None => {
                self.forget_old_ones(retention, now);
                self.size += cost_of(&request.id);
                self.known.insert(request.id.clone(), remembered);
            }
        }
    }

    /// Bytes that the memory of producers takes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// A pass over all producers each time their number has doubled keeps the cost per append constant.
    fn forget_old_ones(&mut self, retention: Duration, now: Timestamp) {
        if self.known.len() < self.purge_at.max(SMALL) {
            return;
        }
        self.known.retain(|_, remembered| !is_forgotten(remembered, retention, now));
        self.size = self.known.keys().map(|id| cost_of(id)).sum();
        self.purge_at = self.known.len() * 2;
    }
}

/// What remembering a producer of this id takes, in bytes.
pub(crate) fn cost_of(id: &[u8]) -> u64 {
    id.len() as u64 + OVERHEAD
}

fn is_forgotten(remembered: &Remembered, retention: Duration, now: Timestamp) -> bool {
    let idle = now.duration_since(remembered.last_seen);
    SignedDuration::try_from(retention).is_ok_and(|retention| idle >= retention)
}

fn number(value: &[u8], header: &'static str, switches: Switches) -> Result<u64, Malformed> {
    let largest = if switches.on(Switch::ProducerNumbersUnbounded) { u64::MAX } else { LARGEST_NUMBER };
    digits(value).filter(|number| *number <= largest).ok_or(Malformed::ProducerNumber(header))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::http::HeaderValue;

    fn state(epoch: u64, last_seq: u64) -> Option<ProducerState> {
        Some(ProducerState { epoch, last_seq })
    }

    fn parse(
        id: Option<&str>,
        epoch: Option<&str>,
        seq: Option<&str>,
    ) -> Result<Option<ProducerHeaders>, Malformed> {
        let mut map = HeaderMap::new();
        for (name, value) in
            [(headers::PRODUCER_ID, id), (headers::PRODUCER_EPOCH, epoch), (headers::PRODUCER_SEQ, seq)]
        {
            if let Some(value) = value {
                map.insert(name, HeaderValue::from_str(value).unwrap());
            }
        }
        ProducerHeaders::parse(&map, Switches::NONE)
    }

    #[test]
    fn the_validation_table() {
        let gap = |expected, received| Err(Refusal::SequenceGap { expected, received });
        let validate = |known, epoch, seq| validate(known, epoch, seq, Switches::NONE);
        assert_eq!(validate(None, 0, 0), Ok(Standing::New));
        assert_eq!(validate(None, 7, 0), Ok(Standing::New));
        assert_eq!(validate(None, 0, 3), gap(0, 3));
        assert_eq!(validate(state(2, 4), 1, 5), Err(Refusal::StaleEpoch { current: 2 }));
        assert_eq!(validate(state(2, 4), 1, 0), Err(Refusal::StaleEpoch { current: 2 }));
        assert_eq!(validate(state(2, 4), 3, 0), Ok(Standing::New));
        assert_eq!(validate(state(2, 4), 9, 5), Err(Refusal::EpochMustStartAtZero));
        assert_eq!(validate(state(2, 4), 2, 5), Ok(Standing::New));
        assert_eq!(validate(state(2, 4), 2, 4), Ok(Standing::Duplicate { highest: 4 }));
        assert_eq!(validate(state(2, 4), 2, 0), Ok(Standing::Duplicate { highest: 4 }));
        assert_eq!(validate(state(2, 4), 2, 6), gap(5, 6));
    }

    #[test]
    fn all_three_headers_or_none() {
        assert_eq!(parse(None, None, None), Ok(None));
        let cell = |present, value| if present { Some(value) } else { None };
        for present in 1..7 {
            let parsed =
                parse(cell(present & 1 != 0, "p"), cell(present & 2 != 0, "0"), cell(present & 4 != 0, "0"));
            assert_eq!(parsed, Err(Malformed::IncompleteProducer), "{present:03b}");
        }
        assert_eq!(parse(Some(""), Some("0"), Some("0")), Err(Malformed::ProducerId));
    }

    #[test]
    fn numbers_end_where_javascript_counts_no_further() {
        let largest = LARGEST_NUMBER.to_string();
        let parsed = parse(Some("p"), Some(&largest), Some("0")).unwrap().unwrap();
        assert_eq!(parsed.epoch, 9_007_199_254_740_991);
        let forty = "9".repeat(40);
        for bad in ["9007199254740992", &forty, "-1", "+1", "1.5", "1e3", "1abc", "", "1 2"] {
            assert!(parse(Some("p"), Some(bad), Some("0")).is_err(), "{bad:?}");
            assert!(parse(Some("p"), Some("0"), Some(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_producer_is_forgotten_after_the_retention() {
        let retention = Duration::from_secs(60);
        let start = Timestamp::UNIX_EPOCH;
        let at = |seconds| start + SignedDuration::from_secs(seconds);
        let mut producers = Producers::default();
        let request = parse(Some("p"), Some("3"), Some("0")).unwrap().unwrap();
        producers.accept(&request, retention, start);
        assert_eq!(producers.state(b"p", retention, at(59)), state(3, 0));
        assert_eq!(producers.state(b"p", retention, at(60)), None);
        assert_eq!(producers.state(b"q", retention, start), None);
    }

    #[test]
    fn forgotten_producers_give_their_room_back() {
        let retention = Duration::from_secs(1);
        let mut producers = Producers::default();
        for second in 0..1000 {
            let id = second.to_string();
            let request = parse(Some(&id), Some("0"), Some("0")).unwrap().unwrap();
            let now = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second);
            producers.accept(&request, retention, now);
        }
        assert!(producers.known.len() <= SMALL, "{}", producers.known.len());
        assert_eq!(producers.size(), producers.known.keys().map(|id| cost_of(id)).sum::<u64>());
    }
}
