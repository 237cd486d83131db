//! Runs the registry: reads the clock, waits for deadlines and carries out effects.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Serialize;
use serde_json::json;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::config::SubscriptionConfig;
use super::delivery::DeliveryClient;
use super::effect::{DeliveryOutcome, Effect, Notification, WakeEvent};
use super::link::StreamStatus;
use super::registry::{Moment, Registry};
use super::signing::{JwkSet, KeyRing};
use super::streams::Streams;
use super::subscription::Now;
use super::urls::ControlUrls;
use super::view::SigningView;

/// The subscriptions of one server. Needs a tokio runtime with timers and I/O.
pub(crate) struct Subscriptions {
    pub(super) config: SubscriptionConfig,
    streams: Arc<dyn Streams>,
    registry: Mutex<Registry>,
    keys: Mutex<KeyRing>,
    urls: ControlUrls,
    client: DeliveryClient,
    deliveries: Semaphore,
    started: Instant,
    /// Set before the first subscription looks at any stream. As long as it is not, appends need not be told.
    in_use: AtomicBool,
    deadline_moved: Notify,
    tasks: TaskTracker,
    stopping: CancellationToken,
}

/// Body of a webhook (section 7.1).
#[derive(Serialize)]
struct NotificationBody<'a> {
    subscription_id: &'a str,
    wake_id: &'a str,
    generation: u64,
    streams: &'a [StreamStatus],
    callback_url: String,
    callback_token: &'a str,
}

impl Subscriptions {
    /// Starts with no subscriptions. `stream_root` is the URL that clients and receivers reach the stream root
    /// at; callbacks and the key set are announced below it.
    pub(crate) fn start(
        config: SubscriptionConfig,
        streams: Arc<dyn Streams>,
        stream_root: &str,
    ) -> Arc<Self> {
        let mut rng = StdRng::from_os_rng();
        let seed = config.signing_seed.unwrap_or_else(|| rng.random());
        let subscriptions = Arc::new(Self {
            client: DeliveryClient::new(&config),
            deliveries: Semaphore::new(config.limits.concurrent_deliveries),
            registry: Mutex::new(Registry::new(config.clone(), rng)),
            keys: Mutex::new(KeyRing::new(seed)),
            urls: ControlUrls::new(stream_root),
            config,
            streams,
            started: Instant::now(),
            in_use: AtomicBool::new(false),
            deadline_moved: Notify::new(),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
        });
        let timer = Arc::clone(&subscriptions);
        subscriptions.tasks.spawn(async move { timer.keep_deadlines().await });
        subscriptions
    }

