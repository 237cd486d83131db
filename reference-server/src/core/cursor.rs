//! Cursors: interval numbers that keep caches from answering for ever (section 10.1).

use std::time::Duration;

use jiff::Timestamp;

use crate::sabotage::{Switch, Switches};

/// How time is cut into intervals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intervals {
    /// Length of one interval; the protocol's default is 20 s.
    pub length: Duration,
    /// Where interval 0 begins; the protocol's default is 2024-10-09T00:00:00Z.
    pub epoch: Timestamp,
}

impl Intervals {
    /// The number of whole intervals since the epoch; 0 before it.
    pub fn number_at(&self, now: Timestamp) -> u128 {
        let elapsed = u128::try_from(now.duration_since(self.epoch).as_nanos()).unwrap_or(0);
        elapsed / self.length.as_nanos().max(1)
    }
}

impl Default for Intervals {
    fn default() -> Self {
        Self {
            length: Duration::from_secs(20),
            epoch: "2024-10-09T00:00:00Z".parse().expect("a fixed timestamp"),
        }
    }
}

/// The shortest advance past a client's cursor, in seconds.
pub const SHORTEST_JITTER: u32 = 1;
/// The longest advance past a client's cursor, in seconds.
pub const LONGEST_JITTER: u32 = 3600;

/// The cursor to send: the current interval or, for a client that is there already, a place
/// `jitter_seconds` beyond its own cursor.
///
/// A client's cursor that is no number of 64 bits was not issued here and is ignored.
pub fn next(
    client: Option<&str>,
    intervals: &Intervals,
    now: Timestamp,
    jitter_seconds: u32,
    switches: Switches,
) -> u128 {
    let current = intervals.number_at(now);
    let client = client.and_then(|text| super::headers::digits(text.as_bytes()));
    match client.map(u128::from) {
        Some(client) if client >= current || switches.on(Switch::CursorBuildsOnClient) => {
            client + advance(intervals, jitter_seconds)
        }
        _ => current,
    }
}

/// Whole intervals that cover the jitter, at least one.
fn advance(intervals: &Intervals, jitter_seconds: u32) -> u128 {
    let jitter = Duration::from_secs(jitter_seconds.into()).as_nanos();
    jitter.div_ceil(intervals.length.as_nanos().max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    fn after(seconds: i64) -> Timestamp {
        Intervals::default().epoch + SignedDuration::from_secs(seconds)
    }

    fn next_of(client: Option<&str>, jitter: u32) -> u128 {
        next(client, &Intervals::default(), after(20_000), jitter, Switches::NONE)
    }

    #[test]
    fn time_is_counted_in_intervals() {
        let number = |seconds| Intervals::default().number_at(after(seconds));
        assert_eq!([number(0), number(19), number(20), number(20_010)], [0, 0, 1, 1000]);
        assert_eq!(number(-5), 0);
    }

    #[test]
    fn a_client_behind_gets_the_current_interval() {
        assert_eq!(next_of(None, 60), 1000);
        assert_eq!(next_of(Some("999"), 60), 1000);
    }

    #[test]
    fn a_client_at_or_ahead_is_advanced_by_the_jitter() {
        assert_eq!(next_of(Some("1000"), 60), 1003);
        assert_eq!(next_of(Some("2000"), SHORTEST_JITTER), 2001);
        assert_eq!(next_of(Some("2000"), LONGEST_JITTER), 2180);
        let largest = u64::MAX.to_string();
        assert_eq!(next_of(Some(&largest), 1), u128::from(u64::MAX) + 1);
    }

    #[test]
    fn garbage_counts_as_no_cursor() {
        let forty = "9".repeat(40);
        for text in ["", "abc", "-1", "1.5", &forty] {
            assert_eq!(next_of(Some(text), 60), 1000, "{text:?}");
        }
    }
}
