//! Faults for authors of clients: a server that keeps every rule, on a network and a machine that do not.
//!
//! A [`Fault`] is written `KIND[=VALUE][@WHEN][,KEY=VALUE]...`, such as `latency=100ms..300ms`,
//! `503@10%,retry-after=1s` or `cut-body@nth=3,method=GET`; [`EXPLAINED`] lists all of it. A server without faults
//! has no such layer.

mod body;
mod notation;
mod plan;
mod service;

use std::{fmt, time::Duration};

pub use notation::{EXPLAINED, FaultMistake};

pub(crate) use plan::FaultPlan;

/// One thing that goes wrong now and then.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// As it was written.
    spec: String,
    kind: Kind,
    when: When,
    only: Only,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The answer comes later, by any time between the two.
    Latency(Duration, Duration),
    /// The server does not look at the request, and answers this.
    Refuse { status: u16, retry_after: Option<Duration> },
    /// The connection ends in place of an answer, and the request was not carried out.
    HangUp,
    /// Likewise, but the request was carried out.
    LoseAnswer,
    /// The connection breaks behind that many bytes of a body, or in its middle.
    CutBody { after: Option<usize> },
    /// The connection breaks inside the event that follows that many whole ones.
    CutEvent { after: usize },
    /// An event stream ends behind that many events.
    EndEvents { after: usize },
    /// A body pauses for that long behind that many bytes, or in its middle.
    Stall { time: Duration, after: Option<usize> },
}

/// At which of the exchanges that the fault can touch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum When {
    #[default]
    Always,
    /// With this probability.
    Rate(f64),
    /// At that one, from 1.
    Nth(u64),
    /// At every so-many-th.
    Every(u64),
    /// At so many from the beginning.
    First(u64),
}

/// Which exchanges the fault can touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Only {
    method: Option<String>,
    /// A live mode, or `none`.
    live: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.spec)
    }
}
