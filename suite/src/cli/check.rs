//! `streamgauge check`.

mod headers;
mod merging;
mod round;
mod signals;
mod starting;
mod tell;
mod watching;

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use serde::Deserialize;

pub(super) use self::headers::{HeaderTemplate, StandingHeaders};
use self::{headers::Header, merging::FromFile, signals::Interruption, starting::StartArguments};
use super::{
    Misuse, Status,
    logs::LogArguments,
    output,
    streams::{self, StreamArguments},
};
use crate::{
    case::HumanDuration,
    fixture::FixtureSource,
    report::Destination,
    rule::{Capability, Judgement},
    run::{LogUrls, Pattern, Selection, Shard, Timings},
    wire::{Client, ClientOptions, Endpoint, Standing, Trust},
};

#[derive(Clone, Debug, Args)]
pub(super) struct CheckArguments {
    /// The stream root of the target, such as http://127.0.0.1:4437/v1/stream; without one, the built-in
    /// reference server is checked.
    url: Option<String>,

    #[command(flatten)]
    start: StartArguments,

    /// Check again whenever something changes in this file or folder; with --start the target is started anew.
    /// Repeatable.
    #[arg(long, value_name = "PATH")]
    watch: Vec<PathBuf>,

    /// Run everything N times, and tell which verdicts were unsteady; one that is fails the run.
    #[arg(long, value_name = "N")]
    repeat: Option<NonZeroUsize>,

    /// Take settings from this file; without it from streamgauge.toml in the working directory, if there is one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Take no settings from a file.
    #[arg(long, conflicts_with = "config")]
    no_config: bool,

    #[arg(skip)]
    from_file: FromFile,

    /// Run only what matches: a case id, a rule id, an area or a section. Globs; repeatable.
    #[arg(long, value_name = "PATTERN")]
    only: Vec<String>,

    /// Leave out what matches; repeatable.
    #[arg(long, value_name = "PATTERN")]
    skip: Vec<String>,

    /// What the target does not claim: reported as not claimed.
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    without: Vec<Capability>,

    /// What makes the run fail [default: error]
    #[arg(long, value_enum)]
    fail_on: Option<FailOn>,

    /// Failures that are known and do not fail the run; one that is mended, or that matches nothing, does.
    #[arg(long, value_name = "FILE")]
    known_failures: Option<PathBuf>,

    /// Write the failures of this run as a list for --known-failures.
    #[arg(long, value_name = "FILE")]
    write_known_failures: Option<PathBuf>,

    /// A header for every request, as 'Name: value'; repeatable. For secrets use --header-env or --header-file.
    #[arg(long = "header", value_name = "K: V")]
    headers: Vec<String>,

    /// A file with one 'Name: value' a line, kept out of the process list and of every report.
    #[arg(long, value_name = "FILE")]
    header_file: Vec<PathBuf>,

    /// A header whose value is a variable of the environment, as 'Authorization=API_TOKEN', or holds one, as
    /// 'Authorization=Bearer ${API_TOKEN}'; kept out of the process list and of every report. Repeatable.
    #[arg(long, value_name = "NAME=VARIABLE")]
    header_env: Vec<String>,

    /// Trust the certificates in this PEM file, too.
    #[arg(long, value_name = "FILE")]
    cacert: Vec<PathBuf>,

    /// Trust any certificate.
    #[arg(long)]
    insecure: bool,

    /// Speak HTTP/2: with prior knowledge on http, by ALPN on https.
    #[arg(long)]
    http2: bool,

    /// Requests under way at once [default: 32]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,

    /// Run part I of N; the parts are disjoint and make up the whole.
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,

    /// Where random data comes from; a run prints its own.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// How long the target's long-polls wait.
    #[arg(long, value_name = "D")]
    long_poll_timeout: Option<HumanDuration>,

    /// After what time the target ends an event stream.
    #[arg(long, value_name = "D")]
    sse_lifetime: Option<HumanDuration>,

    #[command(flatten)]
    logs: LogArguments,

    #[command(flatten)]
    streams: StreamArguments,

    /// A case that must wait longer is not checked, and counted [default: 40s]
    #[arg(long, value_name = "D")]
    max_wait: Option<HumanDuration>,

    /// After this time no further case is begun [default: 10m]
    #[arg(long, value_name = "D")]
    max_time: Option<HumanDuration>,

    /// Write a report, too: json, junit, tap, markdown, html or har; `-` is standard output. Repeatable.
    #[arg(long, value_name = "FORMAT=FILE")]
    report: Vec<Destination>,

