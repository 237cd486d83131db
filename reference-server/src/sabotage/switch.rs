//! Faults that no change of messages can express. The core asks where the decision falls.

use serde::Deserialize;

/// One fault. Each says what a server with it does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, schemars::JsonSchema)]
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
    /// `Stream-Seq` is compared in capital letters, which sort before the underscore.
    SeqUpperCased,
    /// A `Stream-Seq` has to be lower than the last one.
    SeqDescending,

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

    // Lifetimes.
    /// A window of idleness runs from the creation of the stream.
    TtlFromCreation,
    /// `Stream-TTL` counts milliseconds.
    TtlInMilliseconds,
    /// A `Stream-TTL` of more than 31 bits is over at once.
    TtlOverflows,
    /// `Stream-TTL` is remembered, and ends nothing.
    TtlEndsNothing,
    /// Reads do not renew a window.
    ReadsRenewNothing,
    /// Reads that find nothing new do not renew a window.
    ReadsAtTailRenewNothing,
    /// Reads with `If-None-Match` do not renew a window.
    ConditionalReadsRenewNothing,
    /// Live reads do not renew a window.
    LiveReadsRenewNothing,
    /// Appends and closings do not renew a window.
    WritesRenewNothing,
    /// Closings do not renew a window.
    ClosingsRenewNothing,
    /// A read renews a window before it looks whether that is over.
    ReadsRenewWhatIsOver,
    /// An append renews a window before it looks whether that is over.
    AppendsRenewWhatIsOver,
    /// `HEAD` does not look whether a stream is over.
    HeadTellsWhatIsOver,
    /// A stream that is over is answered 410 for good.
    OverIsGone,
    /// `Stream-Expires-At` is remembered, and ends nothing.
    ExpiresAtEndsNothing,
    /// Reads and writes put off `Stream-Expires-At`.
    ExpiresAtSlides,
    /// Minutes and seconds of `Stream-Expires-At` are ignored.
    ExpiresAtByTheHour,
    /// A `Stream-Expires-At` in the past counts as none.
    PastExpiresAtIsNone,
    /// A stream at the path of one that is over has its lifetime.
    LifetimeSurvivesDeletion,

    // Forks.
    /// A fork has no lifetime but its own.
    ForkInheritsNoLifetime,
    /// A read of a fork renews the window of its source.
    ForkReadsRenewSource,
    /// A read of a source renews the windows of its forks.
    SourceReadsRenewForks,
    /// A fork is not found once its source is deleted or over.
    ForkEndsWithSource,
    /// A fork begins behind the append that follows its offset.
    ForkOffsetInclusive,
    /// A fork beyond the tail of its source begins at the tail.
    ForkOffsetClamped,
    /// A sub-offset counts characters.
    SubOffsetInCharacters,
    /// A sub-offset counts bytes in JSON mode, too.
    SubOffsetInBytes,
    /// A sub-offset takes a batch for one message.
    SubOffsetInBatches,
    /// A sub-offset beyond the end of an append means that end.
    SubOffsetClamped,
    /// A sub-offset reaches across the ends of appends.
    SubOffsetCrossesAppends,
    /// A sub-offset has to end before the append does.
    SubOffsetEndExcluded,
    /// A sub-offset counts from the start of the stream.
    SubOffsetFromStart,
    /// A fork is as closed as its source.
    ForkInheritsClosure,
    /// A fork knows the producers of its source.
    ForkInheritsProducers,
    /// A fork has the last `Stream-Seq` of its source.
    ForkInheritsSeq,
    /// What a repeated fork leaves out is compared as the default, not as what was inherited.
    ForkOmissionsCompared,
    /// A repeated fork may have another origin.
    ForkOriginIgnored,
    /// A read of a fork is up to date where the inherited data ends.
    ForkUpToDateAtSeam,
    /// A fork does not know the offsets of what it inherits.
    ForkForgetsSourceOffsets,
    /// A fork of a fork has no data from before the first fork.
    ForkReadsOneLevel,
    /// A fork of a fork has what the first fork inherited, wherever it begins itself.
    ForkCutByFirstOnly,
    /// What is appended to a source is appended to its forks.
    AppendsReachForks,
    /// What is appended to a fork is appended to its source.
    AppendsReachSource,
    /// Closing a source closes its forks.
    ClosureReachesForks,
    /// Closing a fork closes its source.
    ClosureReachesSource,
    /// Deleting a fork deletes its source.
    DeletionReachesSource,
    /// Deleting a fork deletes the other forks of its source.
    DeletionReachesSiblings,
    /// A fork of a deleted source is made.
    SoftDeletedForkable,
    /// A `PUT` brings back a deleted source.
    SoftDeletedRevived,
    /// The bytes of a deleted source are overwritten.
    SoftDeletedOverwritten,
    /// A fork that goes keeps its hold on its source.
    ForkReferenceLeaks,
    /// A source is collected with the last fork, the source of that is not.
    ChainNotCollected,
    /// A deleted source is collected with its first fork.
    CollectedWithFirstFork,
    /// A source that was not deleted is collected with its last fork.
    LiveSourceCollected,

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
    /// A stream at the path of a deleted one knows its producers.
    ProducersSurviveDeletion,
    /// A repeated `PUT` may differ in expiry.
    CreateExpiryIgnored,
    /// A repeated `PUT` may leave the expiry out.
    CreateExpiryMayBeLeftOut,
    /// A repeated `PUT` is compared by the instant at which the stream would expire, to the minute.
    CreateExpiryByInstant,

    // JSON mode.
    /// Every type with `json` in it is in JSON mode.
    JsonBySubstring,
    /// Only `application/json` itself, in lower case and without parameters, is in JSON mode.
    JsonByExactType,
    /// What a fork inherited and what it has of its own come as two arrays.
    ForkArraysApart,

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
    /// A read from beyond the tail begins at the start.
    BeyondTailIsStart,
    /// A read holds the first append and names the tail.
    FirstAppendOnly,
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
    /// An append to any stream ends the waiting of all long-polls.
    StrangersWake,
    /// Event streams carry every type with `json` or `xml` in it as text.
    SseTextBySubstring,

    // Subscriptions: what they are set to.
    /// Every path whose first segment begins with `__ds` belongs to the control space.
    ReservedByFirstLetters,
    /// Every path with a segment `__ds` anywhere belongs to the control space.
    ReservedAnywhere,
    /// A configuration is the same only if its bytes are.
    ConfigComparedToTheLetter,
    /// A configuration is compared with the links as they are now.
    ConfigComparedWithLinks,
    /// A configuration may differ in its pattern.
    ConfigForgetsPattern,
    /// A configuration may differ in its streams.
    ConfigForgetsStreams,
    /// A configuration may differ in whom it wakes: in its type, webhook or wake stream.
    ConfigForgetsTarget,
    /// A configuration may differ in its lease.
    ConfigForgetsLease,
    /// A configuration may differ in its description.
    ConfigForgetsDescription,
    /// A configuration that is answered 409 replaces the one before.
    RefusedConfigApplied,
    /// A confirmed configuration takes all cursors back to the start.
    ConfirmationResetsCursors,
    /// A subscription may have neither pattern nor streams.
    NothingSubscribedTo,
    /// A subscription needs a pattern.
    PatternDemanded,
    /// A subscription needs streams.
    StreamsDemanded,
    /// A subscription cannot have a pattern and streams.
    PatternExcludesStreams,
    /// A lease may have any length.
    LeaseRangeIgnored,
    /// A lease that cannot be is taken for the nearest that can.
    LeaseFitted,
    /// The shortest and the longest lease are refused.
    LeaseEndsExcluded,
    /// The lease is a minute where none is asked for.
    LeaseDefaultIsAMinute,
    /// A deleted subscription is only hidden: it goes on, and comes back when it is created again.
    DeletionHidesOnly,

    // Subscriptions: the streams that they link.
    /// A pattern matches without regard to the case of letters.
    GlobCaseFolded,
    /// A segment of a pattern matches every segment that begins with it.
    GlobByPrefix,
    /// A dot in a pattern matches every character.
    GlobDotIsAnything,
    /// What stands behind `**` in a pattern does not count.
    GlobTakesRest,
    /// A pattern links no stream that is there already.
    HistoryNotLinked,
    /// A pattern links the streams that are there from their start.
    HistoryIsPending,
    /// A pattern whose streams have events already wakes for them.
    HistoryWakes,
    /// A stream that is created later is not linked.
    LateStreamsNotLinked,
    /// A stream that is created later is linked behind its first append.
    LateStreamsSkipFirstAppend,
    /// A stream is linked by its name from its start.
    NamedStreamsArePending,
    /// Adding a stream that is linked already takes it to its tail.
    AddedStreamsSkipPending,
    /// Adding streams wakes.
    AddedStreamsWake,
    /// A stream that is linked both ways is shown as linked by the pattern.
    GlobHidesExplicit,
    /// Taking an explicit link away takes the link by the pattern with it.
    RemovalTakesGlobToo,
    /// Taking an explicit link away leaves the stream shown as explicit.
    RemovalLeavesExplicit,
    /// Taking an explicit link away sets the cursor back to the start.
    RemovalResetsCursor,

    // Wakes, and what workers do with them.
    /// An append while a wake is in flight wakes again.
    AppendsWakeDespiteWake,
    /// An append while a lease is held wakes again.
    AppendsWakeDespiteLease,
    /// An append to a stream that is not linked wakes.
    AnyStreamWakes,
    /// Closing a stream wakes, without data, too.
    ClosureWakes,
    /// Every wake has the generation of the first.
    GenerationStands,
    /// Every wake has a generation below the one before.
    GenerationFalls,
    /// Every wake has the wake_id of the first.
    WakeIdStands,
    /// An ack in the middle of a stream acks all of it.
    AckCoversStream,
    /// An ack takes a cursor wherever it says: back, or past the tail.
    AckGoesAnywhere,
    /// An ack links the stream that it names.
    AckLinksStream,
    /// Of several acks only the first counts.
    FirstAckCounts,
    /// One ack acks all streams.
    AckCoversSubscription,
    /// An ack without `done` moves no cursor.
    HeartbeatAcksNothing,
    /// An ack without `done` ends the wake.
    HeartbeatEndsWake,
    /// An ack without `done` does not renew the lease.
    HeartbeatRenewsNothing,
    /// An ack with `done` moves no cursor.
    DoneAcksNothing,
    /// An ack with `done` does not free the lease.
    DoneKeepsLease,
    /// Nobody is woken for what is left when a wake is done.
    DoneWakesNobody,
    /// A release acks everything.
    ReleaseAcks,
    /// Nobody is woken for what is left after a release.
    ReleaseWakesNobody,
    /// A release wakes with nothing left, too.
    ReleaseWakesAnyway,
    /// The server makes the wake stream when it is missing.
    WakeStreamMade,
    /// The server makes the wake stream anew for every wake.
    WakeStreamMadeAnew,
    /// A claim takes the lease from whoever holds it.
    ClaimTakesOver,
    /// A claim that is refused ends the lease all the same.
    RefusedClaimEndsLease,
    /// Claims at the same time all win.
    ClaimsRace,

    // Fencing.
    /// The wake that a token was given for is not compared.
    TokenWakeUnchecked,
    /// The subscription that a token was given for is not compared.
    TokenSubscriptionUnchecked,
    /// A token opens every route.
    TokenPurposeUnchecked,
    /// A request needs no token that is right, only one.
    TokenUnverified,
    /// A request needs no token.
    TokenNotNeeded,
    /// A token may have other letters around it.
    TokenSearched,
    /// A token in the query counts.
    TokenInQueryTaken,
    /// A token in the body counts.
    TokenInBodyTaken,
    /// A token in another header counts.
    TokenInOtherHeaderTaken,
    /// The generation that a request names is not compared.
    GenerationUnchecked,
    /// The wake_id that a request names is not compared.
    WakeIdUnchecked,
    /// A request for an earlier wake counts for the current one.
    StaleTaken,
    /// The acks of a request that is refused as stale are applied.
    StaleAcksApplied,
    /// A request for an earlier wake ends the current one.
    StaleEndsWake,
    /// What a request does not name is not compared.
    AbsentMatches,
    /// Where no wake is in flight, a wake_id of null matches.
    NullMatchesIdle,
    /// A lease never ends.
    LeaseNeverEnds,
    /// A lease that is over ends with the next claim only.
    LeaseEndsAtNextClaim,
    /// A lease ends, and nobody is woken.
    LeaseEndsSilently,
    /// A claim's lease began with the wake.
    LeaseStartsAtWake,

    // Webhooks.
    /// The answer `done` acks nothing.
    AnswerAcksNothing,
    /// The answer `done` acks the tails of that moment.
    AnswerAcksTails,
    /// The answer `done` to an earlier wake counts for the current one.
    LateAnswerTaken,
    /// A failed delivery is not repeated.
    RetriesNever,
    /// A failed delivery is repeated once.
    RetriesOnce,
    /// A failed delivery is repeated at once.
    RetriesAtOnce,
    /// The gaps between attempts do not grow.
    RetriesEvenly,
    /// The gaps between attempts are minutes.
    RetriesSlowly,
    /// A delivery that succeeds does not shorten the gaps again.
    BackoffKept,
    /// A delivery without an answer counts as arrived.
    NoAnswerIsSuccess,
    /// Webhooks may have any URL.
    WebhookUrlUnchecked,
    /// Webhooks may use http everywhere.
    WebhookHttpTaken,
    /// Webhooks may go to local networks.
    WebhookLocalTaken,
    /// Only addresses in dotted decimals are looked at.
    WebhookDottedOnly,
    /// Only the beginning of the host's text is looked at.
    WebhookTextOnly,
    /// Link-local addresses are no local ones.
    WebhookForgetsLinkLocal,
    /// Addresses of IPv6 are not looked at.
    WebhookForgetsIpv6,
    /// IPv4 addresses in IPv6 ones are not looked at.
    WebhookForgetsMapped,
    /// Hosts that begin like `localhost` or `127.` count as this machine.
    WebhookExceptionByPrefix,
    /// The ranges of local addresses are wider than they are.
    WebhookRangesTooWide,

    // The log stream.
    /// The level counts for the first batch only.
    LogsLevelInitialOnly,
    /// The level counts for live lines only.
    LogsLevelLiveOnly,
    /// Only lines of that level pass, and none above it.
    LogsLevelExact,
    /// The step counts for the first batch only.
    LogsStepInitialOnly,
    /// The step counts for live lines only.
    LogsStepLiveOnly,
    /// The step hides lines of the service.
    LogsStepHidesService,
    /// The limit may be as high as a client likes.
    LogsLimitUncapped,
    /// The limit counts for each live batch, too.
    LogsLimitCountsLive,
    /// The limit counts before the filters.
    LogsLimitBeforeFilter,
    /// A log stream begins with the oldest lines.
    LogsBeginWithOldest,
    /// The lines that a log stream begins with come again with the first live ones.
    LogsSeamDoubled,
    /// Log streams of jobs carry the lines of all jobs.
    LogsJobsMixed,
    /// The log stream of the service carries the lines of jobs, too.
    LogsServiceHearsJobs,
    /// Log streams of jobs carry the lines of the service, too.
    LogsJobsHearService,
    /// A batch holds a hundred lines; what is more is lost.
    LogsBurstsLost,
    /// Of several readers of a job, each batch goes to one.
    LogsReadersShare,
    /// When a reader leaves, the others of its job get nothing more.
    LogsLeaverSilencesAll,
    /// A change of status is told before the lines that wait.
    LogsStatusFirst,
    /// A change of status is told to all jobs.
    LogsStatusToAllJobs,
    /// A change of status is told to the service.
    LogsStatusToService,
    /// Lines are not gathered.
    LogsUnbatched,
    /// Lines are gathered for ten times as long.
    LogsBatchesLate,
    /// Pings come in more than twice their time.
    PingsRare,
    /// Pings come in a third of their time.
    PingsOften,
    /// Every event puts off the next ping.
    PingsRestart,
}
