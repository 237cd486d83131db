//! `Stream-Expires-At`: RFC 3339 and nothing else, read as the instant that it names.

use ::http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use streamgauge_reference_server::core::{
    headers::STREAM_EXPIRES_AT,
    ttl::{ExpiresAt, Expiry},
};

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let parsed = ExpiresAt::parse(text).ok();
    match (&parsed, meant_by(data)) {
        (None, None) => {}
        (Some(parsed), Some(meant)) => {
            assert_eq!(parsed.as_str(), text, "the spelling is kept");
            meant.check(parsed.instant(), text);
        }
        (Some(parsed), None) => panic!("{text:?} is no RFC 3339, and was read as {}", parsed.instant()),
        (None, Some(meant)) => assert!(meant.may_be_refused(), "{text:?} is RFC 3339, and was refused"),
    }
    let Ok(value) = HeaderValue::from_bytes(data) else { return };
    let mut headers = HeaderMap::with_capacity(1);
    headers.insert(STREAM_EXPIRES_AT, value);
    let expiry = Expiry::parse(&headers).ok().flatten();
    let deadline = expiry.and_then(|expiry| expiry.deadline(Timestamp::MIN));
    assert_eq!(deadline, parsed.map(|parsed| parsed.instant()), "the header is read as its value is");
}

/// An instant by the text's own digits.
struct Meant {
    seconds: i64,
    nanoseconds: i32,
    is_leap_second: bool,
}

impl Meant {
    fn check(&self, instant: Timestamp, text: &str) {
        if self.is_leap_second {
            // Clocks without leap seconds put it into the second before or after.
            assert!((self.seconds - 1..=self.seconds).contains(&instant.as_second()), "{text:?}: {instant}");
            return;
        }
        let nanoseconds = i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanoseconds);
        assert_eq!(instant.as_nanosecond(), nanoseconds, "{text:?}");
    }

    /// Beyond the calendar, or in a second that most minutes do not have.
    fn may_be_refused(&self) -> bool {
        let calendar = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
        self.is_leap_second || !calendar.contains(&self.seconds)
    }
}

/// The grammar of RFC 3339, section 5.6, with the limits of section 5.7.
fn meant_by(text: &[u8]) -> Option<Meant> {
    let mut rest = text;
    let year = number(&mut rest, 4)?;
    literal(&mut rest, b"-")?;
    let month = number(&mut rest, 2).filter(|month| (1..=12).contains(month))?;
    literal(&mut rest, b"-")?;
    let day = number(&mut rest, 2).filter(|day| (1..=days_in(year, month)).contains(day))?;
    literal(&mut rest, b"Tt")?;
    let (hour, minute) = clock(&mut rest)?;
    literal(&mut rest, b":")?;
    let second = number(&mut rest, 2).filter(|second| *second <= 60)?;
    let nanoseconds = fraction(&mut rest)?;
    let offset = match rest.split_first()? {
        (b'Z' | b'z', []) => 0,
        (sign @ (b'+' | b'-'), zone) => {
            let mut zone = zone;
            let (hours, minutes) = clock(&mut zone)?;
            if !zone.is_empty() {
                return None;
            }
            let seconds = hours * 3600 + minutes * 60;
            if *sign == b'+' { seconds } else { -seconds }
        }
        _ => return None,
    };
    let seconds = days_before(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset;
    Some(Meant { seconds, nanoseconds, is_leap_second: second == 60 })
}

fn number(rest: &mut &[u8], digits: usize) -> Option<i64> {
    let (number, behind) = rest.split_at_checked(digits)?;
    *rest = behind;
    number.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
}

fn literal(rest: &mut &[u8], one_of: &[u8]) -> Option<()> {
    let (first, behind) = rest.split_first()?;
    *rest = behind;
    one_of.contains(first).then_some(())
}

fn clock(rest: &mut &[u8]) -> Option<(i64, i64)> {
    let hour = number(rest, 2).filter(|hour| *hour <= 23)?;
    literal(rest, b":")?;
    let minute = number(rest, 2).filter(|minute| *minute <= 59)?;
    Some((hour, minute))
}

/// Nanoseconds; digits behind the ninth are cut.
fn fraction(rest: &mut &[u8]) -> Option<i32> {
    let Some(digits) = rest.strip_prefix(b".") else { return Some(0) };
    let length = digits.iter().take_while(|digit| digit.is_ascii_digit()).count();
    let (digits, behind) = digits.split_at(length);
    *rest = behind;
    let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(9);
    (length > 0).then(|| padded.fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0')))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01, counted year by leap year.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let leap_years_before = |year: i64| (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
    let years = 365 * (year - 1970) + leap_years_before(year) - leap_years_before(1970);
    let months: i64 = (1..month).map(|month| days_in(year, month)).sum();
    years + months + day - 1
}
