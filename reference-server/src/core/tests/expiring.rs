use super::*;

fn with_expiry(expiry: Option<Expiry>) -> Creation<'static> {
    Creation { content_type: Some("text/plain"), expiry, ..Creation::default() }
}

#[test]
fn every_use_restarts_the_window_and_a_look_does_not() {
    let uses: [fn(&Lab); 5] = [
        |lab| drop(lab.read("a", ReadStart::Beginning)),
        |lab| drop(lab.read("a", ReadStart::Now)),
        |lab| drop(lab.append("a", text("x"))),
        |lab| drop(lab.close("a")),
        |lab| drop(lab.create("a", &with_expiry(ttl("10")))),
    ];
    for (number, make_use) in uses.iter().enumerate() {
        let mut lab = Lab::new();
        lab.create("a", &with_expiry(ttl("10"))).unwrap();
        lab.wait(9);
        make_use(&lab);
        lab.wait(9);
        assert_eq!(lab.look("a"), Ok(()), "use {number}");
        lab.wait(1);
        assert_eq!(lab.look("a"), Err(Refusal::NotFound), "use {number}");
    }
}

#[test]
fn an_instant_cannot_be_moved() {
    let mut lab = Lab::new();
    let instant = lab.now + SignedDuration::from_secs(10);
    lab.create("a", &with_expiry(expires_at(instant))).unwrap();
    lab.wait(9);
    lab.add("a", "x");
    let reader = lab.store.read("a", lab.now).unwrap().follow();
    lab.wait(1);
    assert_eq!(lab.read("a", ReadStart::Beginning), Err(Refusal::NotFound));
    assert_eq!(reader.page(ReadStart::Beginning).unwrap_err(), Refusal::NotFound);
}

#[test]
fn a_window_does_not_end_under_a_live_reader() {
    let mut lab = Lab::new();
    lab.create("a", &with_expiry(ttl("10"))).unwrap();
    lab.add("a", "x");
    let reader = lab.store.read("a", lab.now).unwrap().follow();
    lab.wait(100);
    assert_eq!(lab.store.sweep(lab.now), 0);
    assert!(!reader.page(ReadStart::Beginning).unwrap().is_empty());
    drop(reader);
    assert_eq!(lab.store.sweep(lab.now), 1);
}

#[test]
fn expired_streams_give_their_memory_back() {
    let mut lab = Lab::new();
    lab.create("a", &with_expiry(ttl("10"))).unwrap();
    lab.create("b", &with_expiry(ttl("10"))).unwrap();
    lab.add("a", "xxxx");
    lab.wait(5);
    lab.add("b", "yyyy");
    lab.wait(5);
    assert_eq!(lab.store.sweep(lab.now), 1);
    assert_eq!(lab.used(), 4);
    assert_eq!(lab.store.sweep(lab.now), 0);
    lab.wait(5);
    assert_eq!(lab.store.sweep(lab.now), 1);
    assert_eq!(lab.used(), 0);
    assert!(lab.store.paths(lab.now).is_empty());
}

#[test]
fn an_expired_path_is_free() {
    let mut lab = Lab::new();
    lab.create("a", &with_expiry(ttl("1"))).unwrap();
    lab.add("a", "old");
    lab.wait(1);
    let other = Creation { content_type: Some("text/html"), ..Creation::default() };
    assert!(lab.create("a", &other).unwrap().is_new);
    lab.wait(100);
    assert_eq!(lab.content("a"), "");
}

#[test]
fn no_time_at_all_is_a_legal_window() {
    let lab = Lab::new();
    assert!(lab.create("a", &with_expiry(ttl("0"))).unwrap().is_new);
    assert_eq!(lab.look("a"), Err(Refusal::NotFound));
    let past = lab.now - SignedDuration::from_secs(3600);
    assert!(lab.create("b", &with_expiry(expires_at(past))).unwrap().is_new);
    assert_eq!(lab.look("b"), Err(Refusal::NotFound));
}

#[test]
fn creation_compares_expiry() {
    let lab = Lab::new();
    let at = |seconds| expires_at(lab.now + SignedDuration::from_secs(seconds));
    let all = [None, ttl("60"), ttl("61"), at(60), at(61)];
    for (number, expiry) in all.iter().enumerate() {
        let path = number.to_string();
        lab.create(&path, &with_expiry(expiry.clone())).unwrap();
        for other in &all {
            let agrees = lab.create(&path, &with_expiry(other.clone())).is_ok();
            assert_eq!(agrees, other == expiry, "{expiry:?} {other:?}");
        }
    }
}

#[test]
fn a_fork_has_the_expiry_that_the_table_says() {
    let lab = Lab::new();
    let at = |seconds| expires_at(lab.now + SignedDuration::from_secs(seconds));
    for (number, (source, requested)) in [
        (None, None),
        (None, ttl("5")),
        (None, at(5)),
        (ttl("10"), None),
        (ttl("10"), ttl("99999")),
        (ttl("10"), at(99999)),
        (at(10), None),
        (at(10), ttl("99999")),
        (at(10), at(99999)),
    ]
    .into_iter()
    .enumerate()
    {
        let (origin, branch) = (format!("{number}/source"), format!("{number}/fork"));
        lab.create(&origin, &with_expiry(source.clone())).unwrap();
        let request = Creation { expiry: requested.clone(), ..fork(&origin, None, 0) };
        lab.create(&branch, &request).unwrap();
        let got = lab.store.describe(&branch, lab.now).unwrap().expiry;
        assert_eq!(got, requested.or(source).unwrap_or(Expiry::Never), "{number}");
        assert!(!lab.create(&branch, &request).unwrap().is_new, "{number}");
    }
}

#[test]
fn an_expired_source_still_feeds_its_forks() {
    let mut lab = Lab::new();
    lab.create("source", &with_expiry(ttl("10"))).unwrap();
    lab.add("source", "data");
    lab.create("fork", &Creation { expiry: ttl("100"), ..fork("source", None, 0) }).unwrap();
    lab.wait(10);
    assert_eq!(lab.look("source"), Err(Refusal::Gone));
    assert_eq!(lab.content("fork"), "data");
    lab.wait(100);
    lab.store.sweep(lab.now);
    assert_eq!(lab.look("source"), Err(Refusal::NotFound));
    assert_eq!(lab.used(), 0);
}
