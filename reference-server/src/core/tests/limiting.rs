use super::*;
use crate::core::limits::BudgetExhausted;

#[test]
fn streams_are_counted() {
    let lab = Lab::with(Limits { streams: 2, ..Limits::default() });
    lab.text("a", "");
    lab.create("f", &fork("a", None, 0)).unwrap();
    assert_eq!(lab.create("b", &Creation::default()), Err(Refusal::TooManyStreams));
    // A soft-deleted stream takes its place until its fork is gone.
    lab.delete("a").unwrap();
    assert_eq!(lab.create("b", &Creation::default()), Err(Refusal::TooManyStreams));
    lab.delete("f").unwrap();
    lab.text("a", "");
    lab.text("b", "");
}

#[test]
fn memory_is_counted_and_given_back() {
    let lab = Lab::with(Limits { memory: 10, ..Limits::default() });
    lab.text("a", "12345");
    let exhausted = Refusal::MemoryExhausted(BudgetExhausted);
    assert_eq!(lab.append("a", text("123456")), Err(exhausted.clone()));
    let create = Creation { body: b"123456", ..Creation::default() };
    assert_eq!(lab.create("b", &create), Err(exhausted));
    lab.add("a", "12345");
    lab.delete("a").unwrap();
    assert_eq!(lab.used(), 0);
    lab.create("b", &create).unwrap();
}

#[test]
fn producers_take_memory_once() {
    let lab = Lab::new();
    lab.text("a", "");
    let send = |seq| lab.append("a", Append { producer: producer("p", 0, seq), ..text("x") }).unwrap();
    send(0);
    let used = lab.used();
    assert!(used > 2);
    send(1);
    assert_eq!(lab.used(), used + 1);
    send(1);
    assert_eq!(lab.used(), used + 1);
    lab.delete("a").unwrap();
    assert_eq!(lab.used(), 0);
}

#[test]
fn pages_end_between_appends_and_say_whether_more_follows() {
    let lab = Lab::with(Limits { page: 4, ..Limits::default() });
    lab.text("a", "abc");
    lab.create("f", &fork("a", None, 0)).unwrap();
    lab.add("f", "def");
    lab.add("f", "a long one");
    lab.close("f").unwrap();
    let reader = lab.store.read("f", lab.now).unwrap();
    let mut at = ReadStart::Beginning;
    let mut pages = Vec::new();
    loop {
        let page = reader.page(at).unwrap();
        at = ReadStart::At(page.end);
        let (last, said) = (page.at_tail, page.is_final());
        assert_eq!(said, last);
        pages.push(page.into_bytes());
        if last {
            break;
        }
    }
    assert_eq!(pages.concat(), b"abcdefa long one");
    assert!(pages.len() > 1);
}

#[test]
fn forgotten_producers_are_counted_off() {
    let retention = std::time::Duration::from_secs(1);
    let mut lab = Lab::with(Limits { producer_retention: retention, ..Limits::default() });
    lab.text("a", "");
    for number in 0..1000 {
        lab.append("a", Append { producer: producer(&number.to_string(), 0, 0), ..text("x") }).unwrap();
        lab.wait(1);
    }
    let content = 1000;
    assert!(lab.used() - content < 20_000, "{}", lab.used());
    lab.delete("a").unwrap();
    assert_eq!(lab.used(), 0);
}
