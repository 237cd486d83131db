use super::*;

#[test]
fn a_fork_shares_the_past_and_goes_its_own_way() {
    let lab = Lab::new();
    let first = lab.text("a", "one");
    lab.add("a", "two");
    let used = lab.used();
    let forked = lab.create("f", &fork("a", Some(first), 0)).unwrap();
    assert_eq!((forked.tail, forked.content_type.as_str()), (first, "text/plain"));
    assert_eq!(lab.used(), used);
    lab.add("a", "-source");
    let own = lab.add("f", "-fork");
    assert!(own > first);
    assert_eq!(lab.content("a"), "onetwo-source");
    assert_eq!(lab.content("f"), "one-fork");
    assert_eq!(lab.read("f", ReadStart::At(first)).unwrap(), "-fork");
    assert_eq!(lab.read("f", ReadStart::At(Offset::at(1))).unwrap(), "ne-fork");
}

#[test]
fn a_chain_is_read_as_one() {
    let lab = Lab::new();
    lab.text("0", "abcdef");
    lab.create("1", &fork("0", Some(Offset::START), 4)).unwrap();
    lab.add("1", "-one");
    lab.create("2", &fork("1", Some(Offset::START), 2)).unwrap();
    assert_eq!(lab.content("2"), "ab");
    lab.add("2", "-two");
    lab.create("3", &fork("2", None, 0)).unwrap();
    lab.add("3", "-three");
    assert_eq!(lab.content("1"), "abcd-one");
    assert_eq!(lab.content("3"), "ab-two-three");
    // What the fork inherits ends before what its source wrote next.
    assert_eq!(lab.create("4", &fork("1", Some(Offset::START), 5)), Err(Refusal::SubOffsetTooFar));
}

#[test]
fn a_sub_offset_stays_within_one_append() {
    let lab = Lab::new();
    lab.text("a", "hello");
    lab.add("a", "world");
    let point = |offset, sub| lab.create("f", &fork("a", offset, sub)).map(|created| created.tail);
    let too_far = Err(Refusal::SubOffsetTooFar);
    assert_eq!(point(Some(Offset::START), 6), too_far);
    assert_eq!(point(Some(Offset::at(5)), 6), too_far);
    assert_eq!(point(Some(Offset::at(10)), 1), too_far);
    assert_eq!(point(None, 1), too_far);
    assert_eq!(point(Some(Offset::at(11)), 0), Err(Refusal::ForkOffsetBeyondTail));
    assert_eq!(point(Some(Offset::START), 5), Ok(Offset::at(5)));
    lab.delete("f").unwrap();
    lab.delete("a").unwrap();
    assert_eq!(lab.look("a"), Err(Refusal::NotFound), "refused forks took references");
}

#[test]
fn messages_are_counted_on_json_streams() {
    let lab = Lab::new();
    let batch =
        Creation { content_type: Some("application/json"), body: b"[1,[2,2],3,4]", ..Creation::default() };
    lab.create("a", &batch).unwrap();
    lab.create("f", &fork("a", Some(Offset::START), 2)).unwrap();
    assert_eq!(lab.content("f"), "[1,[2,2]]");
    let five = Append { content_type: Some("application/json"), body: b"5", ..Append::default() };
    lab.append("f", five).unwrap();
    assert_eq!(lab.content("f"), "[1,[2,2],5]");
    assert!(lab.create("g", &fork("a", Some(Offset::START), 4)).is_ok());
    assert_eq!(lab.create("h", &fork("a", Some(Offset::START), 5)), Err(Refusal::SubOffsetTooFar));
    assert_eq!(lab.create("h", &fork("a", Some(Offset::at(1)), 0)), Err(Refusal::OffsetNotABoundary));
}

