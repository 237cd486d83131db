//! One round: the target is started where that is wanted, checked, told of, and stopped.

use std::{num::NonZeroUsize, path::Path, sync::Arc, time::Duration};

use super::{
    CheckArguments, FailOn, JOBS, MAX_TIME,
    starting::{launch, tell_last_words},
    tell::{progress, tell},
};
#[cfg(feature = "serve")]
use crate::built_in;
use crate::{
    baseline::Baseline,
    case::CaseSet,
    cli::{Misuse, Status},
    event::RunResult,
    fixture::FixtureSource,
    report::{Conclusion, Destinations, Standard, known, run_of},
    rule::{Capability, Catalogue},
    run::{self, Job, LogUrls, Options, Plan, Selection, Target, Timings},
    scenario,
    start::StartedServer,
    wire,
};

/// What is checked, and by what.
struct Round<'a> {
    arguments: &'a CheckArguments,
    source: FixtureSource,
    catalogue: Arc<Catalogue>,
    jobs: Vec<Job>,
    selection: Selection,
    destinations: Destinations,
    baseline: Option<Baseline>,
}

/// Whom to check.
struct Place {
    url: String,
    logs: LogUrls,
    timings: Timings,
}

/// Carries out a round. The server that it starts is in `server`, also when the round is broken off.
pub(super) async fn run(
    arguments: &CheckArguments,
    server: &mut Option<StartedServer>,
) -> Result<Status, Misuse> {
    let round = Round::prepare(arguments)?;
    let server_of_logs = arguments.logs.server();
    match arguments.url.as_ref().or(server_of_logs.as_ref()) {
        Some(url) => {
            let (logs, timings) = (arguments.logs.urls(url)?, arguments.timings());
            round.check(Place { url: url.clone(), logs, timings }, server).await
        }
        None if arguments.start.is_wanted() => Err(Misuse::new(
            "give the URL, too, at which the server of --start answers, such as http://127.0.0.1:4437/v1/stream",
        )),
        None if arguments.logs.name_a_target() => Err(Misuse::new(
            "give the URL of the target's stream root, too; with --suite logs, --logs-url alone is enough",
        )),
        None => round.check_built_in().await,
    }
}

impl<'a> Round<'a> {
    /// Reads all that can be wrong before anything is started.
    fn prepare(arguments: &'a CheckArguments) -> Result<Self, Misuse> {
        let source = arguments.fixture_source()?;
        let catalogue = Catalogue::load(&source).map_err(Misuse::new)?;
        let cases = CaseSet::load(&source, &catalogue).map_err(Misuse::new)?;
        let cases = cases.cases.into_iter().map(|case| Job::Case(Arc::new(case)));
        let baseline = arguments.known_failures.as_deref().map(Baseline::load).transpose();
        Ok(Self {
            arguments,
            source,
            catalogue: Arc::new(catalogue),
            jobs: cases.chain(scenario::all().into_iter().map(Job::Scenario)).collect(),
            selection: arguments.selection()?,
            destinations: Destinations::new(arguments.report.clone()).map_err(Misuse::new)?,
            baseline: baseline.map_err(Misuse::new)?,
        })
    }

    /// Checks the reference server, started beside with timings that keep every wait short.
    #[cfg(feature = "serve")]
    async fn check_built_in(self) -> Result<Status, Misuse> {
        let server = built_in::start()
            .await
            .map_err(|error| Misuse::new(format!("cannot start the built-in server: {error}")))?;
        let (url, logs) = (server.root_url.clone(), built_in::log_urls(&server));
        let status = self.check(Place { url, logs, timings: built_in::timings() }, &mut None).await;
        server.shutdown().await;
        status
    }

    #[cfg(not(feature = "serve"))]
    async fn check_built_in(self) -> Result<Status, Misuse> {
        Err(Misuse::new("give the URL of a stream root; this build has no server of its own"))
    }

