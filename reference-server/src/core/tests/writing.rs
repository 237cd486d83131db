use super::*;
use crate::core::{append::Outcome, error::Malformed, sequence::StreamSeq};

fn seq(value: &str) -> Option<StreamSeq> {
    let mut headers = ::http::HeaderMap::new();
    headers.insert(crate::core::headers::STREAM_SEQ, value.parse().unwrap());
    StreamSeq::parse(&headers).unwrap()
}

#[test]
fn bytes_are_read_from_where_they_were_written() {
    let lab = Lab::new();
    let first = lab.text("a", "one");
    let second = lab.add("a", "two");
    lab.add("a", "three");
    assert_eq!(lab.content("a"), "onetwothree");
    assert_eq!(lab.read("a", ReadStart::At(first)).unwrap(), "twothree");
    assert_eq!(lab.read("a", ReadStart::At(second)).unwrap(), "three");
    assert_eq!(lab.read("a", ReadStart::Now).unwrap(), "");
    let beyond = ReadStart::At(Offset::at(12));
    assert_eq!(lab.read("a", beyond), Err(Refusal::OffsetBeyondTail));
}

#[test]
fn a_repeated_creation_finds_the_stream_or_differs() {
    let lab = Lab::new();
    let request = Creation { content_type: Some("Text/Plain"), body: b"again", ..Creation::default() };
    lab.text("a", "one");
    lab.add("a", "two");
    let again = lab.create("a", &request).unwrap();
    assert!(!again.is_new);
    assert_eq!(again.tail, Offset::at(6));
    for other in [
        Creation { content_type: Some("text/html"), ..Creation::default() },
        Creation::default(),
        Creation { closed: true, ..request.clone() },
        Creation { expiry: ttl("60"), ..request.clone() },
        Creation { fork: fork("a", None, 0).fork, ..request.clone() },
    ] {
        assert_eq!(lab.create("a", &other), Err(Refusal::ConfigurationDiffers), "{other:?}");
    }
    assert_eq!(lab.content("a"), "onetwo");
}

#[test]
fn messages_come_back_as_an_array() {
    let lab = Lab::new();
    let request =
        Creation { content_type: Some("application/json"), body: b"[1,[2]]", ..Creation::default() };
    let first = lab.create("a", &request).unwrap().tail;
    let json = |body| Append { content_type: Some("application/json"), body, ..Append::default() };
    lab.append("a", json(br#" {"b":1} "#)).unwrap();
    assert_eq!(lab.content("a"), r#"[1,[2],{"b":1}]"#);
    assert_eq!(lab.read("a", ReadStart::At(first)).unwrap(), r#"[{"b":1}]"#);
    assert_eq!(lab.read("a", ReadStart::Now).unwrap(), "[]");
    let inside = ReadStart::At(Offset::at(first.position() - 1));
    assert_eq!(lab.read("a", inside), Err(Refusal::OffsetNotABoundary));
    assert_eq!(lab.append("a", json(b"[ ]")), Err(Malformed::EmptyArray.into()));
    assert!(matches!(lab.append("a", json(b"{")), Err(Refusal::Malformed(Malformed::Json(_)))));
    let empty = Creation { content_type: Some("application/json"), body: b"[]", ..Creation::default() };
    assert_eq!(lab.create("b", &empty).unwrap().tail, Offset::START);
}

#[test]
fn a_refused_append_changes_nothing() {
    let lab = Lab::new();
    lab.text("a", "one");
    lab.append("a", Append { seq: seq("5"), ..text("two") }).unwrap();
    let used = lab.used();
    for (request, refusal) in [
        (Append { content_type: Some("text/html"), seq: seq("9"), ..text("x") }, Refusal::ContentTypeDiffers),
        (Append { content_type: None, ..text("x") }, Malformed::ContentTypeMissing.into()),
        (Append { seq: seq("9"), ..text("") }, Malformed::EmptyBody.into()),
        (Append { seq: seq("5"), ..text("x") }, Refusal::SequenceNotGreater),
        (Append { seq: seq("10"), ..text("x") }, Refusal::SequenceNotGreater),
    ] {
        assert_eq!(lab.append("a", request), Err(refusal));
    }
    assert_eq!(lab.content("a"), "onetwo");
    assert_eq!(lab.used(), used);
    lab.append("a", text("three")).unwrap();
    lab.append("a", Append { seq: seq("6"), ..text("four") }).unwrap();
}

#[test]
fn producers_are_exactly_once() {
    let lab = Lab::new();
    lab.text("a", "");
    let send =
        |epoch, seq, body| lab.append("a", Append { producer: producer("p", epoch, seq), ..text(body) });
    let outcome = |answer: Result<Appended, Refusal>| answer.map(|appended| appended.outcome);
    assert_eq!(outcome(send(0, 0, "a")), Ok(Outcome::Stored));
    assert_eq!(outcome(send(0, 2, "c")), Err(Refusal::SequenceGap { expected: 1, received: 2 }));
    assert_eq!(outcome(send(0, 1, "b")), Ok(Outcome::Stored));
    let duplicate = send(0, 0, "other").unwrap();
    assert_eq!(duplicate.outcome, Outcome::Duplicate);
    assert_eq!(duplicate.producer.unwrap().last_seq, 1);
    assert_eq!(outcome(send(1, 3, "x")), Err(Refusal::EpochMustStartAtZero));
    assert_eq!(outcome(send(2, 0, "d")), Ok(Outcome::Stored));
    assert_eq!(outcome(send(0, 1, "b")), Err(Refusal::StaleEpoch { current: 2 }));
    assert_eq!(lab.content("a"), "abd");
}

#[test]
fn a_tuple_is_not_used_up_by_a_refusal() {
    let lab = Lab::new();
    lab.text("a", "");
    lab.append("a", Append { seq: seq("5"), ..text("x") }).unwrap();
    let first = producer("p", 0, 0);
    for bad in [
        Append { content_type: Some("text/html"), ..text("x") },
        text(""),
        Append { seq: seq("4"), ..text("x") },
    ] {
        assert!(lab.append("a", Append { producer: first.clone(), ..bad }).is_err());
    }
    let good = Append { producer: first, seq: seq("6"), ..text("y") };
    assert_eq!(lab.append("a", good.clone()).unwrap().outcome, Outcome::Stored);
    // The retry is recognised before its Stream-Seq is compared.
    assert_eq!(lab.append("a", good).unwrap().outcome, Outcome::Duplicate);
}

#[test]
fn deletion_leaves_nothing_to_a_successor() {
    let lab = Lab::new();
    lab.text("a", "old");
    lab.append("a", Append { producer: producer("p", 5, 0), seq: seq("z"), ..text("old") }).unwrap();
    lab.close("a").unwrap();
    let id = |lab: &Lab| lab.store.read("a", lab.now).unwrap().page(ReadStart::Beginning).unwrap().stream_id;
    let old_id = id(&lab);
    lab.delete("a").unwrap();
    assert_eq!(lab.look("a"), Err(Refusal::NotFound));
    assert_eq!(lab.delete("a"), Err(Refusal::NotFound));
    assert_eq!(lab.used(), 0);
    lab.text("a", "");
    assert_ne!(id(&lab), old_id);
    lab.append("a", Append { producer: producer("p", 0, 0), seq: seq("a"), ..text("new") }).unwrap();
    assert_eq!(lab.content("a"), "new");
}
