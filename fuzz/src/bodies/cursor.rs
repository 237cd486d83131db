//! Cursors: the current interval, or a place strictly beyond a client that is there already.

use arbitrary::Unstructured;
use jiff::{SignedDuration, Timestamp};
use streamgauge_reference_server::{
    core::cursor::{self, Intervals, LONGEST_JITTER, SHORTEST_JITTER},
    sabotage::Switches,
};

const SECOND: u128 = 1_000_000_000;

/// Layout: 8 bytes the length of an interval in nanoseconds, 4 bytes seconds since the epoch, 2 bytes jitter in
/// seconds, then the client's cursor.
pub fn run(data: &[u8]) {
    let mut source = Unstructured::new(data);
    let Ok((length, after, jitter)) = source.arbitrary::<(u64, i32, u16)>() else { return };
    let Ok(client) = std::str::from_utf8(source.take_rest()) else { return };
    let intervals = Intervals { length: std::time::Duration::from_nanos(length), ..Intervals::default() };
    let length = u128::from(length.max(1));
    let now: Timestamp = intervals.epoch + SignedDuration::from_secs(after.into());
    let jitter = u32::from(jitter).clamp(SHORTEST_JITTER, LONGEST_JITTER);
    let next = |client| cursor::next(client, &intervals, now, jitter, Switches::NONE);

    let current = after.max(0) as u128 * SECOND / length;
    assert_eq!(next(None), current, "a new client is told the current interval");
    let told = next(Some(client));
    match meant_by(client) {
        Some(client) if client >= current => {
            assert!(told > client, "a client never sees its own cursor again");
            let furthest = client + (u128::from(jitter) * SECOND).div_ceil(length).max(1);
            assert_eq!(told, furthest, "the jitter, in whole intervals");
        }
        _ => assert_eq!(told, current, "{client:?} is behind, or no cursor"),
    }
    assert!(told >= current, "cursors never go back");
}

/// Digits, as far as 64 bits go.
fn meant_by(text: &str) -> Option<u128> {
    let sum = text.bytes().try_fold(0_u128, |sum, digit| {
        let sum = sum * 10 + u128::from(digit.wrapping_sub(b'0'));
        (digit.is_ascii_digit() && sum <= u128::from(u64::MAX)).then_some(sum)
    })?;
    (!text.is_empty()).then_some(sum)
}