    /// Read rules and cases from this folder instead of the built-in ones.
    #[arg(long, value_name = "DIR")]
    fixtures: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FailOn {
    Error,
    Warning,
}

const MAX_WAIT: Duration = Duration::from_secs(40);

const MAX_TIME: Duration = Duration::from_secs(600);

const JOBS: usize = 32;

impl From<FailOn> for Judgement {
    fn from(fail_on: FailOn) -> Self {
        match fail_on {
            FailOn::Error => Self::Error,
            FailOn::Warning => Self::Warning,
        }
    }
}

impl CheckArguments {
    pub(super) fn run(&self) -> Result<Status, Misuse> {
        let arguments = self.completed()?;
        if arguments.streams.ask_for_list() {
            output::print(&streams::list(&arguments.fixture_source()?)?)?;
            return Ok(Status::Right);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(arguments.workers())
            .enable_all()
            .build()
            .map_err(|error| Misuse::new(format!("no runtime: {error}")))?;
        let status = runtime.block_on(arguments.run_unless_interrupted());
        // A name that is still being looked up would keep the program.
        runtime.shutdown_background();
        status
    }

    /// Threads beside the first. A run waits more than it works, and every thread takes memory of its own; the built-in
    /// server needs some.
    fn workers(&self) -> usize {
        match self.url {
            Some(_) => 1,
            None => std::thread::available_parallelism().map_or(2, |processors| processors.get().min(4)),
        }
    }

    /// A server that was started is stopped in any case.
    async fn run_unless_interrupted(&self) -> Result<Status, Misuse> {
        let mut server = None;
        let outcome = tokio::select! {
            status = watching::run(self, &mut server) => status,
            interruption = signals::interruption(), if self.start.is_wanted() || !self.watch.is_empty() => {
                if self.watch.is_empty() {
                    eprintln!("told to end: the run is broken off, and no report is written");
                }
                Ok(interruption.into())
            }
        };
        if let Some(server) = server.take() {
            // Whoever asks again does not want to wait: what is dropped is killed.
            tokio::select! {
                () = server.stop() => {}
                _ = signals::interruption() => {}
            }
        }
        outcome
    }

    fn fixture_source(&self) -> Result<FixtureSource, Misuse> {
        match &self.fixtures {
            None => Ok(FixtureSource::Embedded),
            Some(folder) if folder.is_dir() => Ok(FixtureSource::Directory(folder.clone())),
            Some(folder) => Err(Misuse::new(format!("--fixtures {}: no such folder", folder.display()))),
        }
    }

    fn timings(&self) -> Timings {
        Timings {
            long_poll_timeout: self.long_poll_timeout.map(|time| time.0),
            sse_lifetime: self.sse_lifetime.map(|time| time.0),
            heartbeat: self.logs.heartbeat.map(|time| time.0),
            batch_interval: self.logs.batch_interval.map(|time| time.0),
        }
    }

    fn selection(&self) -> Result<Selection, Misuse> {
        let patterns = |texts: &[String]| -> Result<Vec<Pattern>, Misuse> {
            texts.iter().map(|text| text.parse().map_err(Misuse::new)).collect()
        };
        Ok(Selection {
            suite: self.logs.suite(),
            only: patterns(&self.only)?,
            skip: patterns(&self.skip)?,
            shard: self.shard,
        })
    }

    fn max_wait(&self) -> Duration {
        self.max_wait.map_or(MAX_WAIT, |time| time.0)
    }

    /// What goes with every request, from the flags.
    fn standing_headers(&self) -> Result<StandingHeaders, Misuse> {
        let mut standing = StandingHeaders::default();
        for line in &self.headers {
            standing.add(
                Header::parse(line)
                    .ok_or_else(|| Misuse::new("a --header is no header; write --header 'Name: value'"))?,
            );
        }
        for file in &self.header_file {
            let text = std::fs::read_to_string(file)
                .map_err(|error| Misuse::new(format!("--header-file {}: {error}", file.display())))?;
            for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                standing.add_secret(Header::parse(line).ok_or_else(|| {
                    Misuse::new(format!(
                        "{}:{}: no header; write one 'Name: value' a line",
                        file.display(),
                        number + 1
                    ))
                })?);
            }
        }
        for text in &self.header_env {
            let template: HeaderTemplate =
                text.parse().map_err(|error| Misuse::new(format!("--header-env: {error}")))?;
            standing.add_template(&template)?;
        }
        standing.complete(self.from_file.headers.clone());
        Ok(standing)
    }

    /// The client; its standing headers go to the target's own servers, and nowhere else.
    fn client(&self, url: &str, logs: &LogUrls, headers: &StandingHeaders) -> Result<Client, Misuse> {
        let mut trust = Trust::default();
        for file in &self.cacert {
            trust = trust.with_authorities(file).map_err(Misuse::new)?;
        }
        if self.insecure {
            trust = trust.insecure();
        }
        let mut standing: Vec<Standing> = Vec::new();
        if !headers.headers.0.is_empty() {
            let url = url::Url::parse(url).map_err(|error| Misuse::new(format!("{url:?}: {error}")))?;
            for url in
                std::iter::once(&url).chain([&logs.stream, &logs.emit, &logs.status].into_iter().flatten())
            {
                let endpoint = Endpoint::of(url).map_err(Misuse::new)?;
                if standing.iter().all(|known| known.endpoint != endpoint) {
                    standing.push(Standing { endpoint, headers: headers.headers.clone() });
                }
            }
        }
        Client::new(ClientOptions { standing, http2: self.http2, trust, ..ClientOptions::default() })
            .map_err(Misuse::new)
    }
}

impl From<Interruption> for Status {
    fn from(interruption: Interruption) -> Self {
        match interruption {
            Interruption::Interrupt => Self::Interrupted,
            Interruption::Terminate => Self::Terminated,
        }
    }
}
