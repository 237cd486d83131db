//! What goes wrong with producers where it is to go wrong on purpose.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::{ProducerHeaders, ProducerState, Producers, Standing, validate};
use crate::{
    core::error::Refusal,
    sabotage::{Switch, Switches},
};

/// What a faulty server makes of a request; `None` where its fault makes no difference.
pub(super) fn misjudge(
    known: Option<ProducerState>,
    epoch: u64,
    seq: u64,
    switches: Switches,
) -> Option<Result<Standing, Refusal>> {
    let on = |switch| switches.on(switch);
    let Some(known) = known else {
        return if on(Switch::FirstEpochMustBeZero) && epoch > 0 {
            Some(Err(Refusal::EpochMustStartAtZero))
        } else {
            on(Switch::FirstSeqAnywhere).then_some(Ok(Standing::New))
        };
    };
    let stale = Refusal::StaleEpoch { current: known.epoch };
    let duplicate = Standing::Duplicate { highest: known.last_seq };
    let is_known = seq <= known.last_seq;
    if on(Switch::EpochsComparedAsText) && epoch.to_string() < known.epoch.to_string() {
        Some(Err(stale))
    } else if on(Switch::EpochsComparedAsText) && epoch < known.epoch && seq == 0 {
        Some(Ok(Standing::New))
    } else if epoch < known.epoch {
        (on(Switch::StaleEpochAccepted).then_some(Standing::New))
            .or((on(Switch::ProducerSeqBeforeEpoch) && is_known).then_some(duplicate))
            .map(Ok)
    } else if epoch > known.epoch {
        if on(Switch::EpochsMustNotSkip) && epoch > known.epoch + 1 {
            Some(Err(Refusal::EpochMustStartAtZero))
        } else {
            on(Switch::EpochBeginsAnywhere).then_some(Ok(Standing::New))
        }
    } else if on(Switch::ProducerSeqsComparedAsText) && seq.to_string() <= known.last_seq.to_string() {
        Some(Ok(duplicate))
    } else if on(Switch::OnlyLastSeqKnown) && seq < known.last_seq {
        Some(Err(Refusal::SequenceGap { expected: known.last_seq + 1, received: seq }))
    } else {
        let is_taken = (on(Switch::DuplicateStored) && is_known)
            || (on(Switch::SeqZeroBeginsAnew) && seq == 0)
            || (on(Switch::ProducerGapAccepted) && !is_known);
        is_taken.then_some(Ok(Standing::New))
    }
}

impl Producers {
    /// What a faulty server remembers of an accepted request.
    pub(crate) fn misremembered(
        &self,
        request: &ProducerHeaders,
        messages: u64,
        switches: Switches,
    ) -> ProducerHeaders {
        let mut remembered = request.clone();
        let known = self.known.get(&request.id).map(|known| known.state);
        if switches.on(Switch::ProducerSeqCountsMessages) {
            remembered.seq += messages - 1;
        }
        match known {
            None if switches.on(Switch::FirstEpochForgotten) => remembered.epoch = 0,
            Some(known) if switches.on(Switch::EpochKeepsSeq) => {
                remembered.seq = remembered.seq.max(known.last_seq);
            }
            _ => {}
        }
        remembered
    }
}

/// Producers that are remembered beside the streams, by a faulty server.
#[derive(Debug, Default)]
pub(crate) struct ProducerTable(Mutex<HashMap<Key, ProducerState>>);

/// A path, where it matters, and the id of a producer.
type Key = (Option<Box<str>>, Box<[u8]>);

impl ProducerTable {
    /// Takes note of a request before anybody has looked at its stream. Says where it stands, if there is such a
    /// table at all.
    pub(crate) fn take(
        &self,
        path: &str,
        request: &ProducerHeaders,
        switches: Switches,
    ) -> Result<Option<Standing>, Refusal> {
        let path = switches.on(Switch::ProducersByPath).then(|| path.into());
        if path.is_none() && !switches.on(Switch::ProducersOfAllStreams) {
            return Ok(None);
        }
        let mut table = self.0.lock();
        let key = (path, request.id.clone());
        let standing = validate(table.get(&key).copied(), request.epoch, request.seq, switches)?;
        if standing == Standing::New {
            table.insert(key, ProducerState { epoch: request.epoch, last_seq: request.seq });
        }
        Ok(Some(standing))
    }
}
