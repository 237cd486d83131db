//! Random input on stable: seeds and words, put together and changed. A seed of its own repeats it.

use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

use crate::Body;

const MOST_PIECES: usize = 12;
const MOST_CHANGES: usize = 6;
const LONGEST: usize = 4096;

/// Makes inputs for one body, the same ones for the same seed.
pub struct Mutator {
    random: StdRng,
    seeds: Vec<Vec<u8>>,
    words: &'static [&'static str],
}

impl Mutator {
    /// Begins with the body's own seeds and words.
    pub fn new(body: &Body, seed: u64) -> Self {
        Self { random: StdRng::seed_from_u64(seed), seeds: body.seeds(), words: body.dictionary }
    }

    /// The next input.
    pub fn next_input(&mut self) -> Vec<u8> {
        let mut input = match self.random.random_bool(0.6) {
            true => self.seeds.choose(&mut self.random).cloned().unwrap_or_else(|| self.pieces()),
            false => self.pieces(),
        };
        for _ in 0..self.random.random_range(0..=MOST_CHANGES) {
            self.change(&mut input);
        }
        input.truncate(LONGEST);
        input
    }

    fn pieces(&mut self) -> Vec<u8> {
        let mut input = Vec::new();
        for _ in 0..self.random.random_range(0..MOST_PIECES) {
            self.extend(&mut input);
        }
        input
    }

    fn extend(&mut self, input: &mut Vec<u8>) {
        match self.words.choose(&mut self.random) {
            Some(word) if self.random.random_bool(0.6) => input.extend_from_slice(word.as_bytes()),
            _ => {
                let length = self.random.random_range(1..16);
                input.extend((0..length).map(|_| self.random.random::<u8>()));
            }
        }
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.random.random_range(0..=input.len());
        match self.random.random_range(0..5) {
            0 if at < input.len() => input[at] = self.random.random(),
            1 if at < input.len() => input[at] ^= 1 << self.random.random_range(0..8),
            2 => input.truncate(at),
            3 if at < input.len() => {
                let end = self.random.random_range(at..=input.len());
                let copy = input[at..end].to_owned();
                input.splice(at..at, copy);
            }
            _ => {
                let mut piece = Vec::new();
                self.extend(&mut piece);
                input.splice(at..at, piece);
            }
        }
    }
}
