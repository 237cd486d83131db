//! Every sabotage against the cases of its rule.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use streamgauge::{
    built_in,
    case::CaseSet,
    event::{CaseResult, CaseVerdict, Event, Listener, RuleVerdict, RunResult},
    fixture::FixtureSource,
    rule::{Catalogue, RuleId},
    run::{self, Job, Options, Plan, Selection, Target},
    scenario,
    wire::{Client, ClientOptions},
};
use streamgauge_reference_server::{Server, sabotage::Sabotage};

/// Servers side by side. Their cases mostly wait.
const AT_ONCE: usize = 16;

/// Broken servers are given up on soon.
const PATIENCE: Duration = Duration::from_millis(800);

/// Longer than a case waits for a delivery that never comes.
const CASE_LIMIT: Duration = Duration::from_secs(18);

/// The longest look at what may come later: a lifetime of 2 s ends within it.
const LOOK_LIMIT: Duration = Duration::from_secs(3);

/// All that the matrix is made of.
pub(crate) struct Matrix {
    catalogue: Arc<Catalogue>,
    jobs: Vec<Job>,
    sabotages: Vec<Sabotage>,
    /// What the names of the sabotages have to hold, one of these with commas between, if not all are looked at.
    only: Option<String>,
}

/// What became of one sabotage.
pub(crate) struct Outcome {
    pub(crate) sabotage: String,
    /// Rules that were broken or warned of, with the verdict where it is a warning.
    pub(crate) red: BTreeSet<String>,
    /// Whether the rule is among them that was to be broken.
    pub(crate) caught: bool,
    /// Cases that failed or warned.
    failed: BTreeSet<String>,
    /// What the cases of the rule said.
    said: Vec<String>,
}

