//! What is being checked: a URL and what its user says of it.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::sync::RwLock;
use url::Url;

use super::{clock::Clock, stocked::NamedStreams};
use crate::{
    case::On,
    rule::Capability,
    secret::Secrets,
    wire::{Client, Request, Target as WireTarget, WITHHELD, WireError},
};

/// A target: where its streams are, how to reach it, what it is set to.
#[derive(Clone, Debug)]
pub struct Target {
    root: Url,
    logs: LogUrls,
    /// Streams that a target which takes no writes holds ready.
    pub(super) streams: NamedStreams,
    /// Held by cases that write to the log of the service, which they share.
    pub(crate) service_log: Arc<RwLock<()>>,
    pub(crate) client: Client,
    pub(crate) timings: Timings,
    /// What its user says it does not offer.
    pub(crate) not_claimed: BTreeSet<Capability>,
    pub(crate) max_wait: Duration,
    /// What no report may show.
    pub(super) secrets: Secrets,
    /// How much longer than known or demanded an answer is waited for, to tell late from never.
    pub(crate) patience: Duration,
}

/// What the target is set to, as far as its user knows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timings {
    /// How long a long-poll waits before it answers 204.
    pub long_poll_timeout: Option<Duration>,
    /// After what time the target ends an event stream.
    pub sse_lifetime: Option<Duration>,
    /// How often the log stream sends a ping.
    pub heartbeat: Option<Duration>,
    /// How long the log stream gathers lines.
    pub batch_interval: Option<Duration>,
}

/// Where a target's log stream is, and what makes it carry something.
#[derive(Clone, Debug, Default)]
pub struct LogUrls {
    /// The log stream: `.../api/logs/stream`.
    pub stream: Option<Url>,
    /// Takes log lines by `POST`: one entry, or an array.
    pub emit: Option<Url>,
    /// Takes the status of a job by `PUT` at `{id}/status` below it.
    pub status: Option<Url>,
}

/// How often the log stream sends a ping, where its user does not say.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// How long the log stream gathers lines, where its user does not say.
const BATCH_INTERVAL: Duration = Duration::from_millis(150);

/// A root that no stream can be below.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{url:?} is no stream root: {why}; give a URL such as http://127.0.0.1:4437/v1/stream")]
pub struct UnusableRoot {
    url: String,
    why: String,
}

/// How long the first look at a target may take.
const FIRST_LOOK: Duration = Duration::from_secs(4);

