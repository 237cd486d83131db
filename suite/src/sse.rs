//! A strict parser of event streams (`text/event-stream`, as the WHATWG HTML standard defines them).
//!
//! It gives what a browser would dispatch and, beside it, what a browser would hide: the lines as they were,
//! comments, blocks that dispatch nothing, bytes that are not UTF-8, an event left unfinished. Bytes are pushed
//! in as they come; how they were split makes no difference to what comes out.

mod line;
mod parser;

use std::{ops::Range, sync::Arc};

use thiserror::Error;

pub use self::line::{Line, LineEnd, LineEnds};
pub use self::parser::Parser;

/// What a stream is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    Event(Event),
    Comment(Comment),
}

impl Item {
    /// About how many bytes of memory the item takes.
    pub fn footprint(&self) -> usize {
        let heap = match self {
            Self::Event(event) => event.footprint(),
            Self::Comment(comment) => comment.text.len(),
        };
        size_of::<Self>() + heap
    }
}

/// A block of fields, ended by an empty line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The last `event` field; `None` when there is none, which means the type `message`, as does an empty one.
    pub name: Option<String>,
    /// The `data` fields, joined with LF; `None` when there is none, and then nothing is dispatched.
    pub data: Option<String>,
    /// The last `id` field that has no NUL in it.
    pub id: Option<String>,
    /// The last `retry` field that has digits only, in milliseconds; those too large for the type become its maximum.
    pub retry: Option<u64>,
    /// The id that a client holds after this event: its own or that of an earlier one.
    pub last_event_id: Arc<str>,
    /// The fields as they were, in order, unknown ones included; neither comments nor the empty line.
    pub lines: Vec<Line>,
    /// Offsets in the stream, from the first field to the beginning of the empty line.
    pub at: Range<u64>,
    /// The offset of the first line with bytes that are not UTF-8. In the texts above such bytes are U+FFFD; `lines`
    /// has them unchanged.
    pub invalid_utf8: Option<u64>,
}

impl Event {
    /// Whether a client hands this event to the application.
    pub fn is_dispatched(&self) -> bool {
        self.data.is_some()
    }

    /// The type under which a client hands it to the application.
    pub fn kind(&self) -> &str {
        self.name.as_deref().filter(|name| !name.is_empty()).unwrap_or("message")
    }

    fn footprint(&self) -> usize {
        let texts = [&self.name, &self.data, &self.id].into_iter().flatten().map(String::len).sum::<usize>();
        let lines = self.lines.iter().map(|line| size_of::<Line>() + line.raw.len()).sum::<usize>();
        texts + lines
    }
}

/// A line that begins with a colon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// What follows the colon, unchanged.
    pub text: Vec<u8>,
    /// The offset of the colon in the stream.
    pub at: u64,
    /// Whether it stands between the fields of an event.
    pub inside_event: bool,
}

/// Bounds on what a parser keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in a line.
    pub line: usize,
    /// Lines in an event.
    pub lines: usize,
    /// Bytes in the lines of an event.
    pub event: usize,
    /// Bytes of memory that items not yet taken out may use.
    pub waiting: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let mib = 1024 * 1024;
        Self { line: 8 * mib, lines: 64 * 1024, event: 8 * mib, waiting: 17 * mib }
    }
}

/// A bound that the stream went beyond. The parser takes nothing more; what it found before can still be taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SseError {
    #[error("the line at byte {at} of the event stream is longer than {limit} bytes")]
    LineTooLong { at: u64, limit: usize },
    #[error("the event at byte {at} of the event stream has more than {limit} lines")]
    TooManyLines { at: u64, limit: usize },
    #[error("the event at byte {at} of the event stream is larger than {limit} bytes")]
    EventTooLarge { at: u64, limit: usize },
    #[error("up to byte {at} of the event stream, more events wait than fit into {limit} bytes")]
    TooMuchWaiting { at: u64, limit: usize },
}

/// What is left when a stream has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// The fields of an event that no empty line ended, which clients discard.
    pub unfinished: Vec<Line>,
    /// A last line without a line end.
    pub partial_line: Vec<u8>,
    /// How many lines ended in which way.
    pub line_ends: LineEnds,
    /// Whether the stream began with a byte order mark.
    pub byte_order_mark: bool,
    /// Bytes in the stream.
    pub size: u64,
}

impl Tail {
    /// Whether the stream ended in the middle of an event or of a line.
    pub fn is_torn(&self) -> bool {
        !self.unfinished.is_empty() || !self.partial_line.is_empty()
    }
}
