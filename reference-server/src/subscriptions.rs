//! Subscriptions: durable cursors over streams that wake workers (sections 6 and 7).
//!
//! A subscription links streams, by glob pattern or one by one, and keeps one cursor for each. As soon as a
//! linked stream has events beyond its cursor, the subscription is woken: by an HTTP request to a webhook, or
//! by an event in a wake stream that workers follow to claim the work.
//!
//! The rules live in a state machine without sockets and without a clock. [`registry`] holds all subscriptions,
//! [`subscription`] is one of them; both are told what happened and when, and answer with [`effect::Effect`]s to
//! carry out. [`service`] carries them out, [`routes`] speaks HTTP under `__ds`, [`delivery`] sends webhooks.
//! Streams are seen through [`streams::Streams`] only.

pub mod address;
mod backoff;
mod config;
mod delivery;
mod effect;
mod endpoint;
mod faults;
mod lease;
mod link;
mod path;
pub mod pattern;
mod phase;
mod refusal;
mod registry;
mod route;
mod routes;
mod service;
mod settings;
mod signing;
mod store;
mod streams;
mod subscription;
#[cfg(test)]
mod tests;
mod token;
mod urls;
mod view;
mod wake;
pub mod webhook_url;
mod worker;

pub use config::{RetrySchedule, SubscriptionConfig, SubscriptionLimits};
pub(crate) use endpoint::ControlSpace;
