//! The server over real sockets.

mod browsers;
mod client;
mod ending;
mod event_streams;
mod faults;
mod hostile;
mod limits;
mod long_polls;
mod reading;
mod writing;

use std::time::Duration;

use client::Client;
use streamgauge_reference_server::{Config, RunningServer, Server};

/// A server and a client of it. The server ends when this is dropped.
struct Lab {
    server: RunningServer,
    client: Client,
}

impl Lab {
    async fn start() -> Self {
        Self::with(Config { long_poll_timeout: Duration::from_millis(300), ..Config::default() }).await
    }

    /// With waits long enough that no test sees their end.
    async fn patient() -> Self {
        let forever = Duration::from_secs(600);
        Self::with(Config { long_poll_timeout: forever, sse_lifetime: forever, ..Config::default() }).await
    }

    async fn with(config: Config) -> Self {
        let server = Server::start(config).await.unwrap();
        let client = Client::new(&server.root_url);
        Self { server, client }
    }
}

const TEXT: (&str, &str) = ("content-type", "text/plain");
const JSON: (&str, &str) = ("content-type", "application/json");
const CLOSE: (&str, &str) = ("stream-closed", "true");
