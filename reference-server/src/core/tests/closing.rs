use super::*;
use crate::core::append::Outcome;

#[test]
fn a_closed_stream_takes_no_append() {
    let lab = Lab::new();
    let tail = lab.text("a", "one");
    assert_eq!(lab.close("a").unwrap().tail, tail);
    let closed = Err(Refusal::Closed { final_offset: tail });
    assert_eq!(lab.append("a", text("two")), closed);
    assert_eq!(lab.append("a", Append { close: true, ..text("two") }), closed);
    // Closure is reported before anything else that is wrong.
    assert_eq!(lab.append("a", Append { content_type: Some("text/html"), ..text("two") }), closed);
    assert_eq!(lab.close("a").unwrap().outcome, Outcome::ClosedOnly);
    assert_eq!(lab.content("a"), "one");
}

#[test]
fn a_final_append_closes() {
    let lab = Lab::new();
    lab.text("a", "one");
    let last = lab.append("a", Append { close: true, ..text("two") }).unwrap();
    assert!(last.closed);
    assert_eq!(last.tail, Offset::at(6));
    let page = lab.store.read("a", lab.now).unwrap().page(ReadStart::Beginning).unwrap();
    assert!(page.is_final());
}

#[test]
fn creation_compares_closure() {
    let lab = Lab::new();
    let open = Creation { content_type: Some("text/plain"), ..Creation::default() };
    let closed = Creation { closed: true, ..open.clone() };
    lab.create("a", &open).unwrap();
    assert_eq!(lab.create("a", &closed), Err(Refusal::ConfigurationDiffers));
    lab.close("a").unwrap();
    assert_eq!(lab.create("a", &open), Err(Refusal::ConfigurationDiffers));
    assert!(lab.create("a", &closed).unwrap().closed);
}

#[test]
fn only_the_closing_tuple_may_be_repeated() {
    for body in ["", "last"] {
        let lab = Lab::new();
        lab.text("a", "");
        let send = |body, seq, close| {
            lab.append("a", Append { producer: producer("p", 0, seq), close, ..text(body) })
                .map(|appended| appended.outcome)
        };
        send("first", 0, false).unwrap();
        assert!(matches!(send(body, 5, true), Err(Refusal::SequenceGap { .. })));
        assert_ne!(send(body, 1, true).unwrap(), Outcome::Duplicate);
        let content = lab.content("a");
        assert_eq!(send(body, 1, true), Ok(Outcome::Duplicate));
        assert_eq!(send("another", 1, false), Ok(Outcome::Duplicate));
        for (seq, close) in [(0, false), (2, false), (2, true)] {
            assert!(matches!(send("x", seq, close), Err(Refusal::Closed { .. })), "{seq} {close}");
        }
        assert_eq!(lab.content("a"), content);
    }
}

#[test]
fn the_tag_of_a_read_changes_with_closure() {
    let lab = Lab::new();
    lab.text("a", "one");
    let tag = |start| lab.store.read("a", lab.now).unwrap().page(start).unwrap().entity_tag();
    let (open_start, open_tail) = (tag(ReadStart::Beginning), tag(ReadStart::Now));
    lab.close("a").unwrap();
    assert_ne!(tag(ReadStart::Beginning), open_start);
    assert_ne!(tag(ReadStart::Now), open_tail);
}
