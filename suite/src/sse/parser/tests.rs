use proptest::prelude::*;

use super::*;

/// All items and the tail of a stream that is fed in pieces ending at `cuts`.
fn parse_cut(limits: Limits, stream: &[u8], cuts: &[usize]) -> (Vec<Item>, Result<Tail, SseError>) {
    let mut parser = Parser::new(limits);
    let mut outcome = Ok(());
    let mut from = 0;
    for cut in cuts.iter().copied().chain([stream.len()]) {
        let to = cut.clamp(from, stream.len());
        outcome = parser.feed(&stream[from..to]);
        from = to;
    }
    let items = parser.drain().collect();
    (items, outcome.map(|()| parser.finish()))
}

fn parse(stream: impl AsRef<[u8]>) -> (Vec<Item>, Tail) {
    let (items, tail) = parse_cut(Limits::default(), stream.as_ref(), &[]);
    (items, tail.unwrap())
}

fn events(stream: impl AsRef<[u8]>) -> Vec<Event> {
    let events = parse(stream).0.into_iter().filter_map(|item| match item {
        Item::Event(event) => Some(event),
        Item::Comment(_) => None,
    });
    events.collect()
}

/// The data of each event, `None` for those that are not dispatched.
fn data(stream: impl AsRef<[u8]>) -> Vec<Option<String>> {
    events(stream).into_iter().map(|event| event.data).collect()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn the_examples_of_the_standard() {
    assert_eq!(data("data: YHOO\ndata: +2\ndata: 10\n\n"), [some("YHOO\n+2\n10")]);
    let found =
        events(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n");
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].data.as_deref(), found[0].id.as_deref()), (Some("first event"), Some("1")));
    assert_eq!((found[1].data.as_deref(), found[1].id.as_deref()), (Some("second event"), Some("")));
    assert_eq!(data("data\n\ndata\ndata\n\ndata:"), [some(""), some("\n")]);
    assert_eq!(data("data:test\n\ndata: test\n\n"), [some("test"), some("test")]);
}

#[test]
fn only_one_blank_is_taken_off() {
    let found = events("data:  two\ndata:\tx\ndata: \n\n");
    assert_eq!(found[0].data, some(" two\n\tx\n"));
    assert!(found[0].lines[0].has_blank_after_colon());
    assert!(!found[0].lines[1].has_blank_after_colon());
    assert_eq!(found[0].lines[2].raw, b"data: ");
}

#[test]
fn every_line_end_counts_once() {
    let stream = "data: a\r\ndata: b\rdata: c\n\r\nevent: x\rdata: d\r\r";
    let found = events(stream);
    assert_eq!(
        found.iter().map(|event| event.data.clone()).collect::<Vec<_>>(),
        [some("a\nb\nc"), some("d")]
    );
    let ends: Vec<_> = found[0].lines.iter().map(|line| line.end).collect();
    assert_eq!(ends, [LineEnd::CrLf, LineEnd::Cr, LineEnd::Lf]);
    assert_eq!(parse(stream).1.line_ends, LineEnds { lf: 1, cr: 4, crlf: 2 });
}

#[test]
fn an_event_ended_by_cr_does_not_wait_for_the_next_byte() {
    let mut parser = Parser::default();
    parser.feed(b"data: a\r\r").unwrap();
    assert!(matches!(parser.next_item(), Some(Item::Event(_))));
    parser.feed(b"\ndata: b\n\n").unwrap();
    let Some(Item::Event(event)) = parser.next_item() else { panic!("no second event") };
    assert_eq!(event.data, some("b"));
    assert_eq!(event.lines.len(), 1);
    assert_eq!(parser.next_item(), None);
}

#[test]
fn fields_other_than_the_four_are_kept_but_mean_nothing() {
    let found = events("Data: upper\n data: indented\ndata : blank\nfoo\n\n");
    assert_eq!(found.len(), 1);
    assert!(!found[0].is_dispatched());
    let names: Vec<_> = found[0].lines.iter().map(|line| line.name().to_vec()).collect();
    assert_eq!(names, [&b"Data"[..], b" data", b"data ", b"foo"]);
}

#[test]
fn a_block_without_data_is_recorded_and_not_dispatched() {
    let found = events("event: control\nid: 3\n\n");
    assert_eq!(found.len(), 1);
    assert!(!found[0].is_dispatched());
    assert_eq!(found[0].name, some("control"));
    assert_eq!(&*found[0].last_event_id, "3");
}

#[test]
fn names_default_to_message() {
    let found = events("data: a\n\nevent:\ndata: b\n\nevent: x\nevent: y\ndata: c\n\n");
    assert_eq!(found.iter().map(Event::kind).collect::<Vec<_>>(), ["message", "message", "y"]);
    assert_eq!(found[0].name, None);
    assert_eq!(found[1].name, some(""));
}

