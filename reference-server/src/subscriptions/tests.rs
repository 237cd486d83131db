//! The state machine under virtual time.

mod links;
mod pull;
mod random;
mod webhook;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::config::SubscriptionConfig;
use super::effect::{DeliveryOutcome, Effect, Notification, WakeEvent};
use super::link::LinkType;
use super::refusal::Refusal;
use super::registry::{Moment, Put, Registry};
use super::settings::{Settings, parse_paths};
use super::streams::StreamView;
use super::subscription::Now;
use super::token::Purpose;
use super::worker::Claim;
use crate::sabotage::Switches;

const WAKE_STREAM: &str = "wake/pool";

/// Streams as counters: an offset is the number of events before it.
#[derive(Default)]
struct Counters(RefCell<BTreeMap<String, Counter>>);

#[derive(Clone, Copy)]
struct Counter {
    origin: u64,
    tail: u64,
}

impl StreamView for Counters {
    fn tail(&self, path: &str) -> Option<String> {
        self.0.borrow().get(path).map(|counter| offset(counter.tail))
    }

    fn origin(&self, path: &str) -> Option<String> {
        self.0.borrow().get(path).map(|counter| offset(counter.origin))
    }

    fn is_offset(&self, text: &str) -> bool {
        text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit())
    }

    fn paths(&self) -> Vec<String> {
        self.0.borrow().keys().cloned().collect()
    }
}

fn offset(position: u64) -> String {
    format!("{position:06}")
}

/// A server in miniature: streams, subscriptions, a clock that a test moves, and all that was sent.
struct World {
    streams: Counters,
    registry: Registry,
    clock: Duration,
    deliveries: Vec<(Duration, Notification)>,
    wake_events: Vec<WakeEvent>,
}

impl World {
    fn new() -> Self {
        Self::with(SubscriptionConfig::default(), 1)
    }

    fn with(config: SubscriptionConfig, seed: u64) -> Self {
        let world = Self {
            streams: Counters::default(),
            registry: Registry::new(config, StdRng::seed_from_u64(seed)),
            clock: Duration::ZERO,
            deliveries: Vec::new(),
            wake_events: Vec::new(),
        };
        world.create(WAKE_STREAM);
        world
    }

    fn create(&self, path: &str) {
        self.fork(path, 0);
    }

    /// A stream whose offsets begin at `origin`, as those of a fork do.
    fn fork(&self, path: &str, origin: u64) {
        let counter = Counter { origin, tail: origin };
        self.streams.0.borrow_mut().insert(path.to_owned(), counter);
    }

    fn append(&mut self, path: &str) {
        self.streams.0.borrow_mut().entry(path.to_owned()).or_insert(Counter { origin: 0, tail: 0 }).tail +=
            1;
        self.change(|registry, moment| registry.stream_appended(path, moment));
    }

    fn delete_stream(&mut self, path: &str) {
        self.streams.0.borrow_mut().remove(path);
        self.change(|registry, moment| registry.stream_deleted(path, moment));
    }

    fn put(&mut self, id: &str, body: &Value) -> Result<Put, Refusal> {
        let config = SubscriptionConfig::default();
        let settings = Settings::parse(body.to_string().as_bytes(), &config, Switches::NONE)?;
        self.change(|registry, moment| registry.put(id, settings, moment))
    }

    fn put_pull(&mut self, id: &str, pattern: &str) {
        let body = json!({
            "type": "pull-wake", "pattern": pattern, "wake_stream": WAKE_STREAM, "lease_ttl_ms": 1000,
        });
        assert_eq!(self.put(id, &body), Ok(Put::Created));
    }

    fn put_webhook(&mut self, id: &str, lease_ttl_ms: u64) {
        let body = json!({
            "type": "webhook", "pattern": "events/*", "lease_ttl_ms": lease_ttl_ms,
            "webhook": { "url": "https://worker.example/hook" },
        });
        assert_eq!(self.put(id, &body), Ok(Put::Created));
    }

    fn add_streams(&mut self, id: &str, paths: &[&str]) -> Result<(), Refusal> {
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        let paths = parse_paths(&paths).unwrap();
        self.change(|registry, moment| registry.add_streams(id, &paths, moment))
    }

