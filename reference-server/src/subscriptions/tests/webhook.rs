//! Webhooks: deliveries, their ends, and repeats.

use super::super::effect::DeliveryOutcome::{Failed, Received};
use super::*;

const DONE: DeliveryOutcome = Received { done: true };
const TAKEN: DeliveryOutcome = Received { done: false };

fn woken(lease_ttl_ms: u64) -> World {
    let mut world = World::new();
    world.put_webhook("s", lease_ttl_ms);
    world.append("events/a");
    world
}

fn has_failed(world: &World) -> bool {
    world.registry.find("s").unwrap().backoff.is_some()
}

/// Seconds between the attempts so far.
fn gaps(world: &World) -> Vec<f64> {
    let times: Vec<f64> = world.deliveries.iter().map(|(at, _)| at.as_secs_f64()).collect();
    times.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

fn is_near(gap: f64, steady: f64) -> bool {
    (gap / steady - 1.0).abs() < 0.201
}

#[test]
fn done_acks_what_was_sent_and_no_more() {
    let mut world = woken(1000);
    let sent = world.last_sent();
    assert_eq!(sent.streams[0].tail_offset, offset(1));
    assert!(sent.streams[0].has_pending);
    world.append("events/a");
    world.append("events/b");
    assert_eq!(world.deliveries.len(), 1);
    world.answer(&sent, DONE);
    assert_eq!(world.cursor("s", "events/a"), Some(offset(1)));
    let next = world.last_sent();
    assert_eq!(next.wake.generation, 2);
    assert_ne!(next.wake.id, sent.wake.id);
    world.answer(&next, DONE);
    assert_eq!(world.cursor("s", "events/a"), Some(offset(2)));
    assert_eq!(world.cursor("s", "events/b"), Some(offset(1)));
    world.advance(seconds(100.0));
    assert_eq!(world.deliveries.len(), 2);
}

#[test]
fn another_success_leaves_the_wake_open_until_the_lease_ends() {
    let mut world = woken(1000);
    let sent = world.last_sent();
    world.answer(&sent, TAKEN);
    assert_eq!(world.cursor("s", "events/a"), Some(offset(0)));
    world.advance(seconds(0.99));
    assert_eq!(world.deliveries.len(), 1);
    world.advance(seconds(0.01));
    assert_eq!(world.last_sent().wake.generation, 2);
    assert!(!has_failed(&world));
    assert_eq!(world.callback(&sent, &[("events/a", 1)], true), Err(Refusal::Fenced));
}

#[test]
fn callbacks_ack_extend_and_end() {
    let mut world = woken(1000);
    world.append("events/a");
    let sent = world.last_sent();
    world.answer(&sent, TAKEN);
    for _ in 0..3 {
        world.advance(seconds(0.9));
        assert_eq!(world.callback(&sent, &[("events/a", 1)], false), Ok(false));
    }
    assert_eq!(world.deliveries.len(), 1);
    assert_eq!(world.callback(&sent, &[], true), Ok(true));
    let next = world.last_sent();
    assert_eq!(next.streams[0].acked_offset, offset(1));
    assert_eq!(world.callback(&next, &[("events/a", 2)], true), Ok(false));
    assert_eq!(world.callback(&next, &[("events/a", 2)], true), Err(Refusal::Fenced));
    assert_eq!(world.deliveries.len(), 2);
}

#[test]
fn a_callback_counts_before_the_response_and_done_after_it_too() {
    let mut world = woken(1000);
    let sent = world.last_sent();
    assert_eq!(world.callback(&sent, &[], false), Ok(false));
    world.advance(seconds(0.9));
    assert_eq!(world.callback(&sent, &[], false), Ok(false));
    world.advance(seconds(0.9));
    world.answer(&sent, DONE);
    assert_eq!(world.cursor("s", "events/a"), Some(offset(1)));
}

#[test]
fn done_takes_back_nothing_that_a_callback_acked() {
    let mut world = woken(1000);
    let sent = world.last_sent();
    world.append("events/a");
    assert_eq!(world.callback(&sent, &[("events/a", 2)], false), Ok(false));
    world.answer(&sent, DONE);
    assert_eq!(world.cursor("s", "events/a"), Some(offset(2)));
    assert_eq!(world.deliveries.len(), 1);
}

#[test]
fn a_receiver_heard_from_is_not_sent_a_repeat() {
    let mut world = woken(10_000);
    let sent = world.last_sent();
    world.callback(&sent, &[], false).unwrap();
    world.answer(&sent, Failed);
    assert!(!has_failed(&world));
    world.advance(seconds(9.9));
    assert_eq!(world.deliveries.len(), 1);
}

/// Fails attempts until `count` were made, each as soon as it is sent.
fn fail_until(world: &mut World, count: usize) {
    while world.deliveries.len() < count {
        world.answer(&world.last_sent(), Failed);
        assert!(has_failed(world));
        let due = world.registry.deadline().expect("nothing is due");
        world.advance(due - world.clock);
    }
}

#[test]
fn failures_are_repeated_with_growing_gaps_as_the_same_wake() {
    let mut world = woken(600_000);
    fail_until(&mut world, 9);
    let steady = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0];
    for (gap, steady) in gaps(&world).into_iter().zip(steady) {
        assert!(is_near(gap, steady), "{gap} against {steady}");
    }
    let first = &world.deliveries[0].1;
    for (_, repeat) in &world.deliveries {
        assert_eq!(repeat.wake, first.wake);
        assert_eq!(repeat.streams, first.streams);
    }
    world.answer(&world.last_sent(), DONE);
    assert!(!has_failed(&world));
    world.append("events/a");
    fail_until(&mut world, 11);
    assert!(is_near(gaps(&world)[9], 1.0), "success starts the gaps over");
}

