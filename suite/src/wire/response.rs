use std::{
    fmt,
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{Headers, WireError};

/// The protocol version of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    Http10,
    Http11,
    Http2,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        })
    }
}

/// Status line and headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub version: Version,
    /// 100 to 999.
    pub status: u16,
    /// The text after the status; empty in HTTP/2.
    pub reason: String,
    /// In wire order and with their original case (HTTP/2 has lower case only).
    pub headers: Headers,
    /// The bytes of the head up to and including the empty line; empty in HTTP/2.
    pub raw: Bytes,
}

/// An answer whose head was received. Whether its body is all that the server meant to send says [`Ending`].
#[derive(Debug, Clone)]
pub struct Response {
    pub head: Head,
    /// The 1xx answers that came before. Not seen over HTTP/2.
    pub interim: Vec<Head>,
    /// The content as received: transfer coding undone, content coding not. Its clones stay counted in the budget.
    pub body: Bytes,
    pub trailers: Headers,
    pub ending: Ending,
    /// Bytes that had arrived on the connection after the end of this answer, though nothing more was asked.
    /// [`super::raw`] also waits for late ones.
    pub surplus: Bytes,
    pub timing: Timing,
}

impl Response {
    /// The response, unless the budget cut its body: that bound is the suite's own and other answers fill it, so what it
    /// cut accuses nobody.
    ///
    /// # Errors
    ///
    /// Then.
    pub fn unless_without_room(self) -> Result<Self, WireError> {
        match self.ending {
            Ending::CutByLimit(Cut::Budget { limit }) => Err(WireError::BudgetSpent { limit }),
            _ => Ok(self),
        }
    }

    pub fn status(&self) -> u16 {
        self.head.status
    }

    pub fn headers(&self) -> &Headers {
        &self.head.headers
    }

    /// This response if its body is whole.
    ///
    /// # Errors
    ///
    /// What cut the body, otherwise.
    pub fn whole(self) -> Result<Self, WireError> {
        match self.ending.as_error(self.timing) {
            None => Ok(self),
            Some(error) => Err(error),
        }
    }
}

/// How the body of an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// As its framing announced.
    Clean,
    /// Before its framing said so, or with broken framing; the text says what happened.
    Torn(String),
    /// The suite stopped reading because the body grew beyond a bound; at most its first 64 KiB were kept.
    CutByLimit(Cut),
    /// The deadline passed before the end came.
    TimedOut,
}

impl Ending {
    pub fn is_clean(&self) -> bool {
        *self == Self::Clean
    }

    fn as_error(&self, timing: Timing) -> Option<WireError> {
        match self {
            Self::Clean => None,
            Self::Torn(reason) => Some(WireError::Torn { reason: reason.clone() }),
            Self::CutByLimit(Cut::Body { limit }) => Some(WireError::BodyTooLarge { limit: *limit }),
            Self::CutByLimit(Cut::Budget { limit }) => Some(WireError::BudgetSpent { limit: *limit }),
            Self::TimedOut => {
                Some(WireError::NoAnswer { phase: super::Phase::Body, after: timing.end - timing.started })
            }
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clean => f.write_str("ended as announced"),
            Self::Torn(reason) => write!(f, "torn: {reason}"),
            Self::CutByLimit(Cut::Body { limit }) => write!(f, "cut by the limit of {limit} bytes a body"),
            Self::CutByLimit(Cut::Budget { limit }) => {
                write!(f, "cut because the suite holds no more than {limit} bytes of bodies at once")
            }
            Self::TimedOut => f.write_str("unfinished when the deadline passed"),
        }
    }
}

/// Which bound cut a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// [`super::Limits::body`], in bytes.
    Body { limit: usize },
    /// The [`super::Budget`] that all bodies share, in bytes.
    Budget { limit: usize },
}

/// When the parts of an exchange happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// The call began; connecting comes after it.
    pub started: Instant,
    /// The first byte of the request could be written: the connection stood.
    pub connected: Instant,
    /// The request was handed to the kernel in full; `None` when the answer came before.
    pub sent: Option<Instant>,
    /// The head of the final answer was complete.
    pub head: Instant,
    /// The body ended, cleanly or not.
    pub end: Instant,
}

impl Timing {
    /// From the connection's standing to the complete head.
    pub fn to_head(&self) -> Duration {
        self.head - self.connected
    }

    /// From the beginning of the call to the end of the body.
    pub fn total(&self) -> Duration {
        self.end - self.started
    }
}
