//! Which streams are linked, and from where on.

use serde_json::json;

use super::super::config::{SubscriptionConfig, SubscriptionLimits};
use super::super::link::LinkType::{Explicit, Glob};
use super::*;

#[test]
fn history_is_linked_at_its_tail_and_wakes_nobody() {
    let mut world = World::new();
    world.append("events/a");
    world.append("events/a");
    world.append("other");
    world.put_pull("s", "events/*");
    assert_eq!(world.cursors("s"), [("events/a".to_owned(), Glob, offset(2))]);
    assert_eq!(world.claim("s", "w").unwrap_err(), Refusal::NoPendingWork);
    assert!(world.wake_events.is_empty());
    world.append("events/a");
    assert_eq!(world.wake_events.len(), 1);
}

#[test]
fn a_late_stream_is_linked_before_its_first_append() {
    let mut world = World::new();
    world.put_pull("s", "events/*");
    world.create("events/a");
    assert!(world.wake_events.is_empty());
    world.append("events/a");
    assert_eq!(world.cursor("s", "events/a"), Some(offset(0)));
    assert_eq!(world.wake_events[0].stream, "events/a");
}

#[test]
fn a_late_fork_is_linked_where_it_branched_off() {
    let mut world = World::new();
    world.put_pull("s", "events/*");
    world.fork("events/a", 7);
    world.append("events/a");
    assert_eq!(world.cursor("s", "events/a"), Some(offset(7)));
    let claim = world.claim("s", "w").unwrap();
    assert_eq!(world.ack("s", &claim, &[("events/a", 8)], true), Ok(false));
}

#[test]
fn a_stream_linked_before_it_exists_has_no_work_until_it_has_events() {
    let mut world = World::new();
    let body = json!({ "type": "pull-wake", "streams": ["a"], "wake_stream": WAKE_STREAM });
    world.put("s", &body).unwrap();
    assert_eq!(world.cursor("s", "a").unwrap(), "-1");
    world.fork("a", 5);
    assert_eq!(world.claim("s", "w").unwrap_err(), Refusal::NoPendingWork);
    world.append("a");
    assert_eq!(world.wake_events.len(), 1);
    let claim = world.claim("s", "w").unwrap();
    assert!(claim.streams[0].has_pending);
    assert_eq!(world.ack("s", &claim, &[("a", 6)], true), Ok(false));
    assert_eq!(world.cursor("s", "a"), Some(offset(6)));
}

#[test]
fn adding_links_at_the_tail_and_adding_again_changes_nothing() {
    let mut world = World::new();
    world.put_pull("s", "events/*");
    world.append("x");
    world.add_streams("s", &["x", "/x/"]).unwrap();
    assert_eq!(world.cursors("s"), [("x".to_owned(), Explicit, offset(1))]);
    world.append("x");
    assert_eq!(world.wake_events.len(), 1);
    world.add_streams("s", &["x"]).unwrap();
    assert_eq!(world.cursor("s", "x"), Some(offset(1)));
    assert!(world.claim("s", "w").unwrap().streams[0].has_pending);
}

#[test]
fn removing_takes_the_explicit_link_and_leaves_the_glob_one() {
    let mut world = World::new();
    world.append("events/a");
    world.put_pull("s", "events/*");
    world.append("x");
    world.add_streams("s", &["events/a", "x"]).unwrap();
    world.append("events/a");
    assert_eq!(world.cursors("s")[0].1, Explicit);
    world.remove_stream("s", "events/a");
    world.remove_stream("s", "x");
    world.remove_stream("s", "never/there");
    assert_eq!(world.cursors("s"), [("events/a".to_owned(), Glob, offset(1))]);
    world.append("x");
    let claim = world.claim("s", "w").unwrap();
    assert_eq!(world.ack("s", &claim, &[("events/a", 2)], true), Ok(false));
    world.append("events/a");
    assert_eq!(world.wake_events.len(), 2);
}

