//! `streamgauge check`.

use std::{
    io::{BufWriter, ErrorKind, Write},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use clap::{Args, ValueEnum};

#[cfg(feature = "serve")]
use crate::built_in;

use super::{
    Misuse, Status,
    logs::LogArguments,
    streams::{self, StreamArguments},
};
use crate::{
    baseline::Baseline,
    case::{CaseSet, HumanDuration},
    event::RunResult,
    fixture::FixtureSource,
    report::{
        Conclusion, Context, Destination, Destinations, Progress, Standard, github, known,
        terminal::{self, Layout},
        write_all,
    },
    rule::{Capability, Catalogue, Judgement},
    run::{self, Job, LogUrls, Options, Pattern, Plan, Selection, Shard, Target, Timings},
    scenario,
    wire::{Client, ClientOptions, Endpoint, Headers, Standing, Trust},
};

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// The stream root of the target, such as http://127.0.0.1:4437/v1/stream; without one, the built-in
    /// reference server is checked.
    url: Option<String>,

    /// Run only what matches: a case id, a rule id, an area or a section. Globs; repeatable.
    #[arg(long, value_name = "PATTERN")]
    only: Vec<String>,

    /// Leave out what matches; repeatable.
    #[arg(long, value_name = "PATTERN")]
    skip: Vec<String>,

    /// What the target does not claim: reported as not claimed.
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    without: Vec<Capability>,

    /// What makes the run fail.
    #[arg(long, value_enum, default_value_t = FailOn::Error)]
    fail_on: FailOn,

    /// Failures that are known and do not fail the run; one that is mended, or that matches nothing, does.
    #[arg(long, value_name = "FILE")]
    known_failures: Option<PathBuf>,

    /// Write the failures of this run as a list for --known-failures.
    #[arg(long, value_name = "FILE")]
    write_known_failures: Option<PathBuf>,

    /// A header for every request, as 'Name: value'; repeatable. For secrets use --header-file.
    #[arg(long = "header", value_name = "K: V")]
    headers: Vec<String>,

    /// A file with one 'Name: value' a line, kept out of the process list and of every report.
    #[arg(long, value_name = "FILE")]
    header_file: Vec<PathBuf>,

    /// Trust the certificates in this PEM file, too.
    #[arg(long, value_name = "FILE")]
    cacert: Vec<PathBuf>,

    /// Trust any certificate.
    #[arg(long)]
    insecure: bool,

    /// Speak HTTP/2: with prior knowledge on http, by ALPN on https.
    #[arg(long)]
    http2: bool,

    /// Requests under way at once.
    #[arg(long, value_name = "N", default_value_t = 32)]
    jobs: usize,

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

    /// A case that must wait longer is not checked, and counted.
    #[arg(long, value_name = "D", default_value = "40s")]
    max_wait: HumanDuration,

    /// After this time no further case is begun.
    #[arg(long, value_name = "D", default_value = "10m")]
    max_time: HumanDuration,

    /// Write a report, too: json, junit, tap, markdown, html or har; `-` is standard output. Repeatable.
    #[arg(long, value_name = "FORMAT=FILE")]
    report: Vec<Destination>,

    /// Read rules and cases from this folder instead of the built-in ones.
    #[arg(long, value_name = "DIR")]
    fixtures: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Error,
    Warning,
}

