//! Every case as a test of its own, for `cargo test` and `cargo nextest`.
//!
//! A server that is written in Rust gets all cases among its own tests: a `main` of a few lines starts the server in
//! the same process and lists the cases.
//!
//! ```toml
//! [[test]]
//! name = "durable_streams"
//! harness = false
//! ```
//!
//! ```no_run
//! // tests/durable_streams.rs
//! use std::{io, process::ExitCode, time::Duration};
//! use streamgauge::{harness::Suite, rule::Capability};
//!
//! fn main() -> ExitCode {
//!     Suite::new()
//!         .without([Capability::Fork, Capability::SubscriptionsPull, Capability::SubscriptionsWebhook])
//!         .long_poll_timeout(Duration::from_millis(500))
//!         .run(start)
//! }
//!
//! /// Starts the server and says where its stream root is.
//! async fn start() -> io::Result<String> {
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//!     let root = format!("http://{}/v1/stream", listener.local_addr()?);
//!     tokio::spawn(async move { /* axum::serve(listener, router) */ drop(listener) });
//!     Ok(root)
//! }
//! ```
//!
//! Tests have the names of the cases, so that `cargo test --test durable_streams etag` runs those about ETags, and
//! `-- --list` shows them all. `suite/examples/axum` in the repository is a whole server with such a test.

use std::{fmt::Display, future::Future, process::ExitCode, sync::Arc, time::Duration};

use globset::{Glob, GlobMatcher};
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;

use crate::{
    case::CaseSet,
    event::{CaseResult, CaseVerdict, RunResult, Unheard},
    fixture::FixtureSource,
    report::terminal,
    rule::{Capability, Catalogue},
    run::{self, Job, LogUrls, Options, Pattern, Plan, Selection, Target, Timings},
    scenario,
    wire::{Client, ClientOptions},
};

/// Tests that run at once where `--test-threads` does not say: they wait more than they work.
const TEST_THREADS: usize = 16;

/// The cases, and what their user says of the server.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    not_claimed: Vec<Capability>,
    timings: Timings,
    max_wait: Option<Duration>,
    only: Vec<String>,
    skip: Vec<String>,
    failing: Vec<String>,
}

/// A server that has been started. It is kept until the last test is over, and dropped then.
pub trait Started {
    /// The URL below which a `PUT` creates a stream.
    fn stream_root(&self) -> String;

    /// Where its log stream is, if it has one.
    fn logs(&self) -> LogUrls {
        LogUrls::default()
    }
}

/// The URL of the stream root is enough.
impl Started for String {
    fn stream_root(&self) -> String {
        self.clone()
    }
}

impl Suite {
    /// All cases, against a server that claims everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// What the server does not claim; the tests that need it are listed as ignored.
    #[must_use]
    pub fn without(mut self, capabilities: impl IntoIterator<Item = Capability>) -> Self {
        self.not_claimed.extend(capabilities);
        self
    }

    /// All that the server is set to. What is not said is waited for.
    #[must_use]
    pub fn timings(mut self, timings: Timings) -> Self {
        self.timings = timings;
        self
    }

    /// How long the server's long-polls wait.
    #[must_use]
    pub fn long_poll_timeout(mut self, timeout: Duration) -> Self {
        self.timings.long_poll_timeout = Some(timeout);
        self
    }

    /// After what time the server ends an event stream.
    #[must_use]
    pub fn sse_lifetime(mut self, lifetime: Duration) -> Self {
        self.timings.sse_lifetime = Some(lifetime);
        self
    }

