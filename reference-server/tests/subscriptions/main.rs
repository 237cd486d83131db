//! Subscriptions of a running server, over sockets: every request a client would send, every delivery a receiver
//! would get.

mod client;
mod control;
mod jwks;
mod pull;
mod receiver;
mod webhook;
mod webhook_url;