    async fn check(
        self,
        Place { url, logs, timings }: Place,
        server: &mut Option<StartedServer>,
    ) -> Result<Status, Misuse> {
        let arguments = self.arguments;
        let headers = arguments.standing_headers()?;
        let secrets = headers.secrets();
        let client = arguments.client(&url, &logs, &headers)?;
        let takes_writes = !arguments.without.contains(&Capability::Write);
        let streams = arguments.streams.named(&self.source, &url, takes_writes)?;
        let target = Target::new(&url, client.clone())
            .map_err(Misuse::new)?
            .with_logs(logs)
            .with_streams(streams)
            .with_timings(timings)
            .with_max_wait(arguments.max_wait())
            .with_secrets(secrets.clone())
            .without(arguments.without.iter().copied());
        // A wrong pattern is told before the target is started.
        let first = self.plan(&target)?;
        let started = match arguments.start.start(arguments.from_file.folder.clone())? {
            None => Ok(()),
            Some(start) => {
                let url = wire::Target::parse(&url).map_err(Misuse::new)?;
                launch(&start, &url, &client, &secrets, server).await?
            }
        };
        let has_begun = started.is_ok();
        let result = match started {
            Ok(()) => self.run_all(&target, first).await?,
            // Who reads the reports has to learn of it, too.
            Err(why) => run::not_begun(&target, &self.catalogue, first, self.seed(), why),
        };
        self.conclude(&result, || {
            if let Some(server) = server {
                tell_last_words(server, has_begun, &secrets);
            }
        })
    }

    fn plan(&self, target: &Target) -> Result<Plan, Misuse> {
        Plan::new(self.jobs.clone(), &self.selection, target, &self.catalogue).map_err(Misuse::new)
    }

    /// Runs as often as is wanted, or until the target cannot be used any more.
    async fn run_all(&self, target: &Target, first: Plan) -> Result<RunResult, Misuse> {
        let times = self.arguments.repeat.map_or(1, NonZeroUsize::get);
        let mut runs = Vec::new();
        let mut plan = Some(first);
        for number in 1..=times {
            let plan = plan.take().map_or_else(|| self.plan(target), Ok)?;
            let result = self.run_once(target.clone(), plan).await;
            if times > 1 {
                eprintln!("{}", run_of(number, times, &result));
            }
            let is_usable = result.unusable.is_none();
            runs.push(result);
            if !is_usable {
                break;
            }
        }
        run::merge(runs, &self.catalogue).ok_or_else(|| Misuse::new("nothing was run"))
    }

    fn seed(&self) -> u64 {
        self.arguments.seed.unwrap_or_else(rand::random)
    }

    async fn run_once(&self, target: Target, plan: Plan) -> RunResult {
        let arguments = self.arguments;
        let options = Options {
            jobs: arguments.jobs.map_or(JOBS, NonZeroUsize::get),
            case_limit: arguments.max_wait() + Duration::from_secs(20),
            run_limit: arguments.max_time.map_or(MAX_TIME, |time| time.0),
            seed: self.seed(),
            ..Options::default()
        };
        run::run(target, Arc::clone(&self.catalogue), plan, options, &mut progress()).await
    }

    /// Tells what was found, in all ways that are wanted; before that, where it is not good, what else there is to tell.
    fn conclude(self, result: &RunResult, if_not_good: impl FnOnce()) -> Result<Status, Misuse> {
        if let Some(file) = &self.arguments.write_known_failures {
            write_list(file, result)?;
        }
        // A target that cannot be used says nothing of what is known.
        let baseline = self.baseline.filter(|_| result.unusable.is_none());
        let difference = baseline.map(|baseline| baseline.compare(result));
        let standard = Standard {
            fail_on: self.arguments.fail_on.unwrap_or(FailOn::Error).into(),
            known: difference.as_ref(),
        };
        if standard.conclude(result) != Conclusion::Passed {
            if_not_good();
        }
        tell(result, standard, &self.destinations)
    }
}

/// Writes the failures as a list of known ones.
fn write_list(file: &Path, result: &RunResult) -> Result<(), Misuse> {
    if result.unusable.is_some() {
        // An empty list would take the place of one that says something.
        eprintln!("{} is not written, as the target cannot be used", file.display());
        return Ok(());
    }
    let written = std::fs::File::create(file).and_then(|mut file| known::write(&mut file, result));
    written.map_err(|error| Misuse::new(format!("--write-known-failures {}: {error}", file.display())))
}