    /// Ignores tests that would have to wait longer than this. 40 s where it is not said.
    #[must_use]
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.max_wait = Some(max_wait);
        self
    }

    /// Lists only tests that match: a case id, a rule id, an area or a section of the protocol. Globs; several add up.
    #[must_use]
    pub fn only(mut self, pattern: &str) -> Self {
        self.only.push(pattern.to_owned());
        self
    }

    /// Leaves out tests that match.
    #[must_use]
    pub fn skip(mut self, pattern: &str) -> Self {
        self.skip.push(pattern.to_owned());
        self
    }

    /// Cases that are known to fail, by id; globs. Their tests pass as long as they do, and fail when they are mended.
    #[must_use]
    pub fn known_to_fail<'p>(mut self, cases: impl IntoIterator<Item = &'p str>) -> Self {
        self.failing.extend(cases.into_iter().map(str::to_owned));
        self
    }

    /// Starts the server, runs the tests that the process's arguments select, and says whether all passed.
    ///
    /// A warned case passes. A case that the server's claims or its timing leave out is listed as ignored. A
    /// blocked or errored case fails: what could not be seen is no pass.
    pub fn run<S, F, E>(self, start: impl FnOnce() -> F) -> ExitCode
    where
        S: Started,
        F: Future<Output = Result<S, E>>,
        E: Display,
    {
        match self.try_run(start) {
            Ok(conclusion) => conclusion.exit_code(),
            Err(why) => {
                eprintln!("error: {why}");
                ExitCode::from(2)
            }
        }
    }

    fn try_run<S, F, E>(self, start: impl FnOnce() -> F) -> Result<libtest_mimic::Conclusion, String>
    where
        S: Started,
        F: Future<Output = Result<S, E>>,
        E: Display,
    {
        let mut arguments = Arguments::from_args();
        arguments.test_threads.get_or_insert(TEST_THREADS);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| format!("no runtime: {error}"))?;
        let server =
            runtime.block_on(start()).map_err(|error| format!("the server did not start: {error}"))?;
        let trials = self.trials(&server, Arc::new(runtime))?;
        let conclusion = libtest_mimic::run(&arguments, trials);
        drop(server);
        Ok(conclusion)
    }

    fn trials(&self, server: &impl Started, runtime: Arc<Runtime>) -> Result<Vec<Trial>, String> {
        let source = FixtureSource::Embedded;
        let catalogue = Catalogue::load(&source).map_err(text)?;
        let cases = CaseSet::load(&source, &catalogue).map_err(text)?;
        let jobs: Vec<Job> = cases
            .cases
            .into_iter()
            .map(|case| Job::Case(Arc::new(case)))
            .chain(scenario::all().into_iter().map(Job::Scenario))
            .collect();
        let failing = self.failing(&jobs)?;
        let target = self.target(server)?;
        let plan = Plan::new(jobs, &self.selection()?, &target, &catalogue).map_err(text)?;
        let context = Arc::new(Context { target, catalogue, runtime });
        let run = plan.to_run().map(|job| {
            let (job, context) = (job.clone(), Arc::clone(&context));
            let has_to_fail = failing.iter().any(|glob| glob.is_match(job.id()));
            Trial::test(job.id().to_owned(), move || context.run(job, has_to_fail))
        });
        let left_out = plan.left_out().map(|case| {
            let why = case.reason.clone().unwrap_or_default();
            Trial::test(case.id.clone(), move || Err(why.into())).with_ignored_flag(true)
        });
        Ok(run.chain(left_out).collect())
    }

    fn target(&self, server: &impl Started) -> Result<Target, String> {
        let client = Client::new(ClientOptions::default()).map_err(text)?;
        let target = Target::new(&server.stream_root(), client).map_err(text)?;
        let target = target
            .with_logs(server.logs())
            .with_timings(self.timings)
            .without(self.not_claimed.iter().copied());
        Ok(match self.max_wait {
            Some(max_wait) => target.with_max_wait(max_wait),
            None => target,
        })
    }

    fn selection(&self) -> Result<Selection, String> {
        let patterns = |texts: &[String]| -> Result<Vec<Pattern>, String> {
            texts.iter().map(|pattern| pattern.parse().map_err(text)).collect()
        };
        Ok(Selection { only: patterns(&self.only)?, skip: patterns(&self.skip)?, ..Selection::default() })
    }

    /// The patterns of cases that are known to fail. One that matches nothing is out of date.
    fn failing(&self, jobs: &[Job]) -> Result<Vec<GlobMatcher>, String> {
        self.failing
            .iter()
            .map(|pattern| {
                let glob = Glob::new(pattern).map_err(text)?.compile_matcher();
                match jobs.iter().any(|job| glob.is_match(job.id())) {
                    true => Ok(glob),
                    false => Err(format!("no case matches {pattern:?}, which is said to be known to fail")),
                }
            })
            .collect()
    }
}

fn text(error: impl Display) -> String {
    error.to_string()
}

/// What all tests share.
struct Context {
    target: Target,
    catalogue: Catalogue,
    runtime: Arc<Runtime>,
}

impl Context {
    fn run(&self, job: Job, has_to_fail: bool) -> Result<(), Failed> {
        let plan = Plan::new(vec![job], &Selection::default(), &self.target, &self.catalogue)?;
        let catalogue = Arc::new(self.catalogue.clone());
        let result = self.runtime.block_on(run::run(
            self.target.clone(),
            catalogue,
            plan,
            Options::default(),
            &mut Unheard,
        ));
        if let Some(why) = &result.unusable {
            return Err(why.into());
        }
        let case = result.cases.first().ok_or("the case did not run")?;
        judge(case, &result, has_to_fail)
    }
}

fn judge(case: &CaseResult, result: &RunResult, has_to_fail: bool) -> Result<(), Failed> {
    match case.verdict {
        CaseVerdict::Failed if has_to_fail => Ok(()),
        CaseVerdict::Passed | CaseVerdict::Warned if has_to_fail => {
            Err("it is known to fail, and passes: take it off the list".into())
        }
        CaseVerdict::Passed | CaseVerdict::Warned => Ok(()),
        CaseVerdict::Failed => Err(terminal::case_in_full(result, case).into()),
        _ => {
            let why = case.reason.as_deref().unwrap_or("no reason was given");
            Err(format!("{why}\n\n{}", terminal::case_in_full(result, case)).into())
        }
    }
}
