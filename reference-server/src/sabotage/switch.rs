//! Faults that no change of messages can express. The core asks where the decision falls.

use serde::Deserialize;

/// One fault. Each says what a server with it does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Switch {
    // Order among writers.
    /// `Stream-Seq` is compared as a number where both values are numbers.
    SeqAsNumber,
    /// `Stream-Seq` is compared without regard to the case of letters.
    SeqCaseFolded,
    /// `Stream-Seq` is compared up to the end of the shorter value.
    SeqByCommonPrefix,
    /// A `Stream-Seq` equal to the last one is accepted.
    SeqEqualAccepted,
    /// A `Stream-Seq` lower than the last one is accepted.
    SeqLowerAccepted,
    /// A `Stream-Seq` is remembered before the rest of the append is checked.
    SeqRememberedEarly,
    /// A `Stream-Seq` that was refused is remembered all the same.
    SeqRefusedRemembered,
    /// An append without `Stream-Seq` makes the last one forgotten.
    SeqForgotten,
    /// Once a `Stream-Seq` was seen, appends without one are refused.
    SeqDemanded,

    // Appends.
    /// The type of an append is not compared with the stream's.
    AppendTypeIgnored,
    /// An append without a type is taken for one of the stream's type.
    AppendTypeAssumed,
    /// Media types are compared letter by letter.
    TypesComparedExactly,
    /// A refused append is stored all the same.
    RefusedAppendStored,
    /// An append names the tail from before it.
    AppendNamesOldTail,
    /// Appends look at the stream, pause, and then act on what they saw.
    AppendsRace,
    /// Of appends at the same time only the first is stored, and all are acknowledged.
    AppendsOverwriteEachOther,
    /// Appends at the same time are all answered with the tail behind the last of them.
    AppendsNameGroupTail,
    /// The content of an append is looked at before the closure of the stream.
    ContentBeforeClosure,
    /// `Stream-Seq` is looked at before the closure of the stream.
    SeqBeforeClosure,
    /// An append to a closed stream is stored.
    ClosedStreamGrows,
    /// A closing append closes first and stores its data some time later.
    ClosedBeforeData,
    /// A closed stream cannot be deleted.
    ClosedStreamUndeletable,

    // Producers.
    /// Epochs are compared as texts.
    EpochsComparedAsText,
    /// Sequence numbers are compared as texts.
    ProducerSeqsComparedAsText,
    /// A sequence number that was taken is a duplicate in whatever epoch it comes.
    ProducerSeqBeforeEpoch,
    /// An epoch below the known one is accepted.
    StaleEpochAccepted,
    /// An epoch is accepted only if it is the next one.
    EpochsMustNotSkip,
    /// A new epoch may begin at any sequence number.
    EpochBeginsAnywhere,
    /// A new epoch goes on where the last one was.
    EpochKeepsSeq,
    /// A producer that is not known may begin at any sequence number.
    FirstSeqAnywhere,
    /// A producer that is not known must begin at epoch 0.
    FirstEpochMustBeZero,
    /// Whatever epoch a producer begins with, 0 is remembered.
    FirstEpochForgotten,
    /// A sequence number above the next one is accepted.
    ProducerGapAccepted,
    /// A sequence number that was taken is accepted again.
    DuplicateStored,
    /// Only the last sequence number is known to be a duplicate, an older one is a gap.
    OnlyLastSeqKnown,
    /// Sequence number 0 always begins anew.
    SeqZeroBeginsAnew,
    /// A batch takes as many sequence numbers as it has messages.
    ProducerSeqCountsMessages,
    /// Producer numbers may have up to 64 bits.
    ProducerNumbersUnbounded,
    /// A refused request becomes the last one of its producer.
    RefusedRequestRemembered,
    /// An append without producer headers makes all producers forgotten.
    PlainAppendForgetsProducers,
    /// Producers are remembered by URL path, whether or not a stream is there.
    ProducersByPath,
    /// Producers are remembered by their ids, whatever the stream.
    ProducersOfAllStreams,
    /// A stream forgets who closed it.
    CloserForgotten,
    /// Whatever comes from the producer that closed a stream repeats the closing.
    CloserKnownByIdAlone,
    /// Whoever sends the numbers that closed a stream repeats the closing.
    CloserKnownByNumbersAlone,
    /// The repetition of the append that closed a stream is stored.
    ClosingAppendStoredAgain,

    // Creation and deletion.
    /// A repeated `PUT` may name another type.
    CreateTypeIgnored,
    /// A repeated `PUT` may differ in closure.
    CreateClosureIgnored,
    /// A `PUT` that is answered 409 stores its body.
    RefusedPutStores,
    /// A `PUT` that is answered 409 closes the stream if it says so.
    RefusedPutCloses,
    /// A `PUT` that is answered 409 opens the stream if it does not say closed.
    RefusedPutReopens,
    /// Several `PUT`s at the same time are all told that they created the stream.
    CreationsRace,
    /// Several `PUT`s at the same time all store their bodies.
    CreationBodiesRace,
    /// `DELETE` takes all streams with it whose paths begin alike.
    DeleteTakesNeighbours,
    /// A stream at the path of a deleted one begins with its bytes.
    BytesSurviveDeletion,
    /// A stream at the path of a deleted one keeps its type.
    TypeSurvivesDeletion,
    /// A stream at the path of a deleted one keeps its last `Stream-Seq`.
    SeqSurvivesDeletion,
    /// A stream at the path of a closed and deleted one is closed.
    ClosureSurvivesDeletion,

    // JSON mode.
    /// Every type with `json` in it is in JSON mode.
    JsonBySubstring,
    /// Only `application/json` itself, in lower case and without parameters, is in JSON mode.
    JsonByExactType,

    // Reads.
    /// The first read after a write does not see it.
    ReadsLagBehind,
    /// The last append is read first.
    NewestFirst,
    /// Old bytes are overwritten once there are many.
    LogIsARing,
    /// Only the offsets of the last few appends are known.
    OldOffsetsForgotten,
    /// On a closed stream only the final offset is known.
    OffsetsEndWithClosure,
    /// A page of a closed stream says closed wherever it ends.
    PartialPageSaysClosed,
    /// A read from beyond the tail is answered with the offset that was asked for.
    BeyondTailIsTail,
    /// The tag of a read does not change with its end.
    EtagLacksEnd,
    /// The tag of a read does not change with closure.
    EtagLacksClosure,
    /// The tag of a read is the same for every stream that ever lived at a path.
    EtagLacksIncarnation,

    // Live reads.
    /// Closing wakes no reader.
    CloseWakesNobody,
    /// A reader that is woken by a closing append is told of the closure, and not given the data.
    ClosureOvertakesData,
    /// `now` is looked up anew whenever a waiting reader wakes.
    NowReadAgain,
    /// A long-poll waits for a moment only.
    LongPollHurries,
    /// A long-poll from the start of an empty stream does not wait.
    EmptyStartAnswered,
    /// Between its look at the stream and its waiting, a long-poll misses what happens.
    WakeupLost,
    /// A long-poll that times out names the tail of that moment, whatever came meanwhile.
    TimeoutSkipsData,
    /// Every control event has a new jitter in its cursor.
    CursorRolledAnew,
    /// A cursor always builds on the client's.
    CursorBuildsOnClient,
    /// A carriage return does not end a line of an event's payload.
    SseKeepsCarriageReturns,
}

/// The faults that a server has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switches([u128; 2]);

impl Switches {
    /// No fault.
    pub const NONE: Self = Self([0; 2]);

    /// Whether the server has this fault.
    pub fn on(self, switch: Switch) -> bool {
        let index = switch as usize;
        self.0[index / 128] >> (index % 128) & 1 == 1
    }
}

impl FromIterator<Switch> for Switches {
    fn from_iter<I: IntoIterator<Item = Switch>>(switches: I) -> Self {
        let mut all = Self::NONE;
        for switch in switches {
            let index = switch as usize;
            all.0[index / 128] |= 1 << (index % 128);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_switched_is_on() {
        let switches = Switches::from_iter([Switch::SeqAsNumber, Switch::SeqRememberedEarly]);
        assert!(switches.on(Switch::SeqAsNumber));
        assert!(!switches.on(Switch::SeqCaseFolded));
        assert!(switches.on(Switch::SeqRememberedEarly));
        assert!(!Switches::NONE.on(Switch::SeqAsNumber));
    }
}
