//! When a failed webhook delivery is attempted again (section 7.1).

use std::time::Duration;

use rand::Rng;

use super::config::RetrySchedule;

/// Failures since the last delivery that went through, and when the next attempt is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Backoff {
    failures: u32,
    next_attempt_at: Option<Duration>,
}

impl Backoff {
    /// The schedule after one more failure.
    pub(super) fn after_failure(
        previous: Option<Self>,
        now: Duration,
        schedule: &RetrySchedule,
        rng: &mut impl Rng,
    ) -> Self {
        let failures = previous.map_or(0, |backoff| backoff.failures).saturating_add(1);
        Self { failures, next_attempt_at: Some(now + gap(failures, schedule, rng)) }
    }

    /// When the next attempt is due, or `None` while one is under way.
    pub(super) fn next_attempt_at(&self) -> Option<Duration> {
        self.next_attempt_at
    }

    pub(super) fn attempt_started(&mut self) {
        self.next_attempt_at = None;
    }
}

fn gap(failures: u32, schedule: &RetrySchedule, rng: &mut impl Rng) -> Duration {
    let doublings = failures.saturating_sub(1).min(31);
    let steady = schedule.base.saturating_mul(1 << doublings).min(schedule.cap);
    let jitter = f64::from(schedule.jitter_percent.min(100)) / 100.0;
    steady.mul_f64(1.0 + jitter * rng.random_range(-1.0..=1.0))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn gaps_double_up_to_the_cap_within_the_jitter() {
        let schedule = RetrySchedule::default();
        for seed in 0..50 {
            let mut rng = StdRng::seed_from_u64(seed);
            let mut backoff = None;
            for steady in [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0] {
                let next = Backoff::after_failure(backoff, Duration::from_secs(100), &schedule, &mut rng);
                let gap = next.next_attempt_at().unwrap().as_secs_f64() - 100.0;
                assert!((gap / steady - 1.0).abs() < 0.2001, "{gap} against {steady}");
                backoff = Some(next);
            }
        }
    }

    #[test]
    fn gaps_are_not_all_alike() {
        let gaps: std::collections::BTreeSet<_> = (0..10)
            .map(|seed| {
                let mut rng = StdRng::seed_from_u64(seed);
                Backoff::after_failure(None, Duration::ZERO, &RetrySchedule::default(), &mut rng)
                    .next_attempt_at()
            })
            .collect();
        assert!(gaps.len() > 5);
    }

    #[test]
    fn many_failures_do_not_overflow() {
        let mut rng = StdRng::seed_from_u64(0);
        let schedule = RetrySchedule::default();
        let worn = Backoff { failures: u32::MAX, next_attempt_at: None };
        let next = Backoff::after_failure(Some(worn), Duration::ZERO, &schedule, &mut rng);
        assert!(next.next_attempt_at().unwrap() <= Duration::from_secs(72));
    }
}
