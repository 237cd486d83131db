//! Random histories: whatever happens in whatever order, the promises hold.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::phase::{Attempt, Phase};
use super::super::subscription::Subscription;
use super::*;

#[derive(Clone, Debug)]
enum Step {
    Append(u8),
    DeleteStream(u8),
    AddStream(u8),
    RemoveStream(u8),
    Claim,
    Ack { of: u8, back: u8, done: bool },
    Release { of: u8 },
    Answer { of: u8, outcome: DeliveryOutcome },
    Callback { of: u8, done: bool },
    Wait(u16),
}

fn step() -> impl Strategy<Value = Step> {
    let outcome = prop_oneof![
        Just(DeliveryOutcome::Failed),
        Just(DeliveryOutcome::Received { done: true }),
        Just(DeliveryOutcome::Received { done: false }),
    ];
    prop_oneof![
        4 => (0..3_u8).prop_map(Step::Append),
        1 => (0..3_u8).prop_map(Step::DeleteStream),
        1 => (0..3_u8).prop_map(Step::AddStream),
        1 => (0..3_u8).prop_map(Step::RemoveStream),
        3 => Just(Step::Claim),
        3 => (0..3_u8, 0..3_u8, any::<bool>()).prop_map(|(of, back, done)| Step::Ack { of, back, done }),
        1 => (0..3_u8).prop_map(|of| Step::Release { of }),
        3 => (0..3_u8, outcome).prop_map(|(of, outcome)| Step::Answer { of, outcome }),
        2 => (0..3_u8, any::<bool>()).prop_map(|(of, done)| Step::Callback { of, done }),
        3 => (0..2500_u16).prop_map(Step::Wait),
    ]
}

/// The `back`th newest, where 0 is the newest.
fn recent<T: Clone>(list: &[T], back: u8) -> Option<T> {
    list.len().checked_sub(1 + usize::from(back)).map(|at| list[at].clone())
}

fn path(stream: u8) -> String {
    format!("events/{stream}")
}

fn take(world: &mut World, claims: &mut Vec<Claim>, step: Step) {
    match step {
        Step::Append(stream) => world.append(&path(stream)),
        Step::DeleteStream(stream) => world.delete_stream(&path(stream)),
        Step::AddStream(stream) => {
            for id in ["pull", "hook"] {
                world.add_streams(id, &[&path(stream)]).unwrap();
            }
        }
        Step::RemoveStream(stream) => {
            for id in ["pull", "hook"] {
                world.remove_stream(id, &path(stream));
            }
        }
        Step::Claim => claims.extend(world.claim("pull", "w")),
        Step::Ack { of, back, done } => {
            if let Some(claim) = recent(claims, of) {
                let acks: Vec<(String, u64)> = claim
                    .streams
                    .iter()
                    .filter_map(|status| Some((status.path.clone(), status.tail_offset.parse::<u64>().ok()?)))
                    .map(|(path, tail)| (path, tail.saturating_sub(back.into())))
                    .collect();
                let acks: Vec<(&str, u64)> = acks.iter().map(|(path, at)| (path.as_str(), *at)).collect();
                let _ = world.ack("pull", &claim, &acks, done);
            }
        }
        Step::Release { of } => {
            if let Some(claim) = recent(claims, of) {
                let _ = world.release("pull", &claim);
            }
        }
        Step::Answer { of, outcome } => {
            if let Some((_, sent)) = recent(&world.deliveries, of) {
                world.answer(&sent, outcome);
            }
        }
        Step::Callback { of, done } => {
            if let Some((_, sent)) = recent(&world.deliveries, of) {
                let _ = world.callback(&sent, &[], done);
            }
        }
        Step::Wait(milliseconds) => world.advance(Duration::from_millis(milliseconds.into())),
    }
}

/// What must hold between any two steps.
fn check(world: &World, subscription: &Subscription, before: &BTreeMap<String, String>) {
    let pending = subscription.links.first_pending(&world.streams);
    let waits_for_its_time = subscription.backoff.is_some_and(|backoff| backoff.next_attempt_at().is_some());
    if matches!(subscription.phase, Phase::Idle) {
        assert!(pending.is_none() || waits_for_its_time, "work is pending and nobody is woken");
    }
    if let Phase::Notified { attempt: Attempt::WaitingToRepeat, .. } = subscription.phase {
        assert!(waits_for_its_time, "a repeat waits and has no time");
    }
    for (path, link) in subscription.links.iter() {
        let is_older = |cursor: &String| cursor.as_str() <= link.acked.as_str();
        assert!(before.get(path).is_none_or(is_older), "a cursor went back");
        if let Some(tail) = world.streams.tail(path) {
            assert!(link.acked <= tail, "a cursor is beyond the tail");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn promises_hold_in_every_history(steps in prop::collection::vec(step(), 1..60), seed: u64) {
        let mut world = World::with(SubscriptionConfig::default(), seed);
        world.put_pull("pull", "events/*");
        world.put_webhook("hook", 1000);
        let mut claims = Vec::new();
        let mut generations = BTreeMap::new();
        for step in steps {
            let restarts = matches!(step, Step::DeleteStream(_) | Step::RemoveStream(_));
            let before: BTreeMap<&str, BTreeMap<String, String>> = ["pull", "hook"]
                .into_iter()
                .map(|id| (id, world.cursors(id).into_iter().map(|(path, _, acked)| (path, acked)).collect()))
                .collect();
            take(&mut world, &mut claims, step);
            for id in ["pull", "hook"] {
                let subscription = world.registry.find(id).unwrap();
                let nothing = BTreeMap::new();
                check(&world, subscription, if restarts { &nothing } else { &before[id] });
                let last = generations.insert(id, subscription.generation).unwrap_or(0);
                prop_assert!(subscription.generation >= last);
            }
        }
        // A worker and a receiver that do their work bring every history to rest.
        for _ in 0..100 {
            if let Ok(claim) = world.claim("pull", "last") {
                let tails: Vec<(String, u64)> = claim.streams.iter()
                    .filter(|status| status.has_pending)
                    .map(|status| (status.path.clone(), status.tail_offset.parse().unwrap()))
                    .collect();
                let acks: Vec<(&str, u64)> = tails.iter().map(|(path, at)| (path.as_str(), *at)).collect();
                world.ack("pull", &claim, &acks, true).unwrap();
            }
            if let Some((_, sent)) = world.deliveries.last().cloned() {
                world.answer(&sent, DeliveryOutcome::Received { done: true });
            }
            world.advance(seconds(1.0));
        }
        for id in ["pull", "hook"] {
            let subscription = world.registry.find(id).unwrap();
            prop_assert!(subscription.links.first_pending(&world.streams).is_none(), "{id} has work left");
        }
    }
}
