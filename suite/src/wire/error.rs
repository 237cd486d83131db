use std::{fmt, time::Duration};

use thiserror::Error;

/// Why there is no answer, or no whole one. Each text is one sentence for the reader of a report.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WireError {
    #[error("the request cannot be sent: {reason}")]
    Unsendable { reason: String },
    #[error("the name `{host}` has no address: {reason}")]
    Unresolved { host: String, reason: String },
    #[error("nothing listens on {endpoint}: the connection was refused")]
    Refused { endpoint: String },
    #[error("{endpoint} cannot be reached: {reason}")]
    Unreachable { endpoint: String, reason: String },
    #[error("no TLS connection to {endpoint}: {reason}")]
    Tls { endpoint: String, reason: String },
    #[error("{phase} within {}", seconds(*after))]
    NoAnswer { phase: Phase, after: Duration },
    /// A clean end of the connection (FIN), or of its TLS session.
    #[error("the server closed the connection before it answered{}", received_so_far(*received))]
    Closed { received: usize },
    /// An abrupt end of the connection (RST), or another failure of reading.
    #[error("the connection broke before the server answered{}: {reason}", received_so_far(*received))]
    Broken { received: usize, reason: String },
    #[error("the answer is not HTTP: {reason}")]
    Malformed { reason: String },
    #[error("the head of the answer is too large: {reason}")]
    HeadTooLarge { reason: String },
    #[error("the body of the answer is larger than the {limit} bytes that the suite reads")]
    BodyTooLarge { limit: usize },
    #[error(
        "the body of the answer was not read to its end, as the suite holds no more than {limit} bytes of bodies at once"
    )]
    BudgetSpent { limit: usize },
    #[error("the body of the answer was cut: {reason}")]
    Torn { reason: String },
}

/// What was being waited for when time ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Name resolution, TCP, TLS, the HTTP/2 preface.
    Connect,
    /// The server would not take the whole request, and did not answer either.
    Send,
    /// The request was sent in full; the head of the answer did not come.
    Head,
    /// The head came; the end of the body did not.
    Body,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "no connection",
            Self::Send => "the server neither took the whole request nor answered",
            Self::Head => "no answer",
            Self::Body => "an answer, but no end of its body",
        })
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.3} s", duration.as_secs_f64())
}

fn received_so_far(bytes: usize) -> String {
    match bytes {
        0 => String::new(),
        1 => " (1 byte had come)".to_owned(),
        more => format!(" ({more} bytes had come)"),
    }
}
