//! Headers as fuzz input: a line each, whose first letter stands for the name. Short names are soon found by chance.

use ::http::{HeaderMap, HeaderName, HeaderValue};

/// The names that letters stand for.
pub(crate) type Letters = [(u8, HeaderName); 3];

const MOST_LINES: usize = 8;

/// Reads lines until one is no header line.
pub(crate) fn read(data: &[u8], letters: &Letters) -> HeaderMap {
    let lines = data.split(|byte| *byte == b'\n').take(MOST_LINES);
    let headers = lines.map_while(|line| {
        let (letter, value) = line.split_first()?;
        let (_, name) = letters.iter().find(|(of_name, _)| of_name == letter)?;
        Some((name.clone(), HeaderValue::from_bytes(value).ok()?))
    });
    let mut map = HeaderMap::with_capacity(4);
    headers.for_each(|(name, value)| {
        map.append(name, value);
    });
    map
}

/// Writes `Name: value` lines as such input; lines with other names are left out.
pub(crate) fn write(text: &str, letters: &Letters) -> Vec<u8> {
    let lines = text.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        let (letter, _) = letters.iter().find(|(_, known)| known.as_str().eq_ignore_ascii_case(name))?;
        Some([&[*letter], value.trim().as_bytes()].concat())
    });
    lines.collect::<Vec<_>>().join(&b'\n')
}

/// The one value of a header: none, one, or too many.
pub(crate) enum Given<'a> {
    Not,
    Once(&'a [u8]),
    Again,
}

pub(crate) fn given<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Given<'a> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Given::Not,
        (Some(value), None) => Given::Once(value.as_bytes()),
        _ => Given::Again,
    }
}

/// Digits, as far as 64 bits go.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    let sum = digits.iter().try_fold(0_u64, |sum, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })?;
    (!digits.is_empty()).then_some(sum)
}
