//! Lengths of time and sizes, for people.

use std::time::Duration;

/// A length of time with about three significant digits: `0.8 ms`, `12 ms`, `1.24 s`, `2 min 3 s`.
pub(super) fn time(duration: Duration) -> String {
    let milliseconds = duration.as_secs_f64() * 1000.0;
    if milliseconds < 9.95 {
        format!("{milliseconds:.1} ms")
    } else if milliseconds < 999.5 {
        format!("{milliseconds:.0} ms")
    } else if milliseconds < 9_995.0 {
        format!("{:.2} s", milliseconds / 1000.0)
    } else if milliseconds < 59_950.0 {
        format!("{:.1} s", milliseconds / 1000.0)
    } else {
        let seconds = duration.as_secs_f64().round() as u64;
        format!("{} min {} s", seconds / 60, seconds % 60)
    }
}

/// A number with its noun: `1 case`, `12 cases`.
pub(super) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_keeps_about_three_digits() {
        let shown = |micros| time(Duration::from_micros(micros));
        assert_eq!(shown(0), "0.0 ms");
        assert_eq!(shown(840), "0.8 ms");
        assert_eq!(shown(9_960), "10 ms");
        assert_eq!(shown(999_600), "1.00 s");
        assert_eq!(shown(1_240_000), "1.24 s");
        assert_eq!(shown(20_640_000), "20.6 s");
        assert_eq!(shown(59_960_000), "1 min 0 s");
        assert_eq!(shown(123_000_000), "2 min 3 s");
    }

    #[test]
    fn one_is_singular() {
        assert_eq!([0, 1, 2].map(|n| count(n, "case")), ["0 cases", "1 case", "2 cases"]);
    }
}
