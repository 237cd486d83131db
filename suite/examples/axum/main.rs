//! A small server on axum that gets the cases among its own tests: `cargo test --example axum`.
//!
//! In a project of your own this file is `tests/durable_streams.rs`, with `harness = false` in `Cargo.toml`, and the
//! server is yours.

mod server;

use std::{io, process::ExitCode};

use streamgauge::{harness::Suite, rule::Capability};
use tokio::net::TcpListener;

fn main() -> ExitCode {
    Suite::new()
        // What the server does not offer is said once, and listed as ignored.
        .without([
            Capability::Closure,
            Capability::Json,
            Capability::LongPoll,
            Capability::Sse,
            Capability::Producers,
            Capability::Ttl,
            Capability::Fork,
            Capability::CorsSecurity,
            Capability::SubscriptionsPull,
            Capability::SubscriptionsWebhook,
            Capability::Logs,
        ])
        .run(start)
}

/// Starts the server in this process, and says where its stream root is.
async fn start() -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let root = format!("http://{}/v1/stream", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, server::router()).await });
    Ok(root)
}
