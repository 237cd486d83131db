//! Fuzz bodies: each takes arbitrary bytes and asserts a property of a parser or of the protocol's core. They run on stable,
//! as tests on seeds, regressions and seeded random input, and are what a coverage-guided fuzzer calls.

pub mod bodies;
mod dictionary;
mod header_lines;
mod mutate;
mod regressions;
mod seeds;

use bodies::*;

pub use mutate::Mutator;
pub use regressions::{Regression, regressions};

/// Longest input of one value, of some lines, of a text, and of a file.
const VALUE: usize = 64;
const LINES: usize = 128;
const TEXT: usize = 512;
const LONG: usize = 2048;

/// A fuzz body and its name.
#[derive(Clone, Copy, Debug)]
pub struct Body {
    /// The name of its target and of its folders.
    pub name: &'static str,
    /// Panics where the property does not hold.
    pub run: fn(&[u8]),
    /// Words that chance rarely forms.
    pub dictionary: &'static [&'static str],
    /// Longer inputs show nothing new.
    pub longest: usize,
    encode: fn(&str) -> Vec<u8>,
}

impl Body {
    const fn new(name: &'static str, run: fn(&[u8]), dictionary: &'static [&'static str]) -> Self {
        Self { name, run, dictionary, longest: LINES, encode: seeds::as_it_is }
    }

    const fn up_to(self, longest: usize) -> Self {
        Self { longest, ..self }
    }

    const fn with_seeds(self, encode: fn(&str) -> Vec<u8>) -> Self {
        Self { encode, ..self }
    }

    /// The body of that name.
    pub fn named(name: &str) -> Option<Self> {
        BODIES.into_iter().find(|body| body.name == name)
    }

    /// Inputs to begin with: the vectors of the same name, in the form that the body takes.
    pub fn seeds(&self) -> Vec<Vec<u8>> {
        seeds::of(self.name, self.encode)
    }

    /// The dictionary as libFuzzer reads it.
    pub fn dictionary_file(&self) -> String {
        dictionary::file(self.dictionary)
    }
}

/// All bodies.
pub const BODIES: [Body; 17] = [
    Body::new("offset", offset::run, dictionary::OFFSET),
    Body::new("json_body", json_body::run, dictionary::JSON).up_to(TEXT),
    Body::new("sse_write_read", sse_write_read::run, dictionary::SSE).up_to(TEXT),
    Body::new("sse_parse", sse_parse::run, dictionary::SSE).up_to(TEXT).with_seeds(seeds::behind_a_byte),
    Body::new("ttl", ttl::run, dictionary::NUMBER).up_to(VALUE),
    Body::new("expires_at", expires_at::run, dictionary::INSTANT).up_to(VALUE),
    Body::new("cursor", cursor::run, dictionary::NUMBER).up_to(VALUE).with_seeds(seeds::cursor),
    Body::new("producer_headers", producer_headers::run, dictionary::NUMBER).with_seeds(seeds::producer),
    Body::new("content_type", content_type::run, dictionary::MEDIA_TYPE),
    Body::new("etag_if_none_match", etag_if_none_match::run, dictionary::ETAG),
    Body::new("fork_headers", fork_headers::run, dictionary::FORK).with_seeds(seeds::fork),
    Body::new("glob", glob::run, dictionary::GLOB),
    Body::new("webhook_url", webhook_url::run, dictionary::URL).up_to(VALUE),
    Body::new("logs_query", logs_query::run, dictionary::LOGS),
    Body::new("fixture", fixture::run, dictionary::YAML).up_to(LONG).with_seeds(seeds::behind_a_byte),
    Body::new("http_request", http_request::run, dictionary::HTTP).up_to(LONG),
    Body::new("history", history::run, &[]),
];