#[test]
fn success_starts_the_gaps_over_even_with_work_left() {
    let mut world = woken(600_000);
    fail_until(&mut world, 5);
    world.append("events/a");
    world.answer(&world.last_sent(), DONE);
    assert_eq!(world.last_sent().wake.generation, 2);
    assert!(!has_failed(&world));
    fail_until(&mut world, 7);
    assert!(is_near(gaps(&world)[5], 1.0));
}

#[test]
fn a_repeat_that_arrives_ends_the_failure() {
    let mut world = woken(10_000);
    fail_until(&mut world, 2);
    world.answer(&world.last_sent(), TAKEN);
    assert!(!has_failed(&world));
    assert_eq!(world.registry.deadline(), Some(seconds(10.0)), "the lease, and nothing before it");
}

#[test]
fn a_lease_that_ends_with_nothing_left_ends_the_failure() {
    let mut world = woken(5000);
    fail_until(&mut world, 3);
    world.answer(&world.last_sent(), Failed);
    world.delete_stream("events/a");
    world.advance(seconds(5.0) - world.clock);
    assert!(!has_failed(&world));
    assert_eq!(world.registry.deadline(), None);
}

#[test]
fn a_lease_that_ends_between_attempts_makes_a_new_wake_at_the_old_pace() {
    let mut world = woken(1000);
    for _ in 0..4 {
        world.answer(&world.last_sent(), Failed);
        world.append("events/a");
        let sent = world.deliveries.len();
        while world.deliveries.len() == sent {
            let due = world.registry.deadline().expect("nothing is due");
            world.advance(due - world.clock);
            assert!(has_failed(&world));
        }
    }
    for (gap, steady) in gaps(&world).into_iter().zip([1.0, 2.0, 4.0, 8.0]) {
        assert!(is_near(gap, steady), "{gap} against {steady}");
    }
    let generations: Vec<u64> = world.deliveries.iter().map(|(_, sent)| sent.wake.generation).collect();
    assert_eq!(
        &generations[1..],
        [generations[1], generations[1] + 1, generations[1] + 2, generations[1] + 3]
    );
    assert_eq!(world.callback(&world.deliveries[1].1.clone(), &[], true), Err(Refusal::Fenced));
    assert_eq!(world.callback(&world.last_sent(), &[("events/a", 5)], true), Ok(false));
}

#[test]
fn a_receiver_that_never_answers_is_left_more_and_more_time() {
    let mut world = woken(1000);
    world.advance(seconds(20.0));
    let gaps = gaps(&world);
    assert!(gaps.len() >= 3, "{gaps:?}");
    for (gap, steady) in gaps.into_iter().zip([1.0, 2.0, 4.0]) {
        assert!(is_near(gap - 1.0, steady), "{gap}: the lease and {steady}");
    }
}

#[test]
fn a_delivery_whose_streams_are_gone_is_not_repeated() {
    let mut world = woken(600_000);
    world.answer(&world.last_sent(), Failed);
    world.delete_stream("events/a");
    world.advance(seconds(10.0));
    assert_eq!(world.deliveries.len(), 1);
    assert!(!has_failed(&world));
    world.append("events/a");
    assert_eq!(world.last_sent().wake.generation, 2);
}

#[test]
fn done_acks_no_stream_made_anew_since() {
    let mut world = woken(1000);
    world.append("events/a");
    world.add_streams("s", &["events/a"]).unwrap();
    world.answer(&world.last_sent(), DONE);
    let sent = world.last_sent();
    assert_eq!(sent.streams[0].tail_offset, offset(2));
    world.delete_stream("events/a");
    world.append("events/a");
    world.answer(&sent, DONE);
    assert_eq!(world.cursor("s", "events/a").unwrap(), "-1");
    assert_eq!(world.last_sent().streams[0].tail_offset, offset(1));
}

#[test]
fn an_old_outcome_is_nobodys() {
    let mut world = woken(1000);
    let old = world.last_sent();
    world.answer(&old, TAKEN);
    world.advance(seconds(1.0));
    world.append("events/a");
    world.answer(&old, DONE);
    world.answer(&old, Failed);
    assert_eq!(world.cursor("s", "events/a"), Some(offset(0)));
    assert!(!has_failed(&world));
    assert_eq!(world.callback(&world.last_sent(), &[], false), Ok(false));
}