impl CheckArguments {
    pub(super) fn run(&self) -> Result<Status, Misuse> {
        let source = match &self.fixtures {
            None => FixtureSource::Embedded,
            Some(folder) if folder.is_dir() => FixtureSource::Directory(folder.clone()),
            Some(folder) => {
                return Err(Misuse::new(format!("--fixtures {}: no such folder", folder.display())));
            }
        };
        if self.streams.ask_for_list() {
            anstream::print!("{}", streams::list(&source)?);
            return Ok(Status::Right);
        }
        let catalogue = Catalogue::load(&source).map_err(Misuse::new)?;
        let cases = CaseSet::load(&source, &catalogue).map_err(Misuse::new)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Misuse::new(format!("no runtime: {error}")))?;
        runtime.block_on(self.check(&source, catalogue, cases))
    }

    async fn check(
        &self,
        source: &FixtureSource,
        catalogue: Catalogue,
        cases: CaseSet,
    ) -> Result<Status, Misuse> {
        let server_of_logs = self.logs.server();
        match self.url.as_ref().or(server_of_logs.as_ref()) {
            Some(url) => {
                self.check_url(source, url, self.logs.urls(url)?, self.timings(), catalogue, cases).await
            }
            None if self.logs.name_a_target() => Err(Misuse::new(
                "give the URL of the target's stream root, too; with --suite logs, --logs-url alone is enough",
            )),
            None => self.check_built_in(source, catalogue, cases).await,
        }
    }

    /// Checks the reference server, started beside with timings that keep every wait short.
    #[cfg(feature = "serve")]
    async fn check_built_in(
        &self,
        source: &FixtureSource,
        catalogue: Catalogue,
        cases: CaseSet,
    ) -> Result<Status, Misuse> {
        let server = built_in::start()
            .await
            .map_err(|error| Misuse::new(format!("cannot start the built-in server: {error}")))?;
        let (root, logs) = (&server.root_url, built_in::log_urls(&server));
        let status = self.check_url(source, root, logs, built_in::timings(), catalogue, cases).await;
        server.shutdown().await;
        status
    }

    #[cfg(not(feature = "serve"))]
    async fn check_built_in(
        &self,
        _source: &FixtureSource,
        _catalogue: Catalogue,
        _cases: CaseSet,
    ) -> Result<Status, Misuse> {
        Err(Misuse::new("give the URL of a stream root; this build has no server of its own"))
    }

    async fn check_url(
        &self,
        source: &FixtureSource,
        url: &str,
        logs: LogUrls,
        timings: Timings,
        catalogue: Catalogue,
        cases: CaseSet,
    ) -> Result<Status, Misuse> {
        let target = Target::new(url, self.client(url, &logs)?)
            .map_err(Misuse::new)?
            .with_logs(logs)
            .with_streams(self.streams.named(source, url, !self.without.contains(&Capability::Write))?)
            .with_timings(timings)
            .with_max_wait(self.max_wait.0)
            .without(self.without.iter().copied());
        let jobs: Vec<Job> = cases
            .cases
            .into_iter()
            .map(|case| Job::Case(Arc::new(case)))
            .chain(scenario::all().into_iter().map(Job::Scenario))
            .collect();
        let plan = Plan::new(jobs, &self.selection()?, &target, &catalogue).map_err(Misuse::new)?;
        let destinations = Destinations::new(self.report.clone()).map_err(Misuse::new)?;
        let baseline = self.known_failures.as_deref().map(Baseline::load).transpose().map_err(Misuse::new)?;
        let options = Options {
            jobs: self.jobs,
            case_limit: self.max_wait.0 + Duration::from_secs(20),
            run_limit: self.max_time.0,
            seed: self.seed.unwrap_or_else(rand::random),
            ..Options::default()
        };
        let result = run::run(target, Arc::new(catalogue), plan, options, &mut progress()).await;
        if let Some(file) = &self.write_known_failures {
            let written = std::fs::File::create(file).and_then(|mut file| known::write(&mut file, &result));
            written.map_err(|error| {
                Misuse::new(format!("--write-known-failures {}: {error}", file.display()))
            })?;
        }
        // A target that cannot be used says nothing of what is known.
        let baseline = baseline.filter(|_| result.unusable.is_none());
        let difference = baseline.map(|baseline| baseline.compare(&result));
        let standard = Standard { fail_on: self.fail_on.into(), known: difference.as_ref() };
        tell(&result, standard, &destinations)
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

    fn client(&self, url: &str, logs: &LogUrls) -> Result<Client, Misuse> {
        let mut trust = Trust::default();
        for file in &self.cacert {
            trust = trust.with_authorities(file).map_err(Misuse::new)?;
        }
        if self.insecure {
            trust = trust.insecure();
        }
        let mut headers = Headers::default();
        for line in &self.headers {
            let (name, value) = header(line).ok_or_else(|| {
                Misuse::new(format!("--header {line:?} is no header; write --header 'Name: value'"))
            })?;
            headers.push(name, value);
        }
        for file in &self.header_file {
            let text = std::fs::read_to_string(file)
                .map_err(|error| Misuse::new(format!("--header-file {}: {error}", file.display())))?;
            for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                let (name, value) = header(line).ok_or_else(|| {
                    Misuse::new(format!(
                        "{}:{}: no header; write one 'Name: value' a line",
                        file.display(),
                        number + 1
                    ))
                })?;
                headers.push(name, value);
            }
        }
        let mut standing = Vec::new();
        if !headers.0.is_empty() {
            let url = url::Url::parse(url).map_err(|error| Misuse::new(format!("{url:?}: {error}")))?;
            let mut endpoints = Vec::new();
            for url in
                std::iter::once(&url).chain([&logs.stream, &logs.emit, &logs.status].into_iter().flatten())
            {
                let endpoint = Endpoint::of(url).map_err(Misuse::new)?;
                if !endpoints.contains(&endpoint) {
                    endpoints.push(endpoint);
                }
            }
            standing.extend(
                endpoints.into_iter().map(|endpoint| Standing { endpoint, headers: headers.clone() }),
            );
        }
        Client::new(ClientOptions { standing, http2: self.http2, trust, ..ClientOptions::default() })
            .map_err(Misuse::new)
    }
}

