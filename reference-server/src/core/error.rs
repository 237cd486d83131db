//! Every way in which the core says no.

use thiserror::Error;

use super::{limits::BudgetExhausted, offset::Offset};

/// A request that is understood and refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Answered 400.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// No stream lives at the path: 404.
    #[error("there is no stream at this path")]
    NotFound,
    /// The stream was deleted while forks still read from it: 410 (section 4.2).
    #[error("the stream was deleted; its data is kept for its forks only")]
    Gone,
    /// A soft-deleted stream blocks its path: 409 (section 4.2).
    #[error("a deleted stream whose forks still live blocks this path")]
    PathBlocked,
    /// The path holds a stream of another configuration: 409 (section 5.1).
    #[error("a stream with another configuration exists at this path")]
    ConfigurationDiffers,
    /// The body's type is not the stream's: 409 (section 5.2).
    #[error("the content type of the request is not that of the stream")]
    ContentTypeDiffers,
    /// The stream accepts no more appends: 409 (section 4.1).
    #[error("the stream is closed")]
    Closed {
        /// Where the stream ends for good.
        final_offset: Offset,
    },
    /// `Stream-Seq` is not greater than the last accepted one: 409 (section 5.2).
    #[error("Stream-Seq is not greater than the last accepted value")]
    SequenceNotGreater,
    /// A zombie producer is fenced off: 403 (section 5.2.1).
    #[error("the producer epoch is stale; the current one is {current}")]
    StaleEpoch {
        /// The epoch that holds the producer id.
        current: u64,
    },
    /// A batch of the producer is missing: 409 (section 5.2.1).
    #[error("the producer sequence has a gap: expected {expected}, received {received}")]
    SequenceGap {
        /// The only sequence number that would be accepted as new.
        expected: u64,
        /// The one that was sent.
        received: u64,
    },
    /// A raised producer epoch does not begin at sequence 0: 400 (section 5.2.1).
    #[error("a new producer epoch must start at sequence 0")]
    EpochMustStartAtZero,
    /// The source of a fork does not exist: 404 (section 4.2).
    #[error("the stream to fork from does not exist")]
    SourceNotFound,
    /// The source of a fork is soft-deleted: 409 (section 4.2).
    #[error("the stream to fork from was deleted")]
    SourceGone,
    /// The divergence point lies past the source's tail: 400 (section 4.2).
    #[error("the fork offset lies beyond the tail of the source")]
    ForkOffsetBeyondTail,
    /// The sub-offset reaches past the next data boundary: 400 (section 4.2).
    #[error("the fork sub-offset reaches past the next data boundary of the source")]
    SubOffsetTooFar,
    /// A read asks for what has not been written: 400 (section 5.6).
    #[error("the offset lies beyond the tail of the stream")]
    OffsetBeyondTail,
    /// A token this stream never issued: 400 (section 8).
    #[error("the offset is not a message boundary of the stream")]
    OffsetNotABoundary,
    /// The body exceeds the configured size: 413 (section 5.2).
    #[error("the body is larger than the {limit} bytes this server takes")]
    BodyTooLarge {
        /// Bytes.
        limit: usize,
    },
    /// The body stopped arriving: 408.
    #[error("the body did not arrive in time")]
    BodyTimedOut,
    /// The configured number of streams exists already: 507.
    #[error("this server holds as many streams as it may")]
    TooManyStreams,
    /// The configured memory is used up: 507.
    #[error(transparent)]
    MemoryExhausted(#[from] BudgetExhausted),
}

/// A part of a request that cannot be understood; always answered 400.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// Neither a sentinel nor a token of this server.
    #[error("the offset is malformed")]
    Offset,
    /// `offset` occurs more than once.
    #[error("more than one offset parameter")]
    DuplicateOffset,
    /// A live read says where to begin.
    #[error("a live read needs an offset parameter")]
    OffsetMissing,
    /// `live` is neither `long-poll` nor `sse`.
    #[error("the live parameter must be long-poll or sse")]
    LiveMode,
    /// Not a media type.
    #[error("the Content-Type is not a media type")]
    ContentType,
    /// A body of unknown type.
    #[error("a body needs a Content-Type")]
    ContentTypeMissing,
    /// Nothing to append, and nothing to close.
    #[error("an append needs a body, unless it closes the stream")]
    EmptyBody,
    /// `[]` holds no message to append.
    #[error("an empty array holds no message to append")]
    EmptyArray,
    /// Not one JSON text.
    #[error("the body is not valid JSON: {0}")]
    Json(String),
    /// Not digits without a leading zero.
    #[error("Stream-TTL must be a whole number of seconds without leading zeros")]
    Ttl,
    /// Not a timestamp.
    #[error("Stream-Expires-At must be an RFC 3339 timestamp")]
    ExpiresAt,
    /// Two ways to expire at once.
    #[error("Stream-TTL and Stream-Expires-At exclude each other")]
    TwoExpiries,
    /// One or two of the three producer headers.
    #[error("Producer-Id, Producer-Epoch and Producer-Seq must come together")]
    IncompleteProducer,
    /// A producer without a name.
    #[error("Producer-Id must not be empty")]
    ProducerId,
    /// Not an integer from 0 to 2^53-1.
    #[error("{0} must be an integer from 0 to 9007199254740991")]
    ProducerNumber(&'static str),
    /// A header that may occur once occurs several times.
    #[error("{0} occurs more than once")]
    RepeatedHeader(&'static str),
    /// Not the URL path of a stream of this server.
    #[error("Stream-Forked-From must be the URL path of a stream of this server")]
    ForkSource,
    /// Not a token of this server.
    #[error("Stream-Fork-Offset is malformed")]
    ForkOffset,
    /// Not a plain non-negative integer.
    #[error("Stream-Fork-Sub-Offset must be a non-negative integer without leading zeros")]
    ForkSubOffset,
    /// A divergence point without a source.
    #[error("{0} needs Stream-Forked-From")]
    ForkSourceMissing(&'static str),
    /// A path that could be mistaken for another one.
    #[error("the stream path is not acceptable: {0}")]
    Path(&'static str),
}