#[test]
fn ids_last_until_the_next_and_never_hold_nul() {
    let found = events("id: 1\ndata: a\n\ndata: b\n\nid: x\0y\ndata: c\n\nid\ndata: d\n\n");
    let ids: Vec<_> = found.iter().map(|event| (event.id.as_deref(), &*event.last_event_id)).collect();
    assert_eq!(ids, [(Some("1"), "1"), (None, "1"), (None, "1"), (Some(""), "")]);
}

#[test]
fn retry_is_digits_only() {
    let retry = |value: &str| events(format!("retry: {value}\ndata\n\n"))[0].retry;
    assert_eq!(retry("1500"), Some(1500));
    assert_eq!(retry("0"), Some(0));
    assert_eq!(retry("99999999999999999999999"), Some(u64::MAX));
    for value in ["", "-1", "+1", "1.5", " 1", "1s", "١"] {
        assert_eq!(retry(value), None, "{value:?}");
    }
}

#[test]
fn comments_come_in_order_with_their_place() {
    let (items, _) = parse(": one\n\ndata: a\n:two\n\n:\n");
    let [Item::Comment(one), Item::Comment(two), Item::Event(event), Item::Comment(three)] = &items[..]
    else {
        panic!("{items:?}")
    };
    assert_eq!((one.text.as_slice(), one.at, one.inside_event), (&b" one"[..], 0, false));
    assert_eq!((two.text.as_slice(), two.at, two.inside_event), (&b"two"[..], 15, true));
    assert_eq!((three.text.as_slice(), three.at), (&b""[..], 21));
    assert_eq!((event.at.clone(), event.lines.len()), (7..20, 1));
}

#[test]
fn one_byte_order_mark_is_ignored_at_the_start_only() {
    let (items, tail) = parse("\u{feff}data: a\n\n\u{feff}data: b\n\n");
    assert!(tail.byte_order_mark);
    let [Item::Event(first), Item::Event(second)] = &items[..] else { panic!("{items:?}") };
    assert_eq!((first.data.clone(), first.at.start), (some("a"), 3));
    assert_eq!(second.data, None);
    assert_eq!(data("\u{feff}\u{feff}data: a\n\n"), [None]);
    let (items, tail) = parse(b"\xef\xbbdata: a\n\n");
    assert!(!tail.byte_order_mark);
    assert!(
        matches!(&items[..], [Item::Event(event)] if event.at == (0..10) && event.invalid_utf8 == Some(0))
    );
}

#[test]
fn bytes_that_are_not_utf8_are_reported_and_kept() {
    let found = events(b"data: ok\ndata: a\xffb\n\ndata: fine\n\n");
    assert_eq!(found[0].data, some("ok\na\u{fffd}b"));
    assert_eq!(found[0].invalid_utf8, Some(9));
    assert_eq!(found[0].lines[1].raw, b"data: a\xffb");
    assert_eq!(found[1].invalid_utf8, None);
}

#[test]
fn an_unfinished_event_is_torn() {
    for (stream, fields, partial) in [
        ("data: a\n\n", 0, ""),
        ("", 0, ""),
        (": ping\n", 0, ""),
        ("data: a\n", 1, ""),
        ("data: a\ndata: b", 1, "data: b"),
        ("data: a\n\nda", 0, "da"),
        ("data: a\r", 1, ""),
    ] {
        let tail = parse(stream).1;
        assert_eq!(
            (tail.unfinished.len(), tail.partial_line.as_slice()),
            (fields, partial.as_bytes()),
            "{stream:?}"
        );
        assert_eq!(tail.is_torn(), fields > 0 || !partial.is_empty(), "{stream:?}");
        assert_eq!(tail.size, stream.len() as u64);
    }
    assert_eq!(parse(b"\xef\xbb").1.partial_line, b"\xef\xbb");
}

#[test]
fn what_exceeds_a_bound_is_an_error_and_what_came_before_is_not_lost() {
    let ample = Limits::default();
    for (limits, stream, expected) in [
        (Limits { line: 9, ..ample }, "data: 1\n\ndata: 5678\n\n", SseError::LineTooLong { at: 9, limit: 9 }),
        (Limits { lines: 2, ..ample }, "data: 1\n\na\nb\nc\n\n", SseError::TooManyLines { at: 9, limit: 2 }),
        (
            Limits { event: 8, ..ample },
            "data: 1\n\ndata\ndata:\n",
            SseError::EventTooLarge { at: 9, limit: 8 },
        ),
    ] {
        let (items, outcome) = parse_cut(limits, stream.as_bytes(), &[]);
        assert_eq!(outcome, Err(expected), "{stream:?}");
        assert_eq!(items.len(), 1, "{stream:?}");
    }
    let waiting = Limits { waiting: 2000, ..ample };
    let (items, outcome) = parse_cut(waiting, "data\n\n".repeat(1000).as_bytes(), &[]);
    assert!(matches!(outcome, Err(SseError::TooMuchWaiting { limit: 2000, .. })));
    assert!(items.iter().map(Item::footprint).sum::<usize>() <= 2000 && !items.is_empty());
}

