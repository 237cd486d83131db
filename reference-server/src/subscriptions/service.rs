//! Runs the registry: reads the clock, waits for deadlines and carries out effects.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use jiff::Timestamp;
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Serialize;
use serde_json::json;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::config::SubscriptionConfig;
use super::delivery::{DeliveryClient, Letter};
use super::effect::{DeliveryOutcome, Effect, Notification, WakeEvent};
use super::faults::SubscriptionFaults;
use super::link::StreamStatus;
use super::registry::{Moment, Registry};
use super::signing::{JwkSet, KeyRing};
use super::streams::Streams;
use super::subscription::Now;
use super::urls::ControlUrls;
use super::view::SigningView;
use crate::sabotage::{DeliveryFaults, Switch};

/// The subscriptions of one server. Needs a tokio runtime with timers and I/O.
pub(crate) struct Subscriptions {
    pub(super) config: SubscriptionConfig,
    pub(super) faults: SubscriptionFaults,
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
    /// What is left to be done, in order. Each subscription adds one effect a wake or attempt, and waits for it.
    effects: UnboundedSender<Effect>,
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
        faults: SubscriptionFaults,
    ) -> Arc<Self> {
        let mut rng = StdRng::from_os_rng();
        let seed = config.signing_seed.unwrap_or_else(|| rng.random());
        let (effects, to_do) = unbounded_channel();
        let subscriptions = Arc::new(Self {
            client: DeliveryClient::new(&config),
            deliveries: Semaphore::new(config.limits.concurrent_deliveries),
            registry: Mutex::new(Registry::new(config.clone(), rng)),
            keys: Mutex::new(KeyRing::new(seed)),
            urls: ControlUrls::new(config.public_root.as_deref().unwrap_or(stream_root)),
            config,
            faults,
            streams,
            started: Instant::now(),
            in_use: AtomicBool::new(false),
            deadline_moved: Notify::new(),
            effects,
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
        });
        let tasks = &subscriptions.tasks;
        tasks.spawn(Arc::clone(&subscriptions).keep_deadlines());
        tasks.spawn(Arc::clone(&subscriptions).carry_out(to_do));
        if let Some(lifetime) = subscriptions.config.signing_key_lifetime {
            tasks.spawn(Arc::clone(&subscriptions).rotate_keys(lifetime));
        }
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
    pub(crate) fn appended(&self, path: &str) {
        if self.in_use.load(Ordering::SeqCst) {
            self.change(|registry, moment| registry.stream_appended(path, moment));
        }
    }

    /// To be called after a stream was deleted, expired, or became unreadable.
    pub(crate) fn deleted(&self, path: &str) {
        if self.in_use.load(Ordering::SeqCst) {
            self.change(|registry, moment| registry.stream_deleted(path, moment));
        }
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

    /// Lets `act` change the registry, and puts what follows from it in line.
    pub(super) fn change<T>(&self, act: impl FnOnce(&mut Registry, Moment<'_>) -> T) -> T {
        let mut registry = self.registry.lock();
        let before = registry.deadline();
        // Read under the lock, so that time never runs backwards from one change to the next.
        let now = Now { monotonic: self.started.elapsed(), wall: Timestamp::now() };
        let streams = self.streams.as_ref();
        let result = act(&mut registry, Moment { now, streams });
        if registry.deadline() != before {
            self.deadline_moved.notify_one();
        }
        for effect in registry.take_effects() {
            // Fails once the server stops; then nothing more is to be done.
            let _ = self.effects.send(effect);
        }
        result
    }

    /// Carries effects out in the order in which they arose. A wake event can wake further subscriptions, that
    /// link the wake stream in their turn: their effects come to the end of the line.
    async fn carry_out(self: Arc<Self>, mut effects: UnboundedReceiver<Effect>) {
        while let Some(Some(effect)) = self.unless_stopping(effects.recv()).await {
            match effect {
                Effect::AppendWakeEvent(event) => self.append(&event),
                Effect::Deliver(notification) => {
                    let sender = Arc::clone(&self);
                    self.tasks.spawn(async move {
                        sender.unless_stopping(sender.deliver(&notification)).await;
                    });
                }
            }
        }
    }

    async fn unless_stopping<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.stopping.run_until_cancelled(work).await
    }

    fn append(&self, event: &WakeEvent) {
        let message = json!({
            "type": "wake",
            "subscription_id": event.subscription,
            "stream": event.stream,
            "generation": event.wake.generation,
            "ts": Timestamp::now().as_millisecond(),
        });
        let messages = self.faults.outbound.wake_events(message);
        let appended =
            messages.iter().all(|message| self.streams.append_json(&event.wake_stream, message).is_ok());
        self.change(|registry, moment| {
            registry.wake_event_ended(&event.subscription, &event.wake.id, appended, moment);
        });
    }

    async fn deliver(&self, notification: &Notification) {
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
        let faults = self.faults.outbound.for_attempt(&notification.subscription);
        let outcome = self.send(notification, faults.body(body), &faults).await;
        self.report_delivery(notification, outcome);
    }

    async fn send(
        &self,
        notification: &Notification,
        body: Vec<u8>,
        faults: &DeliveryFaults<'_>,
    ) -> DeliveryOutcome {
        tokio::time::sleep(faults.delay()).await;
        let now = Timestamp::now().as_second();
        let signature = self.keys.lock().signature_header(&body, now, faults);
        let Ok(signature) = HeaderValue::try_from(signature) else {
            return DeliveryOutcome::Failed;
        };
        let mut outcome = DeliveryOutcome::Received { done: false };
        for _ in 0..faults.copies() {
            let mut letter = Letter::new(signature.clone(), Bytes::from(body.clone()));
            faults.change(&mut letter.method, &mut letter.headers, &mut letter.body);
            let mut reply = self.client.send(&notification.url, letter).await;
            if let Some(reply) = &mut reply {
                faults.change_answer(&mut reply.status, &mut reply.body);
            }
            let is_unheard = reply.is_none() && self.faults.switches.on(Switch::NoAnswerIsSuccess);
            if !is_unheard {
                outcome = DeliveryOutcome::of(reply.as_ref());
            }
        }
        outcome
    }

    /// Whether a notification that had to wait for its turn is still worth sending.
    fn is_current(&self, notification: &Notification) -> bool {
        let registry = self.registry.lock();
        registry
            .find(&notification.subscription)
            .is_ok_and(|subscription| subscription.phase.wake() == Some(&notification.wake))
    }

    fn report_delivery(&self, notification: &Notification, outcome: DeliveryOutcome) {
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
                () = self.until(deadline) => self.change(Registry::expire),
            }
        }
    }

    async fn rotate_keys(self: Arc<Self>, lifetime: Duration) {
        while self.unless_stopping(tokio::time::sleep(lifetime)).await.is_some() {
            let window = self.config.replay_window.as_secs();
            self.keys.lock().rotate(rand::random(), Timestamp::now().as_second(), window);
        }
    }

    async fn until(&self, deadline: Option<Duration>) {
        match deadline {
            Some(deadline) => tokio::time::sleep_until(self.started + deadline).await,
            None => std::future::pending().await,
        }
    }
}
