//! What the server writes as an event stream, the suite reads as the same events: nothing lost, nothing forged.

use arbitrary::{Arbitrary, Unstructured};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use streamgauge::sse::{Event, Item, Parser};
use streamgauge_reference_server::{
    http::sse_writer::{Control, KEEP_ALIVE, write_binary, write_control, write_text},
    sabotage::Switches,
};

/// One thing that a server says.
#[derive(Arbitrary, Debug)]
enum Said<'a> {
    Text(&'a [u8]),
    Binary(&'a [u8]),
    Control { next: &'a str, cursor: Option<&'a str>, up_to_date: bool, closed: bool },
    KeepAlive,
}

/// What a reader must make of it.
#[derive(Debug, PartialEq)]
enum Heard {
    Text(String),
    Binary(Vec<u8>),
    Control(Value),
    Nothing,
}

pub fn run(data: &[u8]) {
    let mut source = Unstructured::new(data);
    let Ok(pieces) = <[u8; 4]>::arbitrary(&mut source) else { return };
    let Ok(said) = Vec::<Said<'_>>::arbitrary_take_rest(source) else { return };
    let mut bytes = Vec::new();
    for one in &said {
        one.write(&mut bytes);
    }
    let heard: Vec<Heard> =
        read(&bytes, pieces).iter().zip(&said).map(|(item, one)| one.heard(item)).collect();
    let meant: Vec<Heard> = said.iter().map(Said::meant).collect();
    assert_eq!(heard, meant);
}

/// All items, with the bytes fed in pieces of these sizes, over and over.
fn read(mut bytes: &[u8], sizes: [u8; 4]) -> Vec<Item> {
    let mut parser = Parser::default();
    let mut items = Vec::new();
    for size in sizes.iter().cycle() {
        if bytes.is_empty() {
            break;
        }
        let (piece, rest) = bytes.split_at(bytes.len().min(usize::from(*size) + 1));
        parser.feed(piece).expect("the server keeps within the bounds");
        items.extend(parser.drain());
        bytes = rest;
    }
    assert!(!parser.finish().is_torn(), "the last event is whole");
    items
}

impl Said<'_> {
    fn write(&self, bytes: &mut Vec<u8>) {
        match *self {
            Self::Text(payload) => write_text(bytes, payload, Switches::NONE),
            Self::Binary(payload) => write_binary(bytes, payload),
            Self::KeepAlive => bytes.extend_from_slice(KEEP_ALIVE),
            Self::Control { next, cursor, up_to_date, closed } => {
                let control = Control {
                    stream_next_offset: next.to_owned(),
                    stream_cursor: cursor.map(str::to_owned),
                    up_to_date,
                    stream_closed: closed,
                };
                write_control(bytes, &control);
            }
        }
    }

    fn meant(&self) -> Heard {
        match *self {
            // A reader ends lines at CR, too; the protocol gives them up.
            Self::Text(payload) => {
                Heard::Text(String::from_utf8_lossy(payload).replace("\r\n", "\n").replace('\r', "\n"))
            }
            Self::Binary(payload) => Heard::Binary(payload.to_owned()),
            Self::KeepAlive => Heard::Nothing,
            Self::Control { next, cursor, up_to_date, closed } => {
                let mut control = json!({ "streamNextOffset": next });
                if let Some(cursor) = cursor {
                    control["streamCursor"] = cursor.into();
                }
                if up_to_date {
                    control["upToDate"] = true.into();
                }
                if closed {
                    control["streamClosed"] = true.into();
                }
                Heard::Control(control)
            }
        }
    }

    fn heard(&self, item: &Item) -> Heard {
        let event = match item {
            Item::Comment(_) => return Heard::Nothing,
            Item::Event(event) => event,
        };
        assert!(event.id.is_none() && event.retry.is_none(), "no field is forged: {event:?}");
        let data = event.data.as_deref().expect("every event has data");
        match (event.kind(), self) {
            ("control", _) => Heard::Control(control(event, data)),
            ("data", Self::Binary(_)) => Heard::Binary(STANDARD.decode(data).expect("base64")),
            ("data", _) => Heard::Text(data.to_owned()),
            (other, _) => panic!("an event of type {other:?} is forged"),
        }
    }
}

fn control(event: &Event, data: &str) -> Value {
    assert_eq!(event.lines.len(), 2, "a control event has one line of data");
    serde_json::from_str(data).expect("a control event holds JSON")
}
