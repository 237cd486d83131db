//! How offsets are spelled: tokens are opaque, so any spelling is right that sorts as the positions do
//! (protocol section 8).

use serde::Deserialize;

use super::{error::Malformed, offset::Offset};

/// A spelling of offsets. A server uses one for all of its streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OffsetForm {
    /// Two groups of sixteen digits: `0000000000000000_0000000000000042`.
    #[default]
    Digits,
    /// Twelve small letters: `aaaaaaaaaabq`.
    Letters,
    /// Two hundred digits.
    Long,
    /// Digits and letters of either case, with every mark that needs no encoding: `.~-_0000-0000g~`.
    Marks,
    /// As short as may be: a letter that tells how many digits follow, and those: `a0`, `b42`.
    Growing,
}

const SMALL_LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const DIGITS_AND_LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Enough for the whole offset space.
const LETTERS: usize = 12;
const LONG: usize = 200;
const HALF: usize = 5;
const MARKS_IN_FRONT: &str = ".~-_";

impl OffsetForm {
    /// The token of an offset.
    pub fn write(self, offset: Offset) -> String {
        let position = offset.position();
        match self {
            Self::Digits => offset.to_string(),
            Self::Letters => in_base(SMALL_LETTERS, LETTERS, position),
            Self::Long => format!("{position:0LONG$}"),
            Self::Marks => {
                let digits = in_base(DIGITS_AND_LETTERS, 2 * HALF, position);
                let (front, back) = digits.split_at(HALF);
                format!("{MARKS_IN_FRONT}{front}-{back}~")
            }
            Self::Growing => {
                let digits = position.to_string();
                format!("{}{digits}", SMALL_LETTERS[digits.len() - 1] as char)
            }
        }
    }

    /// Reads a token as [`write`](Self::write) makes it.
    ///
    /// # Errors
    /// Any other text, the sentinels `-1` and `now` included, is malformed.
    pub fn read(self, token: &str) -> Result<Offset, Malformed> {
        if self == Self::Digits {
            return Offset::parse(token);
        }
        // What was read too leniently is not written like that.
        let position = self.position(token).filter(|position| *position < Offset::END_OF_SPACE);
        let offset = position.map(Offset::at).filter(|offset| self.write(*offset) == token);
        offset.ok_or(Malformed::Offset)
    }

    fn position(self, token: &str) -> Option<u64> {
        match self {
            Self::Digits | Self::Long => token.trim_start_matches('0').parse().ok().or(Some(0)),
            Self::Letters => from_base(SMALL_LETTERS, token),
            Self::Marks => {
                let digits = token.strip_prefix(MARKS_IN_FRONT)?.strip_suffix('~')?;
                let (front, back) = digits.split_once('-')?;
                from_base(DIGITS_AND_LETTERS, &format!("{front}{back}"))
            }
            Self::Growing => token.get(1..)?.parse().ok(),
        }
    }
}

/// A number in as many digits of that alphabet.
fn in_base(alphabet: &[u8], width: usize, mut number: u64) -> String {
    let base = alphabet.len() as u64;
    let mut digits = vec![alphabet[0]; width];
    for digit in digits.iter_mut().rev() {
        *digit = alphabet[(number % base) as usize];
        number /= base;
    }
    digits.into_iter().map(char::from).collect()
}

fn from_base(alphabet: &[u8], text: &str) -> Option<u64> {
    text.bytes().try_fold(0_u64, |number, byte| {
        let digit = alphabet.iter().position(|known| *known == byte)?;
        number.checked_mul(alphabet.len() as u64)?.checked_add(digit as u64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMS: [OffsetForm; 5] =
        [OffsetForm::Digits, OffsetForm::Letters, OffsetForm::Long, OffsetForm::Marks, OffsetForm::Growing];

    #[test]
    fn tokens_of_every_form_sort_as_their_positions_do() {
        let positions = [0, 1, 9, 10, 61, 62, 99, 100, 4096, 10_000_000_000, Offset::END_OF_SPACE - 1];
        for form in FORMS {
            let tokens = positions.map(|position| form.write(Offset::at(position)));
            assert!(tokens.is_sorted(), "{tokens:?}");
            for (position, token) in positions.iter().zip(&tokens) {
                assert_eq!(form.read(token), Ok(Offset::at(*position)), "{token}");
                assert!(token.len() < 256 && token != "-1" && token != "now", "{token}");
                assert!(!token.contains([',', '&', '=', '?', '/']), "{token}");
            }
        }
    }

    #[test]
    fn no_form_reads_what_it_does_not_write() {
        for form in FORMS {
            let token = form.write(Offset::at(42));
            let longer = format!("{token}0");
            let shorter = &token[..token.len() - 1];
            for text in ["", "-1", "now", "0", "a", "a,b", "\0", "ä", "zzzzzzzzzzzzzzzz", &longer, shorter] {
                assert_eq!(form.read(text), Err(Malformed::Offset), "{form:?} {text:?}");
            }
            for other in FORMS.into_iter().filter(|other| *other != form) {
                assert!(other.read(&token).is_err(), "{other:?} reads {token}");
            }
        }
    }
}
