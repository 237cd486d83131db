//! Every timing and every limit of a server.

use std::time::Duration;

use crate::{
    core::{cursor::Intervals, limits::Limits, offset_form::OffsetForm},
    fault::Fault,
    logs::LogsConfig,
    sabotage::{Sabotage, Variant},
    subscriptions::SubscriptionConfig,
    tls::Identity,
};

/// How a server behaves where the protocol leaves it free.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The URL path under which all streams live; `/` for the whole server.
    pub root: String,
    /// How long a long-poll waits at the tail (section 5.7).
    pub long_poll_timeout: Duration,
    /// How long an event stream stays open (section 10.2).
    pub sse_lifetime: Duration,
    /// How often an idle event stream gets a comment, so that a lost client is noticed.
    pub sse_keep_alive: Duration,
    /// How cursors count time (section 10.1).
    pub cursor: Intervals,
    /// How offsets are spelled (section 8).
    pub offsets: OffsetForm,
    /// Bounds of the store; `page` bounds the answer to a read.
    pub limits: Limits,
    /// The largest request body, in bytes; a larger one is answered 413.
    pub max_body: usize,
    /// How long a request body may pause before it is given up with 408.
    pub body_timeout: Duration,
    /// How long a connection may rest, or take to send the head of a request, before it is closed. Longer than clients
    /// keep connections for reuse, or they would find one closed just as they send.
    pub idle_timeout: Duration,
    /// How long a client may take nothing of what is sent to it before its connection is closed.
    pub write_timeout: Duration,
    /// Whether shared caches may keep reads (section 10.1).
    pub cache_visibility: CacheVisibility,
    /// How subscriptions wake workers (sections 6 and 7).
    pub subscriptions: SubscriptionConfig,
    /// Timings and bounds of the log stream.
    pub logs: LogsConfig,
    /// How often expired streams are removed that nobody asks for.
    pub sweep_interval: Duration,
    /// How long connections may take to finish once the server is told to end.
    pub shutdown_grace: Duration,
    /// Whether names of headers in HTTP/1.1 begin with capitals.
    pub title_case_headers: bool,
    /// The server's certificate; with one it speaks TLS, and nothing else.
    pub tls: Option<Identity>,
    /// Faults that the server is to have. With none, and no variant, there is no trace of them in its path.
    pub sabotages: Vec<Sabotage>,
    /// Other ways to keep the rules than this server's own.
    pub variants: Vec<Variant>,
    /// What goes wrong on the way, for authors of clients to try. Likewise without a trace where there is none.
    pub faults: Vec<Fault>,
    /// Where chance comes from for faults that strike at a rate.
    pub fault_seed: u64,
}

/// Who may keep the answer to a read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheVisibility {
    /// Any cache: streams hold nothing that belongs to one user.
    #[default]
    Public,
    /// The client's own cache only.
    Private,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            root: "/v1/stream".to_owned(),
            long_poll_timeout: Duration::from_secs(30),
            sse_lifetime: Duration::from_secs(60),
            sse_keep_alive: Duration::from_secs(15),
            cursor: Intervals::default(),
            offsets: OffsetForm::default(),
            limits: Limits::default(),
            max_body: 64 << 20,
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(120),
            write_timeout: Duration::from_secs(60),
            cache_visibility: CacheVisibility::default(),
            subscriptions: SubscriptionConfig::default(),
            logs: LogsConfig::default(),
            sweep_interval: Duration::from_millis(500),
            shutdown_grace: Duration::from_secs(5),
            title_case_headers: false,
            tls: None,
            sabotages: Vec::new(),
            variants: Vec::new(),
            faults: Vec::new(),
            fault_seed: 0,
        }
    }
}

impl Config {
    /// The scheme of all URLs that lead to the server.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}