    /// Stops all deliveries and timers, and waits for them.
    pub(crate) async fn stop(&self) {
        self.stopping.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// To be called after each append of data to a stream, that of a PUT with a body included, and before the
    /// append is answered. `path` is relative to the stream root and percent-decoded.
    pub(crate) fn appended(self: &Arc<Self>, path: &str) {
        if self.in_use.load(Ordering::SeqCst) {
            self.change(|registry, moment| registry.stream_appended(path, moment));
        }
    }

    /// To be called after a stream was deleted, expired, or became unreadable.
    pub(crate) fn deleted(self: &Arc<Self>, path: &str) {
        if self.in_use.load(Ordering::SeqCst) {
            self.change(|registry, moment| registry.stream_deleted(path, moment));
        }
    }

    /// Signs deliveries with a new key from now on. The old public key stays published for the replay window.
    pub(crate) fn rotate_signing_key(&self) {
        let window = self.config.replay_window.as_secs();
        let published_until = Timestamp::now().as_second().saturating_add_unsigned(window);
        self.keys.lock().rotate(rand::random(), published_until);
    }

    pub(super) fn jwks(&self) -> JwkSet {
        self.keys.lock().jwks(Timestamp::now().as_second())
    }

    pub(super) fn signing_view(&self) -> SigningView {
        SigningView {
            alg: "ed25519",
            kid: self.keys.lock().active_kid().to_owned(),
            jwks_url: self.urls.jwks(),
        }
    }

    /// To be called before a subscription is put, so that no append is missed meanwhile.
    pub(super) fn expect_appends(&self) {
        self.in_use.store(true, Ordering::SeqCst);
    }

    /// Lets `act` change the registry, and sees to what follows from it.
    pub(super) fn change<T>(self: &Arc<Self>, act: impl FnOnce(&mut Registry, Moment<'_>) -> T) -> T {
        let (result, effects) = self.locked(act);
        self.carry_out(effects);
        result
    }

    fn locked<T>(&self, act: impl FnOnce(&mut Registry, Moment<'_>) -> T) -> (T, Vec<Effect>) {
        let mut registry = self.registry.lock();
        let before = registry.deadline();
        // Read under the lock, so that time never runs backwards from one change to the next.
        let now = Now { monotonic: self.started.elapsed(), wall: Timestamp::now() };
        let streams = self.streams.as_ref();
        let result = act(&mut registry, Moment { now, streams });
        if registry.deadline() != before {
            self.deadline_moved.notify_one();
        }
        (result, registry.take_effects())
    }

    /// A wake event can wake further subscriptions, that link the wake stream in their turn: hence a queue.
    fn carry_out(self: &Arc<Self>, effects: Vec<Effect>) {
        let mut queue = VecDeque::from(effects);
        while let Some(effect) = queue.pop_front() {
            match effect {
                Effect::AppendWakeEvent(event) => queue.extend(self.append(&event)),
                Effect::Deliver(notification) => {
                    let sender = Arc::clone(self);
                    self.tasks.spawn(async move {
                        tokio::select! {
                            () = sender.deliver(&notification) => {}
                            () = sender.stopping.cancelled() => {}
                        }
                    });
                }
            }
        }
    }

    fn append(&self, event: &WakeEvent) -> Vec<Effect> {
        let message = json!({
            "type": "wake",
            "subscription_id": event.subscription,
            "stream": event.stream,
            "generation": event.wake.generation,
            "ts": Timestamp::now().as_millisecond(),
        });
        let appended = self.streams.append_json(&event.wake_stream, &message).is_ok();
        let ((), effects) = self.locked(|registry, moment| {
            registry.wake_event_ended(&event.subscription, &event.wake.id, appended, moment);
            if appended {
                registry.stream_appended(&event.wake_stream, moment);
            }
        });
        effects
    }

    async fn deliver(self: &Arc<Self>, notification: &Notification) {
        let Ok(_permit) = self.deliveries.acquire().await else {
            return;
        };
        if !self.is_current(notification) {
            return;
        }
        let body = serde_json::to_vec(&NotificationBody {
            subscription_id: &notification.subscription,
            wake_id: notification.wake.id.as_str(),
            generation: notification.wake.generation,
            streams: &notification.streams,
            callback_url: self.urls.callback(&notification.subscription),
            callback_token: &notification.token,
        })
        .expect("a notification is plain JSON");
        let now = Timestamp::now().as_second();
        let signature = self.keys.lock().signature_header(&body, now);
        let outcome = self.client.post(&notification.url, &signature, Bytes::from(body)).await;
        self.report_delivery(notification, outcome);
    }

    /// Whether a notification that had to wait for its turn is still worth sending.
    fn is_current(&self, notification: &Notification) -> bool {
        let registry = self.registry.lock();
        registry
            .find(&notification.subscription)
            .is_ok_and(|subscription| subscription.phase.wake() == Some(&notification.wake))
    }

    fn report_delivery(self: &Arc<Self>, notification: &Notification, outcome: DeliveryOutcome) {
        self.change(|registry, moment| {
            registry.delivery_ended(&notification.subscription, &notification.wake.id, outcome, moment);
        });
    }

    async fn keep_deadlines(self: Arc<Self>) {
        loop {
            let deadline = self.registry.lock().deadline();
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = self.deadline_moved.notified() => {}
                () = self.until(deadline) => self.change(|registry, moment| registry.expire(moment)),
            }
        }
    }

    async fn until(&self, deadline: Option<Duration>) {
        match deadline {
            Some(deadline) => tokio::time::sleep_until(self.started + deadline).await,
            None => std::future::pending().await,
        }
    }
}