impl Matrix {
    /// Reads the fixtures of the repository: changing one needs no build.
    pub(crate) fn load() -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures");
        let source = FixtureSource::Directory(folder.into());
        let catalogue = Catalogue::load(&source).unwrap_or_else(|error| panic!("{error}"));
        let cases = CaseSet::load(&source, &catalogue).unwrap_or_else(|error| panic!("{error}"));
        let mut sabotages = built_in::sabotages(&source).unwrap_or_else(|error| panic!("{error}"));
        for sabotage in &sabotages {
            let rule = catalogue.rule(&RuleId::new(sabotage.breaks.as_str()));
            assert!(rule.is_some(), "{}: there is no such rule", sabotage.id());
        }
        let only = std::env::var("SABOTAGE").ok();
        sabotages.retain(|sabotage| {
            let is_meant = |only: &String| only.split(',').any(|part| sabotage.id().contains(part));
            only.as_ref().is_none_or(is_meant)
        });
        let jobs = cases.cases.into_iter().map(|case| Job::Case(Arc::new(case)));
        let jobs = jobs.chain(scenario::all().into_iter().map(Job::Scenario)).collect();
        Self { catalogue: Arc::new(catalogue), jobs, sabotages, only }
    }

    /// Whether only some sabotages are looked at.
    pub(crate) fn is_partial(&self) -> bool {
        self.only.is_some()
    }

    /// Runs all sabotages; outcomes come in the order of the fixtures.
    pub(crate) async fn run(&self) -> Vec<Outcome> {
        let one = async |(place, sabotage)| (place, self.one(sabotage).await);
        // A slow one holds up no other.
        let mut outcomes: Vec<(usize, Outcome)> = stream::iter(self.sabotages.iter().enumerate())
            .map(one)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        outcomes.sort_by_key(|(place, _)| *place);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }

    async fn one(&self, sabotage: &Sabotage) -> Outcome {
        let mut config = built_in::config();
        config.sabotages.push(sabotage.clone());
        let server = Server::start(config).await.expect("a port");
        let client = Client::new(ClientOptions::default()).expect("a client");
        let target = Target::new(&server.root_url, client)
            .expect("a stream root")
            .with_logs(built_in::log_urls(&server))
            .with_timings(built_in::timings())
            .with_patience(PATIENCE);
        let rule = RuleId::new(sabotage.breaks.as_str());
        let is_wanted = |job: &&Job| job.proves().contains(&rule) || super::CANARIES.contains(&job.id());
        let jobs: Vec<Job> = self.jobs.iter().filter(is_wanted).cloned().collect();
        let plan = Plan::new(jobs, &Selection::default(), &target, &self.catalogue).expect("a plan");
        let options = Options {
            request_limit: PATIENCE + PATIENCE,
            case_limit: CASE_LIMIT,
            look_limit: LOOK_LIMIT,
            ..Options::default()
        };
        let result = run::run(target, self.catalogue.clone(), plan, options, &mut Quiet).await;
        Outcome::of(sabotage, &rule, &result)
    }

    /// Cases that no sabotage made fail, with the first of their rules; for cases whose rules are all of `areas`.
    pub(crate) fn never_failing(&self, outcomes: &[Outcome], areas: &[&str]) -> Vec<String> {
        let failed = |id: &str| outcomes.iter().any(|outcome| outcome.failed.contains(id));
        let is_meant = |job: &&Job| {
            let wanted = |rule: &RuleId| self.catalogue.rule(rule).is_some_and(|rule| rule.wants_a_case());
            let mut rules = job.proves().into_iter();
            rules.clone().all(|rule| areas.contains(&rule.area())) && rules.any(|rule| wanted(&rule))
        };
        let idle = self.jobs.iter().filter(is_meant).filter(|job| !failed(job.id()));
        let mut lines: Vec<String> = idle.map(|job| format!("{}: {}", job.proves()[0], job.id())).collect();
        lines.sort();
        lines
    }

    /// Rules of `areas` that have to be proven and that nothing breaks on purpose.
    pub(crate) fn rules_without_sabotage(&self, areas: &[&str]) -> Vec<&str> {
        self.catalogue
            .rules()
            .filter(|rule| rule.wants_a_case() && areas.contains(&rule.id.area()))
            .map(|rule| rule.id.as_str())
            .filter(|id| !self.sabotages.iter().any(|sabotage| sabotage.breaks == *id))
            .collect()
    }
}

impl Outcome {
    fn of(sabotage: &Sabotage, rule: &RuleId, result: &RunResult) -> Self {
        let accused = |verdict| matches!(verdict, RuleVerdict::Broken | RuleVerdict::Warned);
        let red = result.rules.iter().filter(|rule| accused(rule.verdict));
        let is_red = |case: &&CaseResult| matches!(case.verdict, CaseVerdict::Failed | CaseVerdict::Warned);
        let own = result.cases.iter().filter(|case| case.proves.contains(rule));
        Self {
            sabotage: sabotage.id(),
            caught: red.clone().any(|red| red.id == *rule),
            red: red
                .map(|rule| match rule.verdict {
                    RuleVerdict::Warned => format!("{} (warned)", rule.id),
                    _ => rule.id.to_string(),
                })
                .collect(),
            failed: result.cases.iter().filter(is_red).map(|case| case.id.clone()).collect(),
            said: own.map(said).collect(),
        }
    }

    /// Why a sabotage was not caught, as far as the cases tell.
    pub(crate) fn why(&self) -> String {
        format!("{}\n  {}", self.sabotage, self.said.join("\n  "))
    }
}

fn said(case: &CaseResult) -> String {
    let reason = case.reason.as_deref().unwrap_or_default();
    let mismatches: Vec<String> = case
        .mismatches
        .iter()
        .map(|found| {
            format!("{}: {} expected {}, got {}", found.place, found.subject, found.expected, found.actual)
        })
        .collect();
    format!("{} {:?} {reason} {}", case.id, case.verdict, mismatches.join("; "))
}

struct Quiet;

impl Listener for Quiet {
    fn on_event(&mut self, _event: &Event) {}
}
