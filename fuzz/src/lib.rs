//! Fuzz bodies: each takes arbitrary bytes and asserts a property of a parser. They run on stable, as tests on seeded random
//! input, and are what a coverage-guided fuzzer calls.

mod event_stream;
mod fixture;
mod json_body;
mod offset;

/// A fuzz body and its name.
#[derive(Clone, Copy, Debug)]
pub struct Body {
    pub name: &'static str,
    /// Panics where the property does not hold.
    pub run: fn(&[u8]),
}

/// All bodies.
pub const BODIES: [Body; 4] = [
    Body { name: "offset", run: offset::run },
    Body { name: "json_body", run: json_body::run },
    Body { name: "sse_parse", run: event_stream::run },
    Body { name: "fixture", run: fixture::run },
];
