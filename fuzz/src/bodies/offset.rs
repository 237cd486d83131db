//! Offset tokens: one spelling each, no reserved word among them, and they sort as the positions do.

use streamgauge_reference_server::core::offset::{Offset, OffsetToken, ReadStart};

const LONGEST_TOKEN: usize = 256;
const END_OF_SPACE: u64 = 10_000_000_000_000_000;

pub fn run(data: &[u8]) {
    let positions = data.chunks_exact(8).take(4).map(|chunk| {
        let bytes = chunk.try_into().expect("eight bytes");
        u64::from_le_bytes(bytes) % END_OF_SPACE
    });
    let tokens = positions.map(|position| Offset::at(position).token());
    in_order(tokens);
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = text.split('\n').take(16).filter_map(|token| {
        let token_again = Offset::at(read(token)?).token();
        assert_eq!(token_again.as_str(), token, "a position has one token");
        Some(token_again)
    });
    in_order(read);
}

/// The position that a token stands for, as the server reads it and as the form of tokens says.
fn read(token: &str) -> Option<u64> {
    let parsed = Offset::parse(token).ok();
    assert_eq!(parsed.map(Offset::position), meant_by(token), "{token:?}");
    let start = ReadStart::parse(token).ok();
    match token {
        "-1" => assert_eq!(start, Some(ReadStart::Beginning)),
        "now" => assert_eq!(start, Some(ReadStart::Now)),
        _ => assert_eq!(start, parsed.map(ReadStart::At), "{token:?}"),
    }
    parsed.map(Offset::position)
}

/// Sixteen zeros, an underscore, sixteen digits.
fn meant_by(token: &str) -> Option<u64> {
    let digits = token.strip_prefix("0000000000000000_")?;
    if digits.len() != 16 {
        return None;
    }
    digits
        .bytes()
        .try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u64::from(digit - b'0')))
}

fn in_order(tokens: impl Iterator<Item = OffsetToken>) {
    let mut last: Option<OffsetToken> = None;
    for issued in tokens {
        let token = issued.as_str();
        let offset = Offset::parse(token).expect("an issued token is taken");
        assert!(token.len() < LONGEST_TOKEN);
        assert!(!token.contains([',', '&', '=', '?', '/']), "{token}");
        assert!(token != "-1" && token != "now");
        if let Some(other) = last {
            let other = other.as_str();
            let at = Offset::parse(other).expect("an issued token is taken");
            assert_eq!(other.cmp(token), at.cmp(&offset), "{other} and {token} sort as their positions");
            assert_eq!(other.len(), token.len(), "tokens of one stream have one length");
        }
        last = Some(issued);
    }
}