#[test]
fn a_matching_stream_that_never_was_is_not_left_as_a_glob_link() {
    let mut world = World::new();
    world.put_pull("s", "events/*");
    world.add_streams("s", &["events/planned"]).unwrap();
    world.remove_stream("s", "events/planned");
    assert!(world.cursors("s").is_empty());
}

#[test]
fn a_deleted_stream_takes_its_glob_link_along() {
    let mut world = World::new();
    world.append("events/a");
    world.append("x");
    world.put_pull("s", "events/*");
    world.add_streams("s", &["x"]).unwrap();
    world.append("events/a");
    world.delete_stream("events/a");
    world.delete_stream("x");
    assert_eq!(world.cursors("s"), [("x".to_owned(), Explicit, "-1".to_owned())]);
    // The wake in flight has nothing to hand out; the next append makes another one.
    assert_eq!(world.claim("s", "w").unwrap_err(), Refusal::NoPendingWork);
    world.append("x");
    assert_eq!(world.wake_events.last().unwrap().wake.generation, 2);
    assert!(world.claim("s", "w").is_ok());
}

#[test]
fn the_same_configuration_confirms_and_another_one_conflicts() {
    let mut world = World::new();
    world.append("events/a");
    world.put_pull("s", "events/*");
    world.append("events/a");
    world.add_streams("s", &["x"]).unwrap();
    let body = |pattern: &str| json!({ "type": "pull-wake", "pattern": pattern, "wake_stream": WAKE_STREAM, "lease_ttl_ms": 1000 });
    let before = world.cursors("s");
    assert_eq!(world.put("s", &body("/events/*")), Ok(Put::Confirmed));
    assert_eq!(world.put("s", &body("events/**")), Err(Refusal::Conflict));
    assert_eq!(world.cursors("s"), before);
}

#[test]
fn a_deleted_subscription_is_silent_and_fenced() {
    let mut world = World::new();
    world.put_pull("s", "events/*");
    world.append("events/a");
    let claim = world.claim("s", "w").unwrap();
    world.change(|registry, _| registry.delete("s"));
    world.append("events/a");
    assert_eq!(world.registry.deadline(), None);
    assert_eq!(world.wake_events.len(), 1);
    assert_eq!(world.ack("s", &claim, &[("events/a", 1)], true), Err(Refusal::UnknownSubscription));
    assert_eq!(world.release("s", &claim), Err(Refusal::UnknownSubscription));
    // Its successor counts from the beginning, so the generation alone would let the old token in.
    world.put_pull("s", "events/*");
    world.append("events/a");
    assert_eq!(world.claim("s", "w2").unwrap().generation, claim.generation);
    assert_eq!(world.ack("s", &claim, &[("events/a", 3)], true), Err(Refusal::Fenced));
    assert_eq!(world.cursor("s", "events/a"), Some(offset(2)));
}

#[test]
fn bounds_hold() {
    let limits =
        SubscriptionLimits { subscriptions: 1, streams_per_subscription: 2, ..SubscriptionLimits::default() };
    let config = SubscriptionConfig { limits, ..SubscriptionConfig::default() };
    let mut world = World::with(config, 1);
    world.put_pull("s", "events/*");
    for path in ["events/a", "events/b", "events/c"] {
        world.append(path);
    }
    assert_eq!(world.cursors("s").len(), 2);
    assert!(matches!(world.add_streams("s", &["x"]), Err(Refusal::Limit(_))));
    assert!(world.add_streams("s", &["events/a"]).is_ok());
    let body = json!({ "type": "pull-wake", "pattern": "events/*", "wake_stream": WAKE_STREAM });
    assert!(matches!(world.put("t", &body), Err(Refusal::Limit(_))));
    world.change(|registry, _| registry.delete("s"));
    assert!(matches!(world.put("t", &body), Err(Refusal::Limit(_))), "three streams match");
}
