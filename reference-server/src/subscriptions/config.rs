//! What can be set: timings and bounds.

use std::time::Duration;

/// Timings, bounds and keys of the subscription APIs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionConfig {
    /// Whether webhooks may go to `http://localhost` and `http://127.0.0.x` (section 6.2). Production servers
    /// leave this off; every other local target is refused either way.
    pub development: bool,
    /// URL at which clients and receivers reach the stream root, where that is not the address the server
    /// listens on: behind a proxy, say. Callbacks and the key set are announced below it.
    pub public_root: Option<String>,
    /// Lease of a subscription that names none (section 6.2: 30 seconds).
    pub default_lease: Duration,
    /// Shortest lease a client may ask for (section 6.2: 1 second).
    pub minimum_lease: Duration,
    /// Longest lease a client may ask for (section 6.2: 10 minutes).
    pub maximum_lease: Duration,
    /// When a failed webhook delivery is repeated.
    pub retry: RetrySchedule,
    /// How long one delivery may take, from looking up the name to the last byte of the response.
    pub delivery_timeout: Duration,
    /// How long a callback or claim token can be used at most, however often its lease is extended.
    pub token_lifetime: Duration,
    /// How old a signature may be for receivers to accept it. A retired public key stays published this long.
    pub replay_window: Duration,
    /// Secret of the Ed25519 key that signs deliveries. `None` makes one up at each start; a server whose
    /// receivers shall recognise it after a restart is given one.
    pub signing_seed: Option<[u8; 32]>,
    /// How long a key signs before a new one takes over; `None` is as long as the server runs.
    pub signing_key_lifetime: Option<Duration>,
    pub limits: SubscriptionLimits,
}

/// The gaps between the attempts to deliver a webhook (section 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetrySchedule {
    /// Gap after the first failure; it doubles with every further one.
    pub base: Duration,
    /// The gap grows no longer than this, jitter aside.
    pub cap: Duration,
    /// Random part of each gap, in percent of it in either direction.
    pub jitter_percent: u8,
}

/// Bounds that keep memory and connections finite whatever clients and receivers send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscriptionLimits {
    pub subscriptions: usize,
    /// A request that would link more is refused. A stream that matches a pattern later and finds no room is
    /// not linked.
    pub streams_per_subscription: usize,
    pub request_body_bytes: usize,
    /// A webhook's response is read up to here; a longer one cannot say `done`.
    pub response_body_bytes: usize,
    pub concurrent_deliveries: usize,
}

impl Default for SubscriptionConfig {
    fn default() -> Self {
        Self {
            development: true,
            public_root: None,
            default_lease: Duration::from_secs(30),
            minimum_lease: Duration::from_secs(1),
            maximum_lease: Duration::from_secs(600),
            retry: RetrySchedule::default(),
            delivery_timeout: Duration::from_secs(30),
            token_lifetime: Duration::from_secs(24 * 60 * 60),
            replay_window: Duration::from_secs(300),
            signing_seed: None,
            signing_key_lifetime: None,
            limits: SubscriptionLimits::default(),
        }
    }
}

impl Default for RetrySchedule {
    fn default() -> Self {
        Self { base: Duration::from_secs(1), cap: Duration::from_secs(60), jitter_percent: 20 }
    }
}

impl Default for SubscriptionLimits {
    fn default() -> Self {
        Self {
            subscriptions: 10_000,
            streams_per_subscription: 10_000,
            request_body_bytes: 1 << 20,
            response_body_bytes: 64 << 10,
            concurrent_deliveries: 256,
        }
    }
}
