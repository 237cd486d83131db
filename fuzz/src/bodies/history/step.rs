//! What can happen in a history.

/// Few streams, so that they meet.
pub(super) const PATHS: [&str; 4] = ["a", "b", "c", "a/d"];

#[derive(Debug)]
pub(super) enum Step<'a> {
    Create(CreateStep<'a>),
    Append(AppendStep<'a>),
    Read(Path, Start),
    Look(Path),
    Delete(Path),
    /// Seconds.
    Wait(u8),
    Sweep,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Path(pub(super) &'static str);

#[derive(Debug)]
pub(super) struct CreateStep<'a> {
    pub(super) path: Path,
    pub(super) content_type: Option<Type>,
    pub(super) lifetime: Option<LifetimeAsked>,
    pub(super) closed: bool,
    pub(super) fork: Option<ForkStep>,
    pub(super) body: Body<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Json,
    Text,
    Binary,
}

impl Type {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Text => "text/plain",
            Self::Binary => "application/octet-stream",
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum LifetimeAsked {
    Sliding(u8),
    /// Seconds from now.
    For(u8),
}

/// A lifetime in seconds since the start of the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lifetime {
    Sliding(u64),
    Until(u64),
}

impl LifetimeAsked {
    pub(super) fn at(self, now: u64) -> Lifetime {
        match self {
            Self::Sliding(seconds) => Lifetime::Sliding(seconds.into()),
            Self::For(seconds) => Lifetime::Until(now + u64::from(seconds)),
        }
    }
}

#[derive(Debug)]
pub(super) struct ForkStep {
    pub(super) source: Path,
    pub(super) offset: Option<Place>,
    pub(super) sub_offset: u8,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Start {
    Beginning,
    Now,
    At(Place),
}

/// A place in a stream, often right, sometimes just beyond it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place(pub(super) u8);

impl Place {
    pub(super) fn near(self, tail: u64) -> u64 {
        u64::from(self.0) % (tail + 2)
    }
}

#[derive(Debug)]
pub(super) struct AppendStep<'a> {
    pub(super) path: Path,
    pub(super) label: Label,
    pub(super) body: Body<'a>,
    pub(super) close: bool,
    pub(super) seq: Option<u8>,
    pub(super) producer: Option<Producer>,
}

/// What type an append says it has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Label {
    /// That of the stream.
    Right,
    None,
    This(Type),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Producer {
    pub(super) id: &'static str,
    pub(super) epoch: u8,
    pub(super) seq: u8,
}

/// Bytes that are a body by themselves, or make JSON messages.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body<'a> {
    Nothing,
    Bytes(&'a [u8]),
}

impl Body<'_> {
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Nothing => &[],
            Self::Bytes(bytes) => bytes,
        }
    }

    /// A message for each byte: a number, a string or an array.
    pub(super) fn messages(&self) -> Vec<String> {
        let message = |byte: &u8| match byte % 4 {
            0 => format!("\"{byte},]\""),
            1 => format!("[{byte},[]]"),
            _ => byte.to_string(),
        };
        self.bytes().iter().take(8).map(message).collect()
    }
}
