//! Every sabotage against the cases of its rule.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use streamgauge::{
    built_in,
    case::{Case, CaseSet},
    event::{RunResult, Unheard},
    fixture::FixtureSource,
    rule::{Catalogue, RuleId},
    run::{self, Job, Options, Plan, Selection, Target},
    scenario,
    wire::{Client, ClientOptions, Endpoint, Headers, Standing},
};
use streamgauge_reference_server::{Server, sabotage::Sabotage};
use url::Url;

use super::outcome::{Outcome, signs};

/// Servers side by side. Their cases mostly wait.
const AT_ONCE: usize = 24;

/// Broken servers are given up on soon.
const PATIENCE: Duration = Duration::from_millis(800);

/// Longer than a case waits for a delivery that never comes.
const CASE_LIMIT: Duration = Duration::from_secs(18);

/// The longest look at what may come later: a lifetime of 2 s ends within it.
const LOOK_LIMIT: Duration = Duration::from_secs(3);

/// All that the matrix is made of.
pub(crate) struct Matrix {
    pub(crate) catalogue: Arc<Catalogue>,
    jobs: Vec<Job>,
    sabotages: Vec<Sabotage>,
    /// What the names of the sabotages have to hold, one of these with commas between, if not all are looked at.
    only: Option<String>,
}

impl Matrix {
    /// Reads the fixtures of the repository: changing one needs no build.
    pub(crate) fn load() -> Self {
        let source = fixtures();
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
        let jobs = jobs(cases).into_iter().chain(scenario::all().into_iter().map(Job::Scenario));
        let jobs = jobs.filter(|job| !is_for_others(job)).collect();
        Self { catalogue: Arc::new(catalogue), jobs, sabotages, only }
    }

    /// Whether only some sabotages are looked at.
    pub(crate) fn is_partial(&self) -> bool {
        self.only.is_some()
    }

    /// All cases.
    pub(crate) fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// The sabotages of these rules.
    pub(crate) fn sabotages_of(&self, rules: &[RuleId]) -> Vec<&Sabotage> {
        let is_meant = |sabotage: &&Sabotage| rules.iter().any(|rule| rule.as_str() == sabotage.breaks);
        self.sabotages.iter().filter(is_meant).collect()
    }

    /// Runs all sabotages, and those again whose outcome is not yet as it should be, up to `looks` times. Of several
    /// outcomes the one that shows most is kept. They come in the order of the fixtures.
    pub(crate) async fn run(&self, looks: usize, is_settled: impl Fn(&Outcome) -> bool) -> Vec<Outcome> {
        let mut outcomes: BTreeMap<usize, Outcome> = BTreeMap::new();
        for look in 0..looks {
            let is_open = |at: &usize| !outcomes.get(at).is_some_and(&is_settled);
            // From the end of the alphabet: webhooks wait longest, and the others fit in beside them.
            let open: Vec<usize> = (0..self.sabotages.len()).rev().filter(is_open).collect();
            // What a busy machine hid, a quiet one shows.
            let at_once = if look == 0 { AT_ONCE } else { AT_ONCE / 4 };
            let found: Vec<(usize, Outcome)> = stream::iter(open)
                .map(|at| async move { (at, self.one(&self.sabotages[at]).await) })
                .buffer_unordered(at_once)
                .collect()
                .await;
            for (at, outcome) in found {
                let known = outcomes.get(&at);
                if known.is_none_or(|known| is_settled(&outcome) || outcome.shows_more_than(known)) {
                    outcomes.insert(at, outcome);
                }
            }
        }
        outcomes.into_values().collect()
    }

    async fn one(&self, sabotage: &Sabotage) -> Outcome {
        let rule = RuleId::new(sabotage.breaks.as_str());
        let is_wanted = |job: &&Job| job.proves().contains(&rule) || super::CANARIES.contains(&job.id());
        let jobs: Vec<Job> = self.jobs.iter().filter(is_wanted).cloned().collect();
        let result = self.against(sabotage, jobs.clone()).await;
        Outcome::of(sabotage, &rule, &jobs, &result)
    }

    /// Runs cases against a server with that fault.
    pub(crate) async fn against(&self, sabotage: &Sabotage, jobs: Vec<Job>) -> RunResult {
        let mut config = built_in::config();
        config.sabotages.push(sabotage.clone());
        let server = Server::start(config).await.expect("a port");
        let target = Target::new(&server.root_url, client(&server.root_url, sabotage))
            .expect("a stream root")
            .with_logs(built_in::log_urls(&server))
            .with_timings(built_in::timings())
            .with_patience(PATIENCE);
        let plan = Plan::new(jobs, &Selection::default(), &target, &self.catalogue).expect("a plan");
        let options = Options {
            request_limit: PATIENCE + PATIENCE,
            case_limit: CASE_LIMIT,
            look_limit: LOOK_LIMIT,
            second_looks: false,
            ..Options::default()
        };
        run::run(target, self.catalogue.clone(), plan, options, &mut Unheard).await
    }

