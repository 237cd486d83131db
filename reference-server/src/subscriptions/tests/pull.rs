//! Pull-wake: events, claims, leases and fences.

use std::collections::BTreeSet;

use super::*;

/// A subscription with one event pending in `events/a`.
fn woken() -> World {
    let mut world = World::new();
    world.put_pull("s", "events/*");
    world.append("events/a");
    world
}

#[test]
fn one_wake_is_in_flight_at_a_time() {
    let mut world = woken();
    for path in ["events/a", "events/b", "events/c"].repeat(3) {
        world.append(path);
    }
    assert_eq!(world.wake_events.len(), 1);
    let claim = world.claim("s", "w").unwrap();
    world.append("events/d");
    assert_eq!(world.wake_events.len(), 1);
    assert_eq!(claim.generation, world.wake_events[0].wake.generation);
}

#[test]
fn wakes_have_names_of_their_own_and_rising_generations() {
    let mut world = woken();
    world.put_pull("t", "events/*");
    let mut names = BTreeSet::new();
    for generation in 1..=5 {
        let claim = world.claim("s", "w").unwrap();
        assert_eq!(claim.generation, generation);
        names.insert(claim.wake_id.clone());
        let acks = [("events/a", generation)];
        assert_eq!(world.ack("s", &claim, &acks, true), Ok(false));
        world.append("events/a");
    }
    assert_eq!(names.len(), 5);
    assert_eq!(world.claim("t", "w").unwrap().generation, 1);
}

#[test]
fn a_claim_shows_the_work_and_shuts_others_out() {
    let mut world = woken();
    world.append("events/a");
    let claim = world.claim("s", "w1").unwrap();
    assert_eq!(claim.lease_ttl_ms, 1000);
    let status = &claim.streams[0];
    assert_eq!((status.acked_offset.as_str(), status.tail_offset.as_str()), ("000000", "000002"));
    for worker in ["w2", "w1"] {
        assert_eq!(
            world.claim("s", worker).unwrap_err(),
            Refusal::AlreadyClaimed { current_holder: "w1".to_owned(), generation: 1 }
        );
    }
}

#[test]
fn a_claim_may_overtake_the_news_of_an_append() {
    let mut world = World::new();
    world.create("events/a");
    world.put_pull("s", "events/*");
    world.streams.0.borrow_mut().get_mut("events/a").unwrap().tail += 1;
    let claim = world.claim("s", "w").unwrap();
    assert_eq!(claim.generation, 1);
    world.change(|registry, moment| registry.stream_appended("events/a", moment));
    assert_eq!(world.wake_events.len(), 1);
    assert_eq!(world.ack("s", &claim, &[("events/a", 1)], true), Ok(false));
}

#[test]
fn acks_are_inclusive() {
    let mut world = woken();
    world.append("events/a");
    let claim = world.claim("s", "w").unwrap();
    assert_eq!(world.ack("s", &claim, &[("events/a", 1)], true), Ok(true));
    assert_eq!(world.wake_events.last().unwrap().wake.generation, 2);
    let claim = world.claim("s", "w").unwrap();
    assert_eq!(claim.streams[0].acked_offset, offset(1));
    assert!(claim.streams[0].has_pending);
    assert_eq!(world.ack("s", &claim, &[("events/a", 2)], true), Ok(false));
    assert_eq!(world.claim("s", "w").unwrap_err(), Refusal::NoPendingWork);
}

#[test]
fn acks_are_taken_all_together_or_not_at_all() {
    let mut world = woken();
    world.append("events/a");
    world.append("events/b");
    let claim = world.claim("s", "w").unwrap();
    for wrong in [("events/b", 2), ("unlinked", 1), ("__ds/x", 0)] {
        let refusal = world.ack("s", &claim, &[("events/a", 2), wrong], true);
        assert!(matches!(refusal, Err(Refusal::InvalidOffset(_))), "{wrong:?}");
        assert_eq!(world.cursor("s", "events/a"), Some(offset(0)));
    }
    let backwards = [("events/a", 2), ("events/a", 1)];
    assert!(world.ack("s", &claim, &backwards, false).is_err());
    assert_eq!(world.ack("s", &claim, &[("events/a", 2)], false), Ok(false));
    assert!(world.ack("s", &claim, &[("events/a", 1)], false).is_err());
    assert_eq!(world.cursor("s", "events/a"), Some(offset(2)));
}

#[test]
fn sentinels_and_inventions_are_no_offsets() {
    let mut world = woken();
    let claim = world.claim("s", "w").unwrap();
    for invented in ["-1", "now", "", "0", "0000000"] {
        let body = json!({
            "wake_id": claim.wake_id, "generation": claim.generation,
            "acks": [{ "stream": "events/a", "offset": invented }],
        });
        let report = serde_json::from_value(body).unwrap();
        let answer = world
            .change(|registry, moment| registry.report("s", &claim.token, Purpose::Claim, &report, moment));
        assert!(matches!(answer, Err(Refusal::InvalidOffset(_))), "{invented}");
    }
}

#[test]
fn heartbeats_keep_the_claim() {
    let mut world = woken();
    world.advance(seconds(100.0));
    let claim = world.claim("s", "w1").unwrap();
    for _ in 0..5 {
        world.advance(seconds(0.9));
        assert_eq!(world.ack("s", &claim, &[], false), Ok(false));
    }
    world.advance(seconds(0.9));
    assert!(matches!(world.claim("s", "w2"), Err(Refusal::AlreadyClaimed { .. })));
    assert_eq!(world.wake_events.len(), 1);
}

