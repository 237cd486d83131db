//! The event stream parser: bounded, and the same whatever the pieces in which bytes come.

use streamgauge::sse::{Item, Limits, Parser};

const LIMITS: Limits = Limits { line: 4096, lines: 64, event: 8192, waiting: 1 << 20 };

pub(crate) fn run(data: &[u8]) {
    let Some((first, bytes)) = data.split_first() else { return };
    let whole = parse(bytes, bytes.len().max(1));
    assert_eq!(whole, parse(bytes, usize::from(*first) % 16 + 1), "pieces change nothing");
}

/// Everything that a client could see, in pieces of `size` bytes.
fn parse(bytes: &[u8], size: usize) -> (Vec<Item>, bool) {
    let mut parser = Parser::new(LIMITS);
    let mut items = Vec::new();
    for piece in bytes.chunks(size) {
        let fed = parser.feed(piece);
        items.extend(parser.drain());
        if fed.is_err() {
            return (items, true);
        }
    }
    (items, false)
}
