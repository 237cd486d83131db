//! When to give memory back.

use super::Census;

/// So much must have been let go; less is soon used again.
const WORTH_IT: u64 = 8 << 20;

/// What a stream and a connection take beside content, in bytes, roughly.
const STREAM: u64 = 1 << 10;
const CONNECTION: u64 = 16 << 10;

/// How much the server has held since it last gave memory back.
#[derive(Default)]
pub(super) struct HighWater {
    highest: u64,
    last: u64,
}

impl HighWater {
    /// Says, at every look, whether much was let go and no more is being let go now.
    pub(super) fn has_fallen(&mut self, census: &Census) -> bool {
        let held = census.bytes + census.streams as u64 * STREAM + census.connections as u64 * CONNECTION;
        let is_falling = held < self.last;
        self.last = held;
        self.highest = self.highest.max(held);
        let has_fallen = !is_falling && self.highest - held >= WORTH_IT;
        if has_fallen {
            self.highest = held;
        }
        has_fallen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_once_after_each_fall() {
        let mut water = HighWater::default();
        let looks = [
            (0, false),
            (10_000, false),
            (10_000, false),
            (5_000, false), // still falling
            (500, false),
            (500, true),
            (500, false),
            (1_000, false),
            (900, false),
            (900, false), // too little
            (20_000, false),
            (0, false),
            (100, true), // the first that come again
        ];
        for (number, (streams, expected)) in looks.into_iter().enumerate() {
            let census = Census { streams, ..Census::default() };
            assert_eq!(water.has_fallen(&census), expected, "look {number}");
        }
    }
}