#[test]
fn a_lease_that_ends_frees_the_work_and_fences_its_holder() {
    let mut world = woken();
    let late = world.claim("s", "w1").unwrap();
    world.advance(seconds(0.999));
    assert_eq!(world.wake_events.len(), 1);
    world.advance(seconds(0.001));
    assert_eq!(world.wake_events[1].wake.generation, 2);
    assert_eq!(world.ack("s", &late, &[("events/a", 1)], true), Err(Refusal::Fenced));
    assert_eq!(world.release("s", &late), Err(Refusal::Fenced));
    assert_eq!(world.cursor("s", "events/a"), Some(offset(0)));
    assert_eq!(world.claim("s", "w2").unwrap().generation, 2);
}

#[test]
fn a_lease_is_over_even_before_the_timer_has_noticed() {
    let mut world = woken();
    let late = world.claim("s", "w1").unwrap();
    world.clock += seconds(1.0);
    assert_eq!(world.ack("s", &late, &[], false), Err(Refusal::Fenced));
    assert_eq!(world.claim("s", "w2").unwrap().generation, 2);
}

#[test]
fn a_lease_that_ends_without_work_left_wakes_nobody() {
    let mut world = woken();
    let claim = world.claim("s", "w1").unwrap();
    assert_eq!(world.ack("s", &claim, &[("events/a", 1)], false), Ok(false));
    world.advance(seconds(5.0));
    assert_eq!(world.wake_events.len(), 1);
    assert_eq!(world.claim("s", "w2").unwrap_err(), Refusal::NoPendingWork);
    world.append("events/a");
    assert_eq!(world.wake_events.len(), 2);
}

#[test]
fn a_release_moves_nothing_and_wakes_anew() {
    let mut world = woken();
    let claim = world.claim("s", "w1").unwrap();
    assert_eq!(world.release("s", &claim), Ok(()));
    assert_eq!(world.cursor("s", "events/a"), Some(offset(0)));
    assert_eq!(world.wake_events[1].wake.generation, 2);
    assert_eq!(world.release("s", &claim), Err(Refusal::Fenced));
    assert!(world.claim("s", "w2").is_ok());
}

#[test]
fn token_and_body_must_both_name_the_current_wake() {
    let mut world = woken();
    let old = world.claim("s", "w").unwrap();
    world.release("s", &old).unwrap();
    let current = world.claim("s", "w").unwrap();
    let (id, generation) = (current.wake_id.as_str(), current.generation);
    let acks = [("events/a", 1)];
    for (token, wake_id, generation) in [
        (&old.token, id, generation),
        (&current.token, old.wake_id.as_str(), generation),
        (&current.token, id, old.generation),
        (&current.token, "w_other", generation),
        (&current.token, id, generation + 1),
        (&old.token, old.wake_id.as_str(), old.generation),
    ] {
        let answer = world.report("s", Purpose::Claim, token, (wake_id, generation), &acks, true);
        assert_eq!(answer, Err(Refusal::Fenced));
    }
    assert_eq!(world.cursor("s", "events/a"), Some(offset(0)));
    assert_eq!(world.ack("s", &current, &acks, true), Ok(false));
    assert_eq!(world.ack("s", &current, &acks, true), Err(Refusal::Fenced));
}

#[test]
fn a_token_opens_its_own_subscription_and_endpoint_only() {
    let mut world = woken();
    world.put_pull("t", "events/*");
    world.append("events/a");
    let (s, t) = (world.claim("s", "w").unwrap(), world.claim("t", "w").unwrap());
    let wake = (t.wake_id.as_str(), t.generation);
    let attempts = [
        ("t", Purpose::Claim, s.token.as_str()),
        ("t", Purpose::Callback, t.token.as_str()),
        ("t", Purpose::Claim, ""),
    ];
    for (id, purpose, token) in attempts {
        let answer = world.report(id, purpose, token, wake, &[], true);
        assert_eq!(answer, Err(Refusal::TokenInvalid));
    }
    assert_eq!(world.ack("t", &t, &[], false), Ok(false));
}

#[test]
fn a_token_expires_however_long_its_lease_is_extended() {
    let mut world = woken();
    let claim = world.claim("s", "w").unwrap();
    for _ in 0..(24 * 60 * 60 * 2 - 1) {
        world.advance(seconds(0.5));
        assert_eq!(world.ack("s", &claim, &[], false), Ok(false));
    }
    world.advance(seconds(0.5));
    assert_eq!(world.ack("s", &claim, &[], false), Err(Refusal::TokenExpired));
}

#[test]
fn a_wake_without_wake_stream_is_announced_once_there_is_one() {
    let mut world = World::new();
    world.streams.0.borrow_mut().remove(WAKE_STREAM);
    world.put_pull("s", "events/*");
    world.append("events/a");
    world.append("events/a");
    assert!(world.wake_events.is_empty());
    assert!(world.streams.tail(WAKE_STREAM).is_none());
    world.create(WAKE_STREAM);
    world.append("events/b");
    world.append("events/b");
    assert_eq!(world.wake_events.len(), 1);
    assert_eq!(world.wake_events[0].wake.generation, 1);
    assert_eq!(world.claim("s", "w").unwrap().generation, 1);
}

#[test]
fn a_wake_stream_that_is_linked_itself_does_not_wake_forever() {
    let mut world = World::new();
    world.put_pull("s", "**");
    world.put_pull("t", "**");
    world.append("x");
    assert_eq!(world.wake_events.len(), 2);
    for id in ["s", "t"] {
        let claim = world.claim(id, "w").unwrap();
        let next = world.ack(id, &claim, &[("x", 1), (WAKE_STREAM, 2)], true);
        assert_eq!(next, Ok(false));
    }
    assert_eq!(world.wake_events.len(), 2);
}
