//! The event stream parser: any bytes, bounded, the same whatever the pieces, and what the standard says.

use streamgauge::sse::{Event, Item, Limits, Parser};

/// Low enough for short inputs to reach them.
const LIMITS: Limits = Limits { line: 64, lines: 16, event: 128, waiting: 1 << 16 };
/// As `LIMITS`, where nobody takes anything out.
const FEW: Limits = Limits { waiting: 1 << 12, ..LIMITS };
/// Up to this size every place to cut in two is tried.
const SHORT: usize = 64;

pub fn run(data: &[u8]) {
    let Some((first, bytes)) = data.split_first() else { return };
    let whole = parse([bytes]);
    assert_eq!(whole, parse(bytes.chunks(usize::from(*first) % 16 + 1)), "pieces change nothing");
    let cuts = if bytes.len() <= SHORT { bytes.len() } else { 0 };
    for cut in 1..cuts {
        let (left, right) = bytes.split_at(cut);
        assert_eq!(whole, parse([left, right]), "a cut at {cut} changes nothing");
    }
    if !whole.failed {
        let dispatched = whole.items.iter().filter_map(|item| match item {
            Item::Event(event) if event.is_dispatched() => Some(Dispatched::of(event)),
            Item::Event(_) | Item::Comment(_) => None,
        });
        assert_eq!(dispatched.collect::<Vec<_>>(), by_the_standard(bytes));
    }
    stays_bounded(bytes);
}

/// Everything that a client could see.
#[derive(Debug, PartialEq)]
struct Seen {
    items: Vec<Item>,
    failed: bool,
}

fn parse<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Seen {
    let mut parser = Parser::new(LIMITS);
    let mut items = Vec::new();
    for piece in pieces {
        let fed = parser.feed(piece);
        items.extend(parser.drain());
        if fed.is_err() {
            return Seen { items, failed: true };
        }
    }
    let size = parser.position();
    assert_eq!(parser.finish().size, size);
    Seen { items, failed: false }
}

/// Nobody takes anything out: the parser must refuse before it holds too much.
fn stays_bounded(bytes: &[u8]) {
    let mut parser = Parser::new(FEW);
    // Refused or not: what it holds counts.
    let _ = parser.feed(bytes);
    let held: usize = parser.drain().map(|item| item.footprint()).sum();
    assert!(held <= FEW.waiting, "{held} bytes wait");
}

#[derive(Debug, PartialEq)]
struct Dispatched {
    kind: String,
    data: String,
    last_event_id: String,
}

impl Dispatched {
    fn of(event: &Event) -> Self {
        Self {
            kind: event.kind().to_owned(),
            data: event.data.clone().unwrap_or_default(),
            last_event_id: event.last_event_id.to_string(),
        }
    }
}

/// The standard's own steps, line by line, with no thought of speed.
fn by_the_standard(bytes: &[u8]) -> Vec<Dispatched> {
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let (mut kind, mut data, mut last_event_id) = (String::new(), String::new(), String::new());
    let mut found = Vec::new();
    for line in whole_lines(text) {
        if line.is_empty() {
            if !data.is_empty() {
                data.pop();
                let kind = if kind.is_empty() { "message".to_owned() } else { kind.clone() };
                found.push(Dispatched { kind, data: data.clone(), last_event_id: last_event_id.clone() });
            }
            kind.clear();
            data.clear();
            continue;
        }
        let line = String::from_utf8_lossy(line);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => kind = value.to_owned(),
            "data" => {
                data.push_str(value);
                data.push('\n');
            }
            "id" if !value.contains('\0') => last_event_id = value.to_owned(),
            _ => {}
        }
    }
    found
}

/// Lines that an LF, a CR or both together end; what follows the last end is no line.
fn whole_lines(mut text: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    while let Some(end) = text.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
        lines.push(&text[..end]);
        let both = text[end..].starts_with(b"\r\n");
        text = &text[end + if both { 2 } else { 1 }..];
    }
    lines
}
