//! One append: what it asks for, and what came of it (sections 5.2 and 5.3).

use super::{
    content_type::{ContentType, Format},
    error::{Malformed, Refusal},
    json_messages,
    offset::Offset,
    payload::Payload,
    producer::{ProducerHeaders, ProducerState, cost_of},
    sequence::StreamSeq,
};
use crate::sabotage::{Switch, Switches};

/// A request to append, to close, or both.
#[derive(Clone, Debug, Default)]
pub struct Append<'a> {
    /// The type that the sender gives for the body.
    pub content_type: Option<&'a str>,
    /// What to append; empty for nothing.
    pub body: &'a [u8],
    /// Whether to close the stream afterwards.
    pub close: bool,
    /// The writer's sequence value.
    pub seq: Option<StreamSeq>,
    /// The idempotent producer that sends it.
    pub producer: Option<ProducerHeaders>,
    /// What a server that races saw of the stream, some time ago; it acts on that.
    pub(crate) early_look: Option<EarlyLook>,
}

/// What an append is checked against.
#[derive(Clone, Debug)]
pub(crate) struct EarlyLook {
    pub(crate) is_closed: bool,
    pub(crate) last_seq: Option<StreamSeq>,
    /// Of the producer that sends the append.
    pub(crate) producer: Option<ProducerState>,
}

/// An append that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// What happened.
    pub outcome: Outcome,
    /// The tail before.
    pub previous_tail: Offset,
    /// The tail after.
    pub tail: Offset,
    /// Whether the stream is closed now.
    pub closed: bool,
    /// What is known of the producer now, if there is one.
    pub producer: Option<ProducerState>,
}

/// The ways to succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// New data was stored.
    Stored,
    /// Nothing was to be stored; the stream is closed.
    ClosedOnly,
    /// The request was carried out before.
    Duplicate,
}

impl Append<'_> {
    /// Whether the request brings nothing but the wish to close.
    pub(crate) fn is_close_only(&self) -> bool {
        self.close && self.body.is_empty()
    }

    /// The most bytes that the append can add to its stream.
    pub(crate) fn cost(&self, payload: Option<&Payload>) -> u64 {
        let producer = self.producer.as_ref().map_or(0, |producer| cost_of(&producer.id));
        payload.map_or(0, |payload| payload.size() as u64) + producer
    }

    /// The content to store in a stream of type `stream`; `None` for a close-only request, whose
    /// content type does not matter.
    ///
    /// # Errors
    /// A missing, malformed or different type; a body that holds nothing or is no JSON.
    pub(crate) fn payload(
        &self,
        stream: &ContentType,
        switches: Switches,
    ) -> Result<Option<Payload>, Refusal> {
        if self.is_close_only() {
            return Ok(None);
        }
        if self.body.is_empty() {
            return Err(Malformed::EmptyBody.into());
        }
        let assumed = switches.on(Switch::AppendTypeAssumed).then_some(stream.as_str());
        let content_type = self.content_type.or(assumed).ok_or(Malformed::ContentTypeMissing)?;
        if !stream.agrees_with(content_type, switches)? && !switches.on(Switch::AppendTypeIgnored) {
            return Err(Refusal::ContentTypeDiffers);
        }
        match payload_of(self.body, stream)? {
            Some(payload) => Ok(Some(payload)),
            None => Err(Malformed::EmptyArray.into()),
        }
    }
}

/// A body as a stream of the given type stores it; `None` when it holds nothing.
///
/// # Errors
/// The stream is in JSON mode and the body is not JSON.
pub(crate) fn payload_of(body: &[u8], content_type: &ContentType) -> Result<Option<Payload>, Malformed> {
    if body.is_empty() || content_type.format() != Format::Json {
        return Ok(Payload::of_bytes(body));
    }
    Ok(json_messages::store_form(&json_messages::flatten(body)?))
}