    /// Cases that no sabotage makes fail, for cases whose rules are all of `areas`. What none made fail among many others
    /// is looked at again alone: a race that one run does not hit, another one does.
    pub(crate) async fn never_failing(&self, outcomes: &[Outcome], areas: &[String]) -> Vec<String> {
        let failed: BTreeSet<&str> = outcomes.iter().flat_map(Outcome::failed_cases).collect();
        let is_meant = |job: &&Job| {
            let wanted = |rule: &RuleId| self.catalogue.rule(rule).is_some_and(|rule| rule.wants_a_case());
            let mut rules = job.proves().into_iter();
            rules.clone().all(|rule| areas.iter().any(|area| area == rule.area()))
                && rules.any(|rule| wanted(&rule))
        };
        let mut idle = Vec::new();
        for job in self.jobs.iter().filter(is_meant).filter(|job| !failed.contains(job.id())) {
            if !self.fails_alone(job).await {
                let rules: Vec<String> = job.proves().iter().map(ToString::to_string).collect();
                idle.push(format!(
                    "case {} fails on no sabotage of {}: add a fault that it finds to fixtures/sabotage, or remove the case",
                    job.id(),
                    rules.join(", ")
                ));
            }
        }
        idle
    }

    async fn fails_alone(&self, job: &Job) -> bool {
        for sabotage in self.sabotages_of(&job.proves()) {
            let jobs = [job.clone()];
            if !signs(&jobs, &self.against(sabotage, jobs.to_vec()).await).is_empty() {
                return true;
            }
        }
        false
    }

    /// Rules of `areas` that cases prove and that nothing breaks on purpose. Rules without a case are another test's.
    pub(crate) fn rules_without_sabotage(&self, areas: &[String]) -> Vec<String> {
        self.catalogue
            .rules()
            .filter(|rule| rule.wants_a_case() && areas.iter().any(|area| area == rule.id.area()))
            .filter(|rule| self.jobs.iter().any(|job| job.proves().contains(&rule.id)))
            .filter(|rule| !self.sabotages.iter().any(|sabotage| sabotage.breaks == rule.id.as_str()))
            .map(|rule| {
                let (id, area) = (&rule.id, rule.id.area());
                format!("rule {id} has no sabotage: add one to fixtures/sabotage/{area}.yaml")
            })
            .collect()
    }

    /// Names in the test that mean nothing (any more).
    pub(crate) fn unknown_names<const N: usize>(&self, cases: &[&str], sabotages: [&str; N]) -> Vec<String> {
        let cases = cases.iter().filter(|id| !self.jobs.iter().any(|job| job.id() == **id));
        let sabotages =
            sabotages.into_iter().filter(|id| !self.sabotages.iter().any(|known| known.id() == *id));
        let mut lines: Vec<String> =
            cases.map(|id| format!("there is no case {id}: name another canary")).collect();
        lines.extend(sabotages.map(|id| format!("there is no sabotage {id}: take it out of UNSTEADY")));
        lines
    }
}

/// Whether it is for targets that lack something, which the built-in server does not.
fn is_for_others(job: &Job) -> bool {
    matches!(job, Job::Case(case) if !case.lacks.is_empty())
}

/// The fixtures of the repository.
pub(crate) fn fixtures() -> FixtureSource {
    FixtureSource::Directory(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures").into())
}

/// Cases as jobs. None is a probe: whoever finds nothing at all must not keep the others from looking.
pub(crate) fn jobs(cases: CaseSet) -> Vec<Job> {
    cases.cases.into_iter().map(|case| Job::Case(Arc::new(Case { probes: None, ..case }))).collect()
}

/// A client; with credentials, which the built-in server asks nobody for, where a scenario wants to leave them out.
fn client(root: &str, sabotage: &Sabotage) -> Client {
    if !sabotage.breaks.starts_with("security.credentials") {
        return Client::new(ClientOptions::default()).expect("a client");
    }
    let root = Url::parse(root).expect("a URL");
    let mut headers = Headers::default();
    headers.push("Authorization", "Bearer sesame");
    let endpoint = Endpoint::of(&root).expect("an endpoint");
    let options =
        ClientOptions { standing: vec![Standing { endpoint, headers }], ..ClientOptions::default() };
    Client::new(options).expect("a client")
}
