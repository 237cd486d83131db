//! Offsets: opaque, fixed-width, sortable tokens (protocol section 8).

use std::fmt;

use super::{error::Malformed, offset_form::OffsetForm};

/// A position between two bytes of a stream, counted from its beginning.
///
/// A fork counts on from where it left its source, so both share one offset space. The token is
/// two groups of sixteen digits; the first is constant today and leaves room for a later layout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(u64);

const GROUP: usize = 16;
const TOKEN_LENGTH: usize = 2 * GROUP + 1;

impl Offset {
    /// The beginning of every stream; the tail of an empty one.
    pub const START: Self = Self(0);

    /// No position lies here or beyond.
    pub(crate) const END_OF_SPACE: u64 = 10_u64.pow(GROUP as u32);

    /// The offset after `position` bytes.
    ///
    /// # Panics
    /// When the position does not fit into the token, which would take ten petabytes.
    pub fn at(position: u64) -> Self {
        assert!(position < Self::END_OF_SPACE, "the offset space ends at {}", Self::END_OF_SPACE);
        Self(position)
    }

    /// Bytes before this offset.
    pub fn position(self) -> u64 {
        self.0
    }

    /// Reads a token as this server issues them.
    ///
    /// # Errors
    /// Any other text, the sentinels `-1` and `now` included, is malformed.
    pub fn parse(token: &str) -> Result<Self, Malformed> {
        let (layout, position) = token.split_once('_').ok_or(Malformed::Offset)?;
        match (parse_group(layout), parse_group(position)) {
            (Some(0), Some(position)) => Ok(Self(position)),
            _ => Err(Malformed::Offset),
        }
    }

    /// The token's text, on the stack.
    pub fn token(self) -> OffsetToken {
        let mut text = [b'0'; TOKEN_LENGTH];
        text[GROUP] = b'_';
        let mut rest = self.0;
        for digit in text[GROUP + 1..].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        OffsetToken(text)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.token().as_str())
    }
}

/// The text of an [`Offset`].
#[derive(Clone, Copy)]
pub struct OffsetToken([u8; TOKEN_LENGTH]);

impl OffsetToken {
    /// Digits and one underscore.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("an offset token is ASCII")
    }
}

/// Where a read begins: the `offset` query parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadStart {
    /// `-1`: everything from the first byte.
    Beginning,
    /// `now`: only what is appended after the request.
    Now,
    /// A token issued earlier.
    At(Offset),
}

impl ReadStart {
    /// Reads the value of the `offset` parameter, percent-decoded.
    ///
    /// # Errors
    /// Neither a sentinel nor a token of this server.
    pub fn parse(value: &str) -> Result<Self, Malformed> {
        Self::parse_with(value, OffsetForm::default())
    }

    /// The same where offsets are spelled in that form.
    ///
    /// # Errors
    /// Likewise.
    pub fn parse_with(value: &str, form: OffsetForm) -> Result<Self, Malformed> {
        match value {
            "-1" => Ok(Self::Beginning),
            "now" => Ok(Self::Now),
            token => form.read(token).map(Self::At),
        }
    }
}

fn parse_group(digits: &str) -> Option<u64> {
    let well_formed = digits.len() == GROUP && digits.bytes().all(|byte| byte.is_ascii_digit());
    well_formed.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_sort_as_their_positions_do() {
        let positions = [0, 1, 9, 10, 99, 100, 4096, 10_000_000_000, Offset::END_OF_SPACE - 1];
        let tokens = positions.map(|position| Offset::at(position).to_string());
        assert!(tokens.is_sorted());
        for (position, token) in positions.iter().zip(&tokens) {
            assert_eq!(Offset::parse(token), Ok(Offset::at(*position)));
        }
    }

    #[test]
    fn anything_but_an_issued_token_is_malformed() {
        let token = Offset::START.to_string();
        for text in [
            "",
            "-1",
            "now",
            "0",
            "_",
            "9999999999999999_9999999999999999",
            "0000000000000000_000000000000000",
            "0000000000000000_00000000000000000",
            "0000000000000000-0000000000000000",
            "0000000000000000_+000000000000001",
            "0000000000000000_000000000000000٣",
        ] {
            assert_eq!(Offset::parse(text), Err(Malformed::Offset), "{text:?}");
        }
        for tail in ["\0", "\n", " ", "/..", ","] {
            assert!(Offset::parse(&format!("{token}{tail}")).is_err());
        }
    }

    #[test]
    fn sentinels_are_read_starts_and_never_tokens() {
        assert_eq!(ReadStart::parse("-1"), Ok(ReadStart::Beginning));
        assert_eq!(ReadStart::parse("now"), Ok(ReadStart::Now));
        assert_eq!(ReadStart::parse("NOW"), Err(Malformed::Offset));
    }
}
