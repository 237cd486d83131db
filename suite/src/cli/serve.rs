//! `streamgauge serve`.

mod faults;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use clap::Args;
use streamgauge_reference_server::{
    Config, config::CacheVisibility, core::limits::Limits, serve, tls::Identity,
};
use tokio::net::TcpListener;

use super::{Misuse, Status, logs::some_time};
use crate::case::HumanDuration;

#[derive(Debug, Args)]
pub(super) struct ServeArguments {
    /// Where to listen; 0 takes a free port.
    #[arg(long, default_value_t = 4437)]
    port: u16,

    /// The address to listen on.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,

    /// The URL path under which all streams live.
    #[arg(long, default_value = "/v1/stream")]
    root: String,

    /// Serve https with the certificates in this PEM file, the server's own first. HTTP/2 and HTTP/1.1 are offered.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The private key of the certificate, in PEM form.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    #[command(flatten)]
    timings: TimingArguments,

    #[command(flatten)]
    limits: LimitArguments,

    /// Tell caches that answers belong to one user: `private` in place of `public`.
    #[arg(long)]
    private: bool,

    /// Break a rule on purpose: RULE, or RULE#NAME for one of its sabotages; `list` prints them. Repeatable.
    #[arg(long = "break", value_name = "RULE[#NAME]")]
    breaks: Vec<String>,

    /// Keep the rules in another right way than usual; `list` prints the ways. Repeatable.
    #[arg(long = "variant", value_name = "NAME")]
    variants: Vec<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Timings")]
struct TimingArguments {
    /// How long a long-poll waits at the tail.
    #[arg(long, value_name = "D", default_value = "30s")]
    long_poll_timeout: HumanDuration,

    /// How long an event stream stays open.
    #[arg(long, value_name = "D", default_value = "60s")]
    sse_lifetime: HumanDuration,

    /// How often an idle event stream gets a comment.
    #[arg(long, value_name = "D", default_value = "15s")]
    sse_keep_alive: HumanDuration,

    /// How often the log stream sends a ping.
    #[arg(long, value_name = "D", default_value = "5s", value_parser = some_time)]
    heartbeat: HumanDuration,

    /// How long the log stream gathers lines.
    #[arg(long, value_name = "D", default_value = "150ms")]
    batch_interval: HumanDuration,

    /// The length of a cursor's interval.
    #[arg(long, value_name = "D", default_value = "20s")]
    cursor_interval: HumanDuration,

    /// Where cursors begin to count.
    #[arg(long, value_name = "INSTANT", default_value = "2024-10-09T00:00:00Z")]
    cursor_epoch: jiff::Timestamp,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
struct LimitArguments {
    /// Bytes in one answer to a read; a message is never cut.
    #[arg(long, value_name = "BYTES")]
    page_size: Option<usize>,

    /// Bytes in one request body; more is answered 413.
    #[arg(long, value_name = "BYTES")]
    max_body: Option<usize>,

    /// Streams at a time.
    #[arg(long, value_name = "N")]
    max_streams: Option<usize>,

    /// Bytes of memory for all content.
    #[arg(long, value_name = "BYTES")]
    max_memory: Option<u64>,
}

impl ServeArguments {
    pub(super) fn run(&self) -> Result<Status, Misuse> {
        if faults::listed(&self.breaks, &self.variants)? {
            return Ok(Status::Right);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Misuse::new(format!("no runtime: {error}")))?;
        runtime.block_on(self.serve())
    }

    async fn serve(&self) -> Result<Status, Misuse> {
        let mut config = self.config()?;
        faults::apply(&self.breaks, &self.variants, &mut config)?;
        let address = SocketAddr::new(self.host, self.port);
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Misuse::new(format!("cannot listen on {address}: {error}; choose another port with --port"))
        })?;
        let address = listener.local_addr().map_err(Misuse::new)?;
        println!("serving {}://{address}{}", config.scheme(), config.root);
        serve(listener, config, told_to_end()).await.map_err(Misuse::new)?;
        Ok(Status::Right)
    }

    fn config(&self) -> Result<Config, Misuse> {
        if !self.root.starts_with('/') {
            return Err(Misuse::new(format!("--root {:?} is no path; it begins with a slash", self.root)));
        }
        let mut config = Config {
            root: self.root.clone(),
            tls: self.identity()?,
            long_poll_timeout: self.timings.long_poll_timeout.0,
            sse_lifetime: self.timings.sse_lifetime.0,
            sse_keep_alive: self.timings.sse_keep_alive.0,
            cache_visibility: if self.private { CacheVisibility::Private } else { CacheVisibility::Public },
            ..Config::default()
        };
        config.logs.heartbeat = self.timings.heartbeat.0;
        config.logs.batch_interval = self.timings.batch_interval.0;
        config.cursor.length = self.timings.cursor_interval.0;
        config.cursor.epoch = self.timings.cursor_epoch;
        if let Some(bytes) = self.limits.max_body {
            config.max_body = bytes;
        }
        let defaults = config.limits.clone();
        config.limits = Limits {
            page: self.limits.page_size.unwrap_or(defaults.page),
            streams: self.limits.max_streams.unwrap_or(defaults.streams),
            memory: self.limits.max_memory.unwrap_or(defaults.memory),
            ..defaults
        };
        Ok(config)
    }
}

impl ServeArguments {
    fn identity(&self) -> Result<Option<Identity>, Misuse> {
        let (Some(certificates), Some(key)) = (&self.tls_cert, &self.tls_key) else { return Ok(None) };
        let read = |flag: &str, file: &Path| {
            std::fs::read(file).map_err(|error| Misuse::new(format!("{flag} {}: {error}", file.display())))
        };
        Identity::from_pem(&read("--tls-cert", certificates)?, &read("--tls-key", key)?).map(Some).map_err(
            |error| {
                Misuse::new(format!(
                    "--tls-cert {} with --tls-key {}: {error}",
                    certificates.display(),
                    key.display()
                ))
            },
        )
    }
}

/// Completes on SIGTERM and on Ctrl-C.
async fn told_to_end() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            let _ = interrupt.await;
            return;
        };
        tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    {
        let _ = interrupt.await;
    }
}