impl From<FailOn> for Judgement {
    fn from(fail_on: FailOn) -> Self {
        match fail_on {
            FailOn::Error => Self::Error,
            FailOn::Warning => Self::Warning,
        }
    }
}

/// A bar on a terminal, plain lines elsewhere.
fn progress() -> Progress {
    use std::io::IsTerminal as _;
    match std::io::stderr().is_terminal() {
        true => Progress::bar(),
        false => Progress::lines(std::io::stderr()),
    }
}

/// Tells what the run found: to people, to GitHub where it runs there, and to every file that was asked for.
fn tell(result: &RunResult, standard: Standard<'_>, destinations: &Destinations) -> Result<Status, Misuse> {
    let mut out: Box<dyn Write> = match destinations.take_stdout() {
        true => Box::new(BufWriter::new(anstream::stderr())),
        false => Box::new(BufWriter::new(anstream::stdout())),
    };
    let printed = terminal::write(&mut out, result, standard, Layout::fitting()).and_then(|()| {
        if github::is_here() {
            github::write_annotations(&mut out, result, standard)?;
        }
        out.flush()
    });
    match printed {
        // Whoever closes the pipe has read enough; the verdict stands.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            return Err(Misuse::new(format!("the report cannot be printed: {error}")));
        }
        _ => {}
    }
    let context = Context { standard, finished_at: jiff::Timestamp::now() };
    let written = write_all(result, destinations, context).map_err(Misuse::new);
    let summarised = github::summary_file().map_or(Ok(()), |file| {
        github::append_summary(&file, result, standard).map_err(|error| {
            Misuse::new(format!("the summary of the job cannot be written to {}: {error}", file.display()))
        })
    });
    written.and(summarised)?;
    Ok(match standard.conclude(result) {
        Conclusion::Passed => Status::Right,
        Conclusion::Failed => Status::Broken,
        Conclusion::Unusable | Conclusion::Errored => Status::Unusable,
    })
}

/// `Name: value`, where HTTP allows both; the name is sent as it is spelled.
fn header(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':').map(|(name, value)| (name.trim(), value.trim()))?;
    http::HeaderName::from_bytes(name.as_bytes()).ok()?;
    http::HeaderValue::from_str(value).ok()?;
    Some((name.to_owned(), value.to_owned()))
}
