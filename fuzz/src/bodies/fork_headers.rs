//! Fork headers: a source, and a divergence point that needs one.

use streamgauge_reference_server::core::{
    fork::ForkHeaders,
    headers::{STREAM_FORK_OFFSET, STREAM_FORK_SUB_OFFSET, STREAM_FORKED_FROM},
};

use crate::header_lines::{self, Given, Letters, given, number};

pub(crate) const LETTERS: Letters =
    [(b'f', STREAM_FORKED_FROM), (b'o', STREAM_FORK_OFFSET), (b's', STREAM_FORK_SUB_OFFSET)];

pub fn run(data: &[u8]) {
    let headers = header_lines::read(data, &LETTERS);
    let parsed = ForkHeaders::parse(&headers);
    let [source, offset, sub_offset] = LETTERS.map(|(_, name)| given(&headers, &name));
    let source = match (source, &offset, &sub_offset) {
        (Given::Not, Given::Not, Given::Not) => return assert_eq!(parsed, Ok(None)),
        (Given::Once(source), _, _) if is_plain(source) => source,
        _ => return assert!(parsed.is_err(), "{headers:?} was taken"),
    };
    let offset = match offset {
        Given::Not => Some(None),
        Given::Once(token) => position(token).map(Some),
        Given::Again => None,
    };
    let sub_offset = match sub_offset {
        Given::Not => Some(0),
        Given::Once(digits) => plain_number(digits),
        Given::Again => None,
    };
    let (Some(offset), Some(sub_offset)) = (offset, sub_offset) else {
        return assert!(parsed.is_err(), "{headers:?} was taken");
    };
    let fork = parsed.expect("the headers are right").expect("a source makes a fork");
    assert_eq!(fork.source.as_bytes(), source);
    assert_eq!(fork.offset.map(|offset| offset.position()), offset);
    assert_eq!(fork.sub_offset, sub_offset);
}

/// What a header value may hold as text: visible ASCII, blanks and tabs.
fn is_plain(value: &[u8]) -> bool {
    value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
}

fn position(token: &[u8]) -> Option<u64> {
    let digits = token.strip_prefix(b"0000000000000000_")?;
    (digits.len() == 16).then(|| number(digits)).flatten()
}

fn plain_number(digits: &[u8]) -> Option<u64> {
    let has_leading_zero = digits.len() > 1 && digits[0] == b'0';
    (!has_leading_zero).then(|| number(digits)).flatten()
}