#[test]
fn taking_items_out_makes_room() {
    let mut parser = Parser::new(Limits { waiting: 2000, ..Limits::default() });
    for _ in 0..1000 {
        parser.feed(b"data: x\n\n").unwrap();
        assert_eq!(parser.drain().count(), 1);
    }
}

#[test]
fn after_an_error_nothing_more_is_taken() {
    let mut parser = Parser::new(Limits { line: 4, ..Limits::default() });
    let error = parser.feed(b"data: x\n\n").unwrap_err();
    assert_eq!(parser.feed(b"\n"), Err(error));
    assert_eq!(parser.next_item(), None);
}

/// Bytes that are likely to mean something in an event stream.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        &b"\n"[..],
        b"\r",
        b"\r\n",
        b"\n\n",
        b"\r\n\r\n",
        b"\r\r",
        b":",
        b": ping",
        b"data",
        b"data:",
        b"data: x",
        b"event: control",
        b"id: 1",
        b"id: \0",
        b"retry: 10",
        b"retry: x",
        b" ",
        b"other: y",
        b"\xef\xbb\xbf",
        b"\xef\xbb",
        b"\xff",
        b"\xc3\xa9",
        b"\xe2\x82",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn how_the_bytes_arrive_makes_no_difference(stream in stream(), mut cuts in prop::collection::vec(0..120usize, 0..20)) {
        cuts.sort_unstable();
        prop_assert_eq!(parse_cut(Limits::default(), &stream, &cuts), parse_cut(Limits::default(), &stream, &[]));
        let every_byte: Vec<_> = (0..stream.len()).collect();
        prop_assert_eq!(parse_cut(Limits::default(), &stream, &every_byte), parse_cut(Limits::default(), &stream, &[]));
    }

    #[test]
    fn nor_does_it_where_bounds_are_exceeded(stream in stream(), mut cuts in prop::collection::vec(0..120usize, 0..20)) {
        cuts.sort_unstable();
        let tight = Limits { line: 12, lines: 3, event: 30, waiting: 2500 };
        prop_assert_eq!(parse_cut(tight, &stream, &cuts), parse_cut(tight, &stream, &[]));
    }

    #[test]
    fn events_agree_with_a_plain_reading_of_the_standard(stream in stream()) {
        let dispatched = events(&stream).into_iter().filter(Event::is_dispatched);
        let found: Vec<_> = dispatched.map(|event| (event.kind().to_owned(), event.data.clone().unwrap_or_default(), event.last_event_id.to_string())).collect();
        prop_assert_eq!(found, plain_reading(&stream));
    }

    #[test]
    fn every_byte_of_a_block_can_be_found_again(stream in stream()) {
        for event in events(&stream) {
            let mut rebuilt = Vec::new();
            for line in &event.lines {
                let at = usize::try_from(line.at).unwrap();
                prop_assert_eq!(&stream[at..at + line.raw.len()], &line.raw[..]);
                rebuilt.extend_from_slice(&line.raw);
            }
            prop_assert!(rebuilt.len() as u64 <= event.at.end - event.at.start);
        }
    }
}

/// Type, data and last event id of what is dispatched: the standard's algorithm on the whole text at once, written
/// as the standard words it.
fn plain_reading(stream: &[u8]) -> Vec<(String, String, String)> {
    let text = String::from_utf8_lossy(stream.strip_prefix(b"\xef\xbb\xbf").unwrap_or(stream)).into_owned();
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let (mut events, mut kind, mut data, mut id) = (Vec::new(), String::new(), String::new(), String::new());
    let mut lines: Vec<_> = text.split('\n').collect();
    lines.pop();
    for line in lines {
        let (name, value) = match line.split_once(':') {
            _ if line.is_empty() => {
                if let Some(data) = data.strip_suffix('\n') {
                    let kind = if kind.is_empty() { "message" } else { &kind };
                    events.push((kind.to_owned(), data.to_owned(), id.clone()));
                }
                (kind, data) = (String::new(), String::new());
                continue;
            }
            Some(("", _)) => continue,
            Some((name, value)) => (name, value.strip_prefix(' ').unwrap_or(value)),
            None => (line, ""),
        };
        match name {
            "event" => value.clone_into(&mut kind),
            "data" => data.extend([value, "\n"]),
            "id" if !value.contains('\0') => value.clone_into(&mut id),
            _ => {}
        }
    }
    events
}
