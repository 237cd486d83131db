//! The acts of a case.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{
    AwaitLogs, BodySpec, Emit, EventStreamExpect, Expect, Fields, HumanDuration, On, SaveFrom, Template,
};

/// One act, with its place in the fixture.
pub type Step = Spanned<Act>;

/// What a step does.
#[derive(Clone, Debug, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Act {
    Put(Box<RequestSpec>),
    Post(Box<RequestSpec>),
    Get(Box<RequestSpec>),
    Head(Box<RequestSpec>),
    Delete(Box<RequestSpec>),
    Options(Box<RequestSpec>),
    /// Bytes written to the socket as they stand.
    Raw(Box<Raw>),
    /// The same request several times at once.
    AtOnce(Box<AtOnce>),
    /// Begins a read in the background and goes on when the request has been sent.
    StartGet(Box<StartRead>),
    /// The named reads are unanswered for that long.
    StillWaiting(BTreeMap<String, HumanDuration>),
    /// Waits for the answer of a background read.
    FinishGet(Box<FinishRead>),
    /// Opens an event stream in the background and goes on when its head has come.
    StartSse(Box<StartRead>),
    /// Waits until the expectation holds.
    AwaitSse(Box<AwaitEvents>),
    /// Waits for the end of the event stream, then looks at all of it.
    FinishSse(Box<AwaitEvents>),
    /// No data comes on the named event streams for that long; control events may be repeated.
    Quiet(BTreeMap<String, HumanDuration>),
    /// Makes the target write log lines.
    Emit(Emit),
    /// Waits until an open log stream has carried what is expected.
    AwaitLogs(Box<AwaitLogs>),
    /// Leaves background reads, whatever they were doing.
    Stop(Vec<String>),
    /// Opens a webhook receiver on loopback.
    Receiver(ReceiverSpec),
    /// Waits for the next delivery to a receiver.
    AwaitDelivery(Box<AwaitDelivery>),
    /// No delivery comes to the named receivers for that long.
    NoDelivery(BTreeMap<String, HumanDuration>),
    /// Saves an instant relative to now.
    Instant(Instant),
    /// Waits for a moment.
    WaitUntil(Moment),
}

/// An HTTP method that a step may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Put,
    Post,
    Get,
    Head,
    Delete,
    Options,
}

impl Method {
    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }
}

/// A request and what it has to bring about.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RequestSpec {
    /// Names the step for moments that are told from it.
    #[serde(rename = "as")]
    pub name: Option<String>,
    /// Which of the target's URLs.
    pub on: On,
    /// Which stream of the case; the unnamed one when absent.
    pub stream: Option<String>,
    /// A path below the stream root, or below the URL of `on`, instead of a stream's, verbatim.
    pub at: Option<Template>,
    /// A URL that the target itself has given out, instead. It is never followed to another server.
    pub url: Option<Template>,
    pub query: Fields,
    pub headers: Fields,
    pub body: Option<BodySpec>,
    pub expect: Option<Expect>,
    /// Further demands, each with its own `proves`.
    pub also: Vec<Expect>,
    /// Right answers in a choice: the first that fits is taken.
    pub accept: Vec<Accept>,
    pub save: BTreeMap<String, SaveFrom>,
    /// Reads on, page after page, until the tail; what is looked at is all of it.
    pub to_tail: bool,
    /// Repeats the request until the expectation holds, for at most this long.
    pub eventually: Option<HumanDuration>,
    /// An answer that comes later than this accuses nobody: one that does not do makes the attempt void.
    pub before: Option<Moment>,
}

/// One right answer of several.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Accept {
    pub expect: Expect,
    /// The answer is right, yet deserves this warning.
    pub warn: Option<String>,
    /// What has to hold after this answer.
    #[schemars(with = "Vec<Act>")]
    pub then: Vec<Step>,
    /// Nothing is left to look at after this answer.
    pub done: bool,
}

/// A request written by hand.
#[derive(Clone, Debug, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Raw {
    /// The request's bytes; `\r\n` stands where it is meant. `$host` is the target's authority.
    pub send: Template,
    #[serde(default)]
    pub expect: Option<Expect>,
    #[serde(default)]
    pub also: Vec<Expect>,
    #[serde(default)]
    pub accept: Vec<Accept>,
    /// Demands that no byte follows the response on the connection.
    #[serde(default)]
    pub nothing_after: bool,
    #[serde(default)]
    pub save: BTreeMap<String, SaveFrom>,
}