#[test]
fn a_repeated_fork_is_found_or_differs() {
    let lab = Lab::new();
    let first = lab.text("a", "one");
    lab.add("a", "two");
    lab.text("b", "one");
    lab.create("f", &fork("a", Some(first), 1)).unwrap();
    assert!(!lab.create("f", &fork("a", Some(first), 1)).unwrap().is_new);
    let typed = Creation { content_type: Some("text/plain"), ..fork("a", Some(first), 1) };
    assert!(!lab.create("f", &typed).unwrap().is_new);
    let plain = Creation { content_type: Some("text/plain"), ..Creation::default() };
    for other in [
        fork("b", Some(first), 1),
        fork("a", Some(Offset::START), 1),
        fork("a", Some(first), 0),
        fork("a", None, 1),
        plain,
    ] {
        assert_eq!(lab.create("f", &other), Err(Refusal::ConfigurationDiffers), "{other:?}");
    }
    // The default offset is the tail at the time of the first request.
    lab.create("g", &fork("a", None, 0)).unwrap();
    lab.add("a", "three");
    assert!(!lab.create("g", &fork("a", None, 0)).unwrap().is_new);
    assert!(!lab.create("g", &fork("a", Some(Offset::at(6)), 0)).unwrap().is_new);
}

#[test]
fn a_fork_knows_no_writer_of_its_source() {
    let lab = Lab::new();
    lab.text("a", "");
    lab.append("a", Append { producer: producer("p", 3, 0), ..text("x") }).unwrap();
    lab.close("a").unwrap();
    assert!(!lab.create("f", &fork("a", None, 0)).unwrap().closed);
    lab.append("f", Append { producer: producer("p", 0, 0), ..text("y") }).unwrap();
    assert_eq!(lab.content("f"), "xy");
}

#[test]
fn a_source_outlives_its_deletion_for_its_forks() {
    let lab = Lab::new();
    lab.text("a", "data");
    lab.create("f", &fork("a", None, 0)).unwrap();
    lab.create("g", &fork("a", None, 0)).unwrap();
    lab.delete("a").unwrap();
    assert_eq!(lab.look("a"), Err(Refusal::Gone));
    assert_eq!(lab.delete("a"), Err(Refusal::Gone));
    assert_eq!(lab.append("a", text("x")), Err(Refusal::Gone));
    assert_eq!(lab.read("a", ReadStart::Now), Err(Refusal::Gone));
    let plain = Creation { content_type: Some("text/plain"), ..Creation::default() };
    assert_eq!(lab.create("a", &plain), Err(Refusal::PathBlocked));
    assert_eq!(lab.create("a", &fork("g", None, 0)), Err(Refusal::PathBlocked));
    assert_eq!(lab.create("h", &fork("a", None, 0)), Err(Refusal::SourceGone));
    assert_eq!(lab.content("f"), "data");
    lab.delete("f").unwrap();
    assert_eq!(lab.look("a"), Err(Refusal::Gone));
    lab.delete("g").unwrap();
    assert_eq!(lab.look("a"), Err(Refusal::NotFound));
    assert_eq!(lab.used(), 0);
}

#[test]
fn collection_climbs_the_chain_and_spares_the_living() {
    let lab = Lab::new();
    lab.text("0", "a");
    for level in 1..=4 {
        lab.create(&level.to_string(), &fork(&(level - 1).to_string(), None, 0)).unwrap();
    }
    for level in 1..=3 {
        lab.delete(&level.to_string()).unwrap();
    }
    lab.delete("4").unwrap();
    for level in 1..=4 {
        assert_eq!(lab.look(&level.to_string()), Err(Refusal::NotFound));
    }
    assert_eq!(lab.content("0"), "a");
    lab.delete("0").unwrap();
    assert_eq!(lab.look("0"), Err(Refusal::NotFound));
}

#[test]
fn a_missing_source_is_said_so() {
    let lab = Lab::new();
    assert_eq!(lab.create("f", &fork("a", None, 0)), Err(Refusal::SourceNotFound));
    lab.text("a", "");
    let typed = Creation { content_type: Some("text/html"), ..fork("a", None, 0) };
    assert_eq!(lab.create("f", &typed), Err(Refusal::ContentTypeDiffers));
    assert_eq!(lab.look("f"), Err(Refusal::NotFound));
}

#[test]
fn a_chain_of_any_length_can_be_dropped() {
    let lab = Lab::new();
    lab.text("0", "a");
    for level in 1..=20_000 {
        lab.create(&level.to_string(), &fork(&(level - 1).to_string(), None, 0)).unwrap();
    }
    assert_eq!(lab.content("20000"), "a");
}
