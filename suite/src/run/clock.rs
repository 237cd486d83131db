//! The target's clock, as far as its answers tell.

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};

use crate::wire::Headers;

/// A Date tells whole seconds and takes time to arrive: a smaller difference is none.
const UNTOLD: SignedDuration = SignedDuration::from_secs(2);

/// The middle of the second that a Date stands for.
const HALF_A_SECOND: SignedDuration = SignedDuration::from_millis(500);

/// How far the target's clock is ahead of ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    ahead: SignedDuration,
}

impl Clock {
    /// The clock that an answer's Date tells, when it comes at `now`; ours, where it tells none or nearly ours.
    pub(super) fn told_by(headers: &Headers, now: Timestamp) -> Self {
        let date = headers
            .text("Date")
            .and_then(|text| rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok());
        let ahead = date.map_or(SignedDuration::ZERO, |date| date.duration_since(now) + HALF_A_SECOND);
        if ahead.abs() > UNTOLD { Self { ahead } } else { Self::default() }
    }

    /// What the target's clock shows when ours shows this.
    pub(super) fn at(self, ours: Timestamp) -> Result<Timestamp, jiff::Error> {
        ours.checked_add(self.ahead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(date: Option<&str>) -> String {
        let now: Timestamp = "2026-11-21T12:00:00.25Z".parse().expect("an instant");
        let mut headers = Headers::default();
        if let Some(date) = date {
            headers.push("Date", date.to_owned());
        }
        Clock::told_by(&headers, now).at(now).expect("an instant").to_string()
    }

    #[test]
    fn a_clock_that_differs_is_followed() {
        assert_eq!(told(Some("Sat, 21 Nov 2026 13:00:00 GMT")), "2026-11-21T13:00:00.5Z");
        assert_eq!(told(Some("Sat, 21 Nov 2026 11:59:50 GMT")), "2026-11-21T11:59:50.5Z");
    }

    #[test]
    fn a_clock_that_nearly_agrees_or_tells_nothing_is_ours() {
        for date in
            [Some("Sat, 21 Nov 2026 12:00:01 GMT"), Some("Sat, 21 Nov 2026 11:59:59 GMT"), Some("noon"), None]
        {
            assert_eq!(told(date), "2026-11-21T12:00:00.25Z", "{date:?}");
        }
    }
}
