/// A line of a field, as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Without its end.
    pub raw: Vec<u8>,
    pub end: LineEnd,
    /// The offset of its first byte in the stream.
    pub at: u64,
}

impl Line {
    /// About what a line costs beside its bytes: a place in a list, and no allocation is smaller than 32 bytes.
    pub const PRICE: usize = size_of::<Self>() + 32;

    /// What stands before the first colon, or the whole line if there is none.
    pub fn name(&self) -> &[u8] {
        self.colon().map_or(&self.raw, |colon| &self.raw[..colon])
    }

    /// What stands after the first colon, without one blank.
    pub fn value(&self) -> &[u8] {
        let after = self.colon().map_or(&[][..], |colon| &self.raw[colon + 1..]);
        after.strip_prefix(b" ").unwrap_or(after)
    }

    /// Whether a blank, which belongs to no value, follows the colon.
    pub fn has_blank_after_colon(&self) -> bool {
        self.colon().is_some_and(|colon| self.raw.get(colon + 1) == Some(&b' '))
    }

    /// Where the first colon is.
    pub fn colon(&self) -> Option<usize> {
        self.raw.iter().position(|byte| *byte == b':')
    }
}

/// What ends a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    Lf,
    Cr,
    CrLf,
}

/// How many lines ended in which way, empty ones and comments included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineEnds {
    pub lf: u64,
    pub cr: u64,
    pub crlf: u64,
}
