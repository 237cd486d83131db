//! Every body for a moment, on random input that a seed repeats and on a few telling ones.

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use streamgauge_fuzz::BODIES;

/// Pieces that random bytes rarely form by themselves.
const WORDS: [&str; 24] = [
    "0000000000000000_0000000000000042",
    "-1",
    "now",
    "_",
    "\n",
    "[",
    "]",
    ",",
    "{",
    "}",
    "\"a\":",
    "1e400",
    "\"\\ud800\"",
    "12345678901234567890.5",
    "data:",
    "event: control",
    "\r",
    "\r\n",
    ": ",
    "\u{feff}",
    "- id: a",
    "&anchor",
    "*anchor",
    "null",
];

#[test]
fn every_body_holds_on_random_input() {
    for body in BODIES {
        let mut random = StdRng::seed_from_u64(0x5eed);
        for _ in 0..3_000 {
            let mut input = Vec::new();
            for _ in 0..random.random_range(0..12) {
                match random.random_bool(0.6) {
                    true => input.extend_from_slice(WORDS[random.random_range(0..WORDS.len())].as_bytes()),
                    false => input.push(random.random()),
                }
            }
            (body.run)(&input);
        }
    }
}

#[test]
fn names_are_unique() {
    let mut names: Vec<&str> = BODIES.iter().map(|body| body.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), BODIES.len());
}