/// One request, many times at once; `$index` counts them from 0.
#[derive(Clone, Debug, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AtOnce {
    pub times: usize,
    pub request: Act,
    /// How many answers have which status; an answer that no line counts is a mismatch.
    pub tally: Vec<Tally>,
    #[serde(default)]
    pub proves: Option<Vec<crate::rule::RuleId>>,
}

/// So many answers have this status.
#[derive(Clone, Debug, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    pub status: super::StatusExpect,
    #[serde(default)]
    pub count: Option<usize>,
    #[serde(default)]
    pub at_least: Option<usize>,
}

/// The start of a background read.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StartRead {
    #[serde(rename = "as")]
    pub name: String,
    /// Which of the target's URLs: streams, or the log stream.
    pub on: On,
    pub stream: Option<String>,
    pub query: Fields,
    pub headers: Fields,
    /// Begun later than this, the attempt is void.
    pub before: Option<Moment>,
    /// Demands on the head of an event stream.
    pub expect: Option<Expect>,
    pub also: Vec<Expect>,
}

/// The end of a background read.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FinishRead {
    #[serde(rename = "as")]
    pub name: String,
    pub expect: Option<Expect>,
    pub also: Vec<Expect>,
    pub accept: Vec<Accept>,
    pub save: BTreeMap<String, SaveFrom>,
}

/// A look at an event stream.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AwaitEvents {
    #[serde(rename = "as")]
    pub name: String,
    pub expect: EventStreamExpect,
    pub also: Vec<EventStreamExpect>,
    pub save: BTreeMap<String, SaveFrom>,
}

impl AwaitEvents {
    /// All that is demanded.
    pub fn demands(&self) -> impl Iterator<Item = &EventStreamExpect> {
        std::iter::once(&self.expect).chain(&self.also)
    }
}

/// A webhook receiver and what it answers.
#[derive(Clone, Debug, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiverSpec {
    /// `$name.url` is its URL.
    #[serde(rename = "as")]
    pub name: String,
    /// One for each delivery; the last is given to all that follow. None means 200 without a body.
    #[serde(default)]
    pub answers: Vec<ReceiverAnswer>,
}

/// One answer of a receiver.
#[derive(Clone, Debug, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiverAnswer {
    /// 200 where it is left out.
    #[serde(default)]
    pub status: Option<u16>,
    /// Closes the connection instead of answering.
    #[serde(default)]
    pub hangs_up: bool,
    #[serde(default)]
    pub json: Option<serde_json::Value>,
    #[serde(default)]
    pub text: Option<Template>,
    /// Given after this time.
    #[serde(default)]
    pub delay: Option<HumanDuration>,
}

/// A look at the next delivery.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AwaitDelivery {
    /// Names the receiver; `wait_until` counts from the arrival of its last delivery by the same name.
    #[serde(rename = "as")]
    pub name: String,
    /// How long after the delivery before it this one came.
    pub gap: Option<Gap>,
    /// How long it may take; 8 s when absent.
    pub within: Option<HumanDuration>,
    /// The rules that its absence breaks.
    pub proves: Option<Vec<crate::rule::RuleId>>,
    /// The method it has to come with.
    pub method: Option<String>,
    /// Its signature fits a published key; else `webhook.signature` is broken.
    pub signed: bool,
    /// Demands on its headers and body.
    pub expect: Option<Expect>,
    pub also: Vec<Expect>,
    pub save: BTreeMap<String, SaveFrom>,
}

/// Bounds on the time between two deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    pub at_least: HumanDuration,
    #[serde(default)]
    pub at_most: Option<HumanDuration>,
}

/// An instant to save.
#[derive(Clone, Debug, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Instant {
    pub save: String,
    /// Distance from now by the target's clock: `20s`, `-1h`.
    pub from_now: String,
    /// Written with this offset from UTC instead of `Z`: `+05:30`.
    #[serde(default)]
    pub utc_offset: Option<String>,
    /// Written with milliseconds.
    #[serde(default)]
    pub milliseconds: bool,
}

/// A moment that is told from a step.
#[derive(Clone, Debug, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// The step's name.
    pub after: String,
    /// How much time has passed since that step began.
    pub passed: HumanDuration,
}
