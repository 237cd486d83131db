//! The reference server as the target of a run: with timings that keep every wait short, and with faults
//! where some are wanted.

use std::time::Duration;

use streamgauge_fixtures::Folder;
use streamgauge_reference_server::{
    Config, RunningServer, Server,
    sabotage::{self, Sabotage, Source, Variant},
};
use url::Url;

use crate::{
    fixture::{FixtureError, FixtureSource},
    run::{LogUrls, Timings},
};

const LONG_POLL_TIMEOUT: Duration = Duration::from_millis(500);
const SSE_LIFETIME: Duration = Duration::from_secs(3);
const HEARTBEAT: Duration = Duration::from_millis(700);

/// What the built-in server is set to.
pub fn timings() -> Timings {
    Timings {
        long_poll_timeout: Some(LONG_POLL_TIMEOUT),
        sse_lifetime: Some(SSE_LIFETIME),
        heartbeat: Some(HEARTBEAT),
        batch_interval: Some(Config::default().logs.batch_interval),
    }
}

/// The same as the server's configuration. A small page makes large reads come in parts.
pub fn config() -> Config {
    let mut config =
        Config { long_poll_timeout: LONG_POLL_TIMEOUT, sse_lifetime: SSE_LIFETIME, ..Config::default() };
    config.logs.heartbeat = HEARTBEAT;
    config
}

/// Where its log stream is.
pub fn log_urls(server: &RunningServer) -> LogUrls {
    let beside = |path: &str| Url::parse(&server.root_url).and_then(|root| root.join(path)).ok();
    LogUrls { stream: beside("/api/logs/stream"), emit: beside("/api/logs"), status: beside("/api/jobs") }
}

impl crate::harness::Started for RunningServer {
    fn stream_root(&self) -> String {
        self.root_url.clone()
    }

    fn logs(&self) -> LogUrls {
        log_urls(self)
    }
}

/// Starts it on a free port of 127.0.0.1.
pub async fn start() -> std::io::Result<RunningServer> {
    Server::start(config()).await
}

/// All sabotages of a fixture tree, in the order of files and entries.
///
/// # Errors
/// A file is wrong; the message names the place.
pub fn sabotages(source: &FixtureSource) -> Result<Vec<Sabotage>, FixtureError> {
    let files = source.files(Folder::Sabotage)?;
    let sources = files.iter().map(|file| Source { path: &file.path, text: &file.text });
    sabotage::sabotages(sources).map_err(FixtureError::new)
}

/// The JSON Schema of a file of sabotages.
pub fn sabotage_schema() -> serde_json::Value {
    sabotage::sabotage_schema()
}

/// The JSON Schema of a file of variants.
pub fn variant_schema() -> serde_json::Value {
    sabotage::variant_schema()
}

/// All variants of a fixture tree, likewise.
///
/// # Errors
/// A file is wrong; the message names the place.
pub fn variants(source: &FixtureSource) -> Result<Vec<Variant>, FixtureError> {
    let files = source.files(Folder::Variants)?;
    let sources = files.iter().map(|file| Source { path: &file.path, text: &file.text });
    sabotage::variants(sources).map_err(FixtureError::new)
}
