//! One run of the whole suite against one variant.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

use streamgauge::{
    built_in,
    case::CaseSet,
    event::{CaseResult, CaseVerdict, RuleResult, RuleVerdict, RunResult, SkipReason, Unheard},
    fixture::FixtureSource,
    rule::Catalogue,
    run::{self, Job, Options, Plan, Selection, Suite, Target, Timings},
    scenario,
    wire::{Client, ClientOptions},
};
use streamgauge_reference_server::{Config, Server, sabotage::Variant};
use tokio::runtime::Runtime;

/// What the suite speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speech {
    Http1,
    Http2,
}

/// All that the runs share.
pub(crate) struct Bench {
    catalogue: Arc<Catalogue>,
    jobs: Vec<Job>,
    variants: Vec<Variant>,
    runtime: Runtime,
    usual: OnceLock<RunResult>,
    provable: [OnceLock<BTreeSet<String>>; 2],
}

/// What a run found.
pub(crate) struct Seen {
    pub(crate) proven: BTreeSet<String>,
    /// What the suite says against the server.
    pub(crate) accusations: Vec<String>,
    /// Why rules are not proven, where the run tells.
    reasons: BTreeMap<String, String>,
}

impl Bench {
    /// Reads the fixtures of the repository: changing one needs no build.
    pub(crate) fn load() -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures");
        let source = FixtureSource::Directory(folder.into());
        let catalogue = Catalogue::load(&source).unwrap_or_else(|error| panic!("{error}"));
        let cases = CaseSet::load(&source, &catalogue).unwrap_or_else(|error| panic!("{error}"));
        let variants = built_in::variants(&source).unwrap_or_else(|error| panic!("{error}"));
        let jobs = cases.cases.into_iter().map(|case| Job::Case(Arc::new(case)));
        let jobs = jobs.chain(scenario::all().into_iter().map(Job::Scenario)).collect();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        Self {
            catalogue: Arc::new(catalogue),
            jobs,
            variants,
            runtime,
            usual: OnceLock::new(),
            provable: Default::default(),
        }
    }

    pub(crate) fn variants(&self) -> Vec<Variant> {
        self.variants.clone()
    }

    /// The rules that are proven on the server as it is, with those of the log stream or without.
    pub(crate) fn provable(&self, logs: bool) -> &BTreeSet<String> {
        self.provable[usize::from(logs)].get_or_init(|| {
            let usual = self.usual.get_or_init(|| {
                self.runtime.block_on(self.check(built_in::config(), Speech::Http1, &Selection::default()))
            });
            let proven = Seen::of(usual).proven.into_iter();
            proven.filter(|rule| logs || !rule.starts_with("logs.")).collect()
        })
    }

    /// Runs all cases, or those of some rules.
    pub(crate) fn run(
        &self,
        speech: Speech,
        variant: Option<&Variant>,
        logs: bool,
        rules: Option<&[&str]>,
    ) -> Seen {
        let mut config = built_in::config();
        if let Some(variant) = variant {
            variant.configure(&mut config);
        }
        let only = rules.unwrap_or_default().iter().map(|rule| rule.parse().expect("a rule is a pattern"));
        let suite = if logs { Suite::All } else { Suite::Streams };
        let selection = Selection { suite, only: only.collect(), ..Selection::default() };
        Seen::of(&self.runtime.block_on(self.check(config, speech, &selection)))
    }

    async fn check(&self, config: Config, speech: Speech, selection: &Selection) -> RunResult {
        let timings = Timings {
            long_poll_timeout: Some(config.long_poll_timeout),
            sse_lifetime: Some(config.sse_lifetime),
            heartbeat: Some(config.logs.heartbeat),
            batch_interval: Some(config.logs.batch_interval),
        };
        let server = Server::start(config).await.expect("a port");
        let options = ClientOptions { http2: speech == Speech::Http2, ..ClientOptions::default() };
        let target = Target::new(&server.root_url, Client::new(options).expect("a client"))
            .expect("a stream root")
            .with_timings(timings)
            .with_logs(built_in::log_urls(&server));
        let plan = Plan::new(self.jobs.clone(), selection, &target, &self.catalogue);
        let plan = plan.unwrap_or_else(|error| panic!("{error}"));
        let result =
            run::run(target, Arc::clone(&self.catalogue), plan, Options::default(), &mut Unheard).await;
        server.shutdown().await;
        result
    }
}

impl Seen {
    fn of(result: &RunResult) -> Self {
        let accuses = |case: &&CaseResult| matches!(case.verdict, CaseVerdict::Failed | CaseVerdict::Warned);
        let accusations = result.unusable.clone().into_iter();
        let accusations = accusations.chain(result.cases.iter().filter(accuses).map(said)).collect();
        // A right server lets every case of a rule come to its end, not only some.
        let in_whole = |rule: &&RuleResult| {
            let mut own = result.cases.iter().filter(|case| case.proves.contains(&rule.id));
            rule.verdict == RuleVerdict::Proven && !own.any(was_kept_from_telling)
        };
        let proven = result.rules.iter().filter(in_whole);
        let reason = |rule: &RuleResult| {
            let own = result.cases.iter().filter(|case| case.proves.contains(&rule.id));
            let own = own.filter(|case| case.verdict != CaseVerdict::Passed).map(said);
            own.collect::<Vec<_>>().join("; ")
        };
        Self {
            accusations,
            reasons: result.rules.iter().map(|rule| (rule.id.to_string(), reason(rule))).collect(),
            proven: proven.map(|rule| rule.id.to_string()).collect(),
        }
    }

    pub(crate) fn why_not(&self, rule: &str) -> &str {
        self.reasons.get(rule).map_or("", String::as_str)
    }
}

/// Whether the server, or time, kept the case from telling anything.
fn was_kept_from_telling(case: &CaseResult) -> bool {
    matches!(case.verdict, CaseVerdict::Blocked | CaseVerdict::Errored)
        || matches!(case.skip, Some(SkipReason::TooSlow(_) | SkipReason::NotGiven(_) | SkipReason::OutOfTime))
}

fn said(case: &CaseResult) -> String {
    let found = case.mismatches.iter().map(|found| {
        format!("\n  {}: {} expected {}, got {}", found.place, found.subject, found.expected, found.actual)
    });
    let reason = case.reason.as_deref().unwrap_or_default();
    format!("{} {:?} {reason}{}", case.id, case.verdict, found.collect::<String>())
}
