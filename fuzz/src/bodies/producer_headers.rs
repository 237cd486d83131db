//! Producer headers: all three or none, numbers to 2^53-1; and the table that says what becomes of them.

use streamgauge_reference_server::{
    core::{
        error::Refusal,
        headers::{PRODUCER_EPOCH, PRODUCER_ID, PRODUCER_SEQ},
        producer::{ProducerHeaders, ProducerState, Standing, validate},
    },
    sabotage::Switches,
};

use crate::header_lines::{self, Given, Letters, given, number};

pub(crate) const LETTERS: Letters = [(b'i', PRODUCER_ID), (b'e', PRODUCER_EPOCH), (b's', PRODUCER_SEQ)];

const LARGEST: u64 = 9_007_199_254_740_991;

pub fn run(data: &[u8]) {
    let headers = header_lines::read(data, &LETTERS);
    let parsed = ProducerHeaders::parse(&headers, Switches::NONE);
    let values = LETTERS.map(|(_, name)| given(&headers, &name));
    match values {
        [Given::Not, Given::Not, Given::Not] => assert_eq!(parsed, Ok(None)),
        [Given::Once(id), Given::Once(epoch), Given::Once(seq)] => {
            let count = |digits| number(digits).filter(|number| *number <= LARGEST);
            let is_named = id.iter().any(|byte| !byte.is_ascii_whitespace());
            match (is_named, count(epoch), count(seq)) {
                (true, Some(epoch), Some(seq)) => {
                    assert_eq!(parsed, Ok(Some(ProducerHeaders { id: id.into(), epoch, seq })));
                    table(epoch, seq, data.len() as u64);
                }
                _ => assert!(parsed.is_err(), "{headers:?} was taken"),
            }
        }
        _ => assert!(parsed.is_err(), "{headers:?} was taken"),
    }
}

/// The table of section 5.2.1, beside several things that may be known of the producer.
fn table(epoch: u64, seq: u64, other: u64) {
    assert_eq!(
        validate(None, epoch, seq, Switches::NONE).is_ok(),
        seq == 0,
        "an unknown producer begins at 0"
    );
    for known_epoch in [epoch.saturating_sub(1), epoch, epoch + 1] {
        for last_seq in [seq.saturating_sub(1), seq, seq + 1, other] {
            let state = ProducerState { epoch: known_epoch, last_seq };
            let standing = validate(Some(state), epoch, seq, Switches::NONE);
            let expected = if epoch < known_epoch {
                Err(Refusal::StaleEpoch { current: known_epoch })
            } else if epoch > known_epoch {
                if seq == 0 { Ok(Standing::New) } else { Err(Refusal::EpochMustStartAtZero) }
            } else if seq <= last_seq {
                Ok(Standing::Duplicate { highest: last_seq })
            } else if seq - last_seq == 1 {
                Ok(Standing::New)
            } else {
                Err(Refusal::SequenceGap { expected: last_seq + 1, received: seq })
            };
            assert_eq!(standing, expected, "{epoch}/{seq} after {known_epoch}/{last_seq}");
        }
    }
}
