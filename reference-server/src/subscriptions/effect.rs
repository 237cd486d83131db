//! What the state machine wants done.

use std::sync::Arc;

use super::link::StreamStatus;
use super::wake::Wake;
use super::webhook_url::WebhookUrl;

/// Something to carry out once subscriptions are unlocked. Each one's outcome is reported back.
#[derive(Clone, Debug)]
pub(super) enum Effect {
    Deliver(Notification),
    AppendWakeEvent(WakeEvent),
}

/// A webhook to send (section 7.1). Repeats of a delivery are equal but for their token's expiry.
#[derive(Clone, Debug)]
pub(super) struct Notification {
    pub(super) subscription: String,
    pub(super) url: WebhookUrl,
    pub(super) wake: Wake,
    pub(super) streams: Arc<[StreamStatus]>,
    pub(super) token: String,
}

/// An event to append to a wake stream (section 7.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WakeEvent {
    pub(super) subscription: String,
    pub(super) wake_stream: String,
    /// A stream with pending work.
    pub(super) stream: String,
    pub(super) wake: Wake,
}

/// How the attempt to deliver a webhook ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DeliveryOutcome {
    /// A 2xx response, and whether it said `done`.
    Received { done: bool },
    /// Any other response, or none.
    Failed,
}