    fn remove_stream(&mut self, id: &str, path: &str) {
        let path = super::path::StreamPath::parse(path).unwrap();
        self.change(|registry, moment| registry.remove_stream(id, &path, moment)).unwrap();
    }

    fn claim(&mut self, id: &str, worker: &str) -> Result<Claim, Refusal> {
        self.change(|registry, moment| registry.claim(id, worker, moment))
    }

    /// Reports for the wake named in `body`, with acks given as stream and position.
    fn report(
        &mut self,
        id: &str,
        purpose: Purpose,
        token: &str,
        wake: (&str, u64),
        acks: &[(&str, u64)],
        done: bool,
    ) -> Result<bool, Refusal> {
        let acks: Vec<Value> = acks
            .iter()
            .map(|(stream, position)| json!({ "stream": stream, "offset": offset(*position) }))
            .collect();
        let body = json!({ "wake_id": wake.0, "generation": wake.1, "acks": acks, "done": done });
        let report = serde_json::from_value(body).unwrap();
        self.change(|registry, moment| registry.report(id, token, purpose, &report, moment))
    }

    fn ack(&mut self, id: &str, claim: &Claim, acks: &[(&str, u64)], done: bool) -> Result<bool, Refusal> {
        let wake = (claim.wake_id.as_str(), claim.generation);
        self.report(id, Purpose::Claim, &claim.token, wake, acks, done)
    }

    fn release(&mut self, id: &str, claim: &Claim) -> Result<(), Refusal> {
        let body = json!({ "wake_id": claim.wake_id, "generation": claim.generation });
        let wake = serde_json::from_value(body).unwrap();
        self.change(|registry, moment| registry.release(id, &claim.token, &wake, moment))
    }

    fn callback(&mut self, sent: &Notification, acks: &[(&str, u64)], done: bool) -> Result<bool, Refusal> {
        let wake = (sent.wake.id.as_str(), sent.wake.generation);
        self.report(&sent.subscription, Purpose::Callback, &sent.token, wake, acks, done)
    }

    /// The receiver of `sent` answers, or fails to.
    fn answer(&mut self, sent: &Notification, outcome: DeliveryOutcome) {
        self.change(|registry, moment| {
            registry.delivery_ended(&sent.subscription, &sent.wake.id, outcome, moment);
        });
    }

    fn last_sent(&self) -> Notification {
        self.deliveries.last().expect("nothing was sent").1.clone()
    }

    /// Lets time pass, stopping at every deadline on the way.
    fn advance(&mut self, span: Duration) {
        let end = self.clock + span;
        while let Some(due) = self.registry.deadline().filter(|due| *due <= end) {
            assert!(due >= self.clock, "a deadline was left behind");
            self.clock = due;
            self.change(|registry, moment| registry.expire(moment));
            assert!(self.registry.deadline().is_none_or(|next| next > due), "what was due is still due");
        }
        self.clock = end;
    }

    fn cursors(&self, id: &str) -> Vec<(String, LinkType, String)> {
        self.registry
            .find(id)
            .unwrap()
            .links
            .iter()
            .map(|(path, link)| (path.to_owned(), link.link_type, link.acked.clone()))
            .collect()
    }

    fn cursor(&self, id: &str, path: &str) -> Option<String> {
        let subscription = self.registry.find(id).unwrap();
        subscription.links.find(path).map(|link| link.acked.clone())
    }

    fn change<T>(&mut self, act: impl FnOnce(&mut Registry, Moment<'_>) -> T) -> T {
        let now = Now {
            monotonic: self.clock,
            wall: Timestamp::UNIX_EPOCH + jiff::SignedDuration::try_from(self.clock).unwrap(),
        };
        let moment = Moment { now, streams: &self.streams };
        let result = act(&mut self.registry, moment);
        for effect in self.registry.take_effects() {
            match effect {
                Effect::Deliver(notification) => self.deliveries.push((self.clock, notification)),
                Effect::AppendWakeEvent(event) => self.append_wake_event(event),
            }
        }
        result
    }

    fn append_wake_event(&mut self, event: WakeEvent) {
        let exists = self.streams.tail(&event.wake_stream).is_some();
        self.change(|registry, moment| {
            registry.wake_event_ended(&event.subscription, &event.wake.id, exists, moment);
        });
        if exists {
            let wake_stream = event.wake_stream.clone();
            self.wake_events.push(event);
            self.append(&wake_stream);
        }
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}
