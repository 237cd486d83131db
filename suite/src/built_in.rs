//! The reference server as the target of a run: with timings that keep every wait short.

use std::time::Duration;

use streamgauge_reference_server::{Config, RunningServer, Server};

use crate::run::Timings;

const LONG_POLL_TIMEOUT: Duration = Duration::from_millis(500);
const SSE_LIFETIME: Duration = Duration::from_secs(3);

/// What the built-in server is set to.
pub fn timings() -> Timings {
    Timings {
        long_poll_timeout: Some(LONG_POLL_TIMEOUT),
        sse_lifetime: Some(SSE_LIFETIME),
        ..Timings::default()
    }
}

/// The same as the server's configuration. A small page makes large reads come in parts.
pub fn config() -> Config {
    Config { long_poll_timeout: LONG_POLL_TIMEOUT, sse_lifetime: SSE_LIFETIME, ..Config::default() }
}

/// Starts it on a free port of 127.0.0.1.
pub async fn start() -> std::io::Result<RunningServer> {
    Server::start(config()).await
}