impl Target {
    /// A target by the URL of its stream root.
    pub fn new(root: &str, client: Client) -> Result<Self, UnusableRoot> {
        let mut url = stream_root(root)?;
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self {
            root: url,
            logs: LogUrls::default(),
            streams: NamedStreams::default(),
            service_log: Arc::default(),
            client,
            timings: Timings::default(),
            not_claimed: BTreeSet::new(),
            max_wait: Duration::from_secs(40),
            secrets: Secrets::default(),
            patience: Duration::from_secs(5),
        })
    }

    /// The same target with what its user says of its timing.
    #[must_use]
    pub fn with_timings(mut self, timings: Timings) -> Self {
        self.timings = timings;
        self
    }

    /// The same target with a log stream.
    #[must_use]
    pub fn with_logs(mut self, logs: LogUrls) -> Self {
        self.logs = logs;
        self
    }

    /// The same target with streams that hold a documented content.
    #[must_use]
    pub fn with_streams(mut self, streams: NamedStreams) -> Self {
        self.streams = streams;
        self
    }

    /// The same target without these capabilities.
    #[must_use]
    pub fn without(mut self, capabilities: impl IntoIterator<Item = Capability>) -> Self {
        self.not_claimed.extend(capabilities);
        self
    }

    /// The same target with another bound on what a case may wait for it.
    #[must_use]
    pub fn with_max_wait(mut self, max_wait: Duration) -> Self {
        self.max_wait = max_wait;
        self
    }

    /// The same target with values that no report may show.
    #[must_use]
    pub fn with_secrets(mut self, secrets: Secrets) -> Self {
        self.secrets = secrets;
        self
    }

    /// The same target, given up on sooner or later than usual.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Its root, for people.
    pub fn name(&self) -> String {
        self.root.as_str().trim_end_matches('/').to_owned()
    }

    /// The path of its root without a slash at the end: `/v1/stream`, or nothing for a root at `/`.
    pub(crate) fn root_path(&self) -> &str {
        self.root.path().trim_end_matches('/')
    }

    /// Scheme and authority.
    pub(crate) fn origin(&self) -> String {
        self.root.origin().ascii_serialization()
    }

    /// Host and port as the Host header names them.
    pub(crate) fn authority(&self) -> String {
        let origin = self.origin();
        origin.split_once("://").map_or(origin.clone(), |(_, authority)| authority.to_owned())
    }

    /// The wire's form of a path and query on this target.
    pub(crate) fn at(&self, path_and_query: &str) -> Result<WireTarget, WireError> {
        WireTarget::parse(&format!("{}{path_and_query}", self.origin()))
    }

    /// Whether it can reach a receiver on this machine's loopback.
    pub(crate) fn is_on_loopback(&self) -> bool {
        is_loopback(&self.root)
    }

    /// Path and query of a URL that leads to the target itself; every name of this machine's loopback is the same.
    pub(crate) fn own_path(&self, url: &str) -> Option<String> {
        let url = self.root.join(url).ok()?;
        let same_place = url.origin() == self.root.origin()
            || is_loopback(&url)
                && is_loopback(&self.root)
                && url.port_or_known_default() == self.root.port_or_known_default();
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        same_place.then(|| format!("{}{query}", url.path()))
    }

    /// Where requests of that kind go, without a slash at the end; none where its user did not say.
    pub(crate) fn url(&self, on: On) -> Option<&str> {
        let url = match on {
            On::Streams => Some(&self.root),
            On::Logs => self.logs.stream.as_ref(),
            On::Emit => self.logs.emit.as_ref(),
            On::Status => self.logs.status.as_ref(),
        };
        url.map(|url| url.as_str().trim_end_matches('/'))
    }

    /// Whether this is the log stream, whose answer has no end.
    pub(crate) fn is_log_stream(&self, asked: &WireTarget) -> bool {
        self.url(On::Logs).and_then(|url| WireTarget::parse(url).ok()).is_some_and(|stream| {
            let path = |target: &WireTarget| target.path_and_query.split('?').next().map(str::to_owned);
            stream.endpoint == asked.endpoint && path(&stream) == path(asked)
        })
    }

    /// Whether this is the status of a job: no stream, and not to be deleted.
    pub(crate) fn is_status(&self, asked: &WireTarget) -> bool {
        self.url(On::Status).and_then(|url| WireTarget::parse(url).ok()).is_some_and(|status| {
            status.endpoint == asked.endpoint && asked.path_and_query.starts_with(&status.path_and_query)
        })
    }

    /// Something plain to ask, which is answered by the server of the streams or of the log stream.
    pub(crate) fn control(&self, of_logs: bool) -> Result<WireTarget, WireError> {
        match (&self.logs.stream, of_logs) {
            (Some(url), true) => {
                WireTarget::parse(&format!("{}/streamgauge-control", url.origin().ascii_serialization()))
            }
            _ => self.at(&format!("{}/streamgauge-control", self.root_path())),
        }
    }

    /// How often the log stream has to send a ping.
    pub(crate) fn heartbeat(&self) -> Duration {
        self.timings.heartbeat.unwrap_or(HEARTBEAT)
    }

    /// How long the log stream may gather lines.
    pub(crate) fn batch_interval(&self) -> Duration {
        self.timings.batch_interval.unwrap_or(BATCH_INTERVAL)
    }

    /// How many pings one after the other are to be seen: four, or as many as come in the time that a case may wait,
    /// and two at least.
    pub(crate) fn pings_to_see(&self) -> u32 {
        (2..=4).rev().find(|pings| self.heartbeat() * *pings <= self.max_wait).unwrap_or(2)
    }

    /// How long a long-poll may stay unanswered.
    pub(crate) fn long_poll_limit(&self) -> Duration {
        self.timings.long_poll_timeout.unwrap_or(self.max_wait) + self.patience
    }

    /// A 204 that came sooner than this is no long-poll that timed out.
    pub(crate) fn earliest_timeout(&self) -> Duration {
        const NO_WAIT: Duration = Duration::from_millis(100);
        self.timings.long_poll_timeout.map_or(NO_WAIT, |timeout| timeout * 4 / 5)
    }

    /// Looks at the target once, before any case: what its clock shows, or why it cannot be used at all.
    pub(super) async fn first_look(&self) -> Result<Clock, String> {
        let target = match self.at(&format!("{}/streamgauge-first-look", self.root_path())) {
            Ok(target) => target,
            Err(error) => return Err(error.to_string()),
        };
        let request = Request::new("HEAD", target);
        match self.client.open(&request, FIRST_LOOK).await {
            Ok(answer) => Ok(Clock::told_by(&answer.head.headers, jiff::Timestamp::now())),
            Err(error) => Err(format!(
                "{error}. Is the server running, and is {} its stream root? A server that takes time to start can be run with --start",
                self.name()
            )),
        }
    }
}

/// The URL of a stream root.
///
/// # Errors
/// No stream can be below it.
pub fn stream_root(root: &str) -> Result<Url, UnusableRoot> {
    let unusable = |why: &str| UnusableRoot { url: without_credentials(root), why: why.to_owned() };
    let url = Url::parse(root).map_err(|error| unusable(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(unusable("it is neither http nor https"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(unusable("it has a query or a fragment"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(unusable("it holds credentials; send them in a header"));
    }
    Ok(url)
}

/// The URL as people may see it, also where it is none.
fn without_credentials(url: &str) -> String {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    match url[start..end].rfind('@') {
        Some(at) => format!("{}{WITHHELD}{}", &url[..start], &url[start + at..]),
        None => url.to_owned(),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ClientOptions;

    #[test]
    fn only_urls_of_the_target_itself_have_a_path_to_ask_for() {
        let client = Client::new(ClientOptions::default()).expect("a client");
        let target = Target::new("http://127.0.0.1:4437/v1/stream", client).expect("a root");
        let path = Some("/v1/stream/__ds/jwks.json".to_owned());
        for own in ["http://127.0.0.1:4437", "http://localhost:4437", "http://[::1]:4437"] {
            assert_eq!(target.own_path(&format!("{own}/v1/stream/__ds/jwks.json")), path, "{own}");
        }
        for other in
            ["http://127.0.0.1:4438/", "https://server.example/", "http://10.0.0.1:4437/", "mailto:a"]
        {
            assert_eq!(target.own_path(other), None, "{other}");
        }
    }
}
