//! Which cases run, in which order, and which do not and why.

use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};

use globset::GlobMatcher;

use super::Target;
use crate::{
    case::{Act, BodySpec, Case, On, Step, Wait},
    event::{CaseResult, CaseVerdict, SkipReason},
    fixture::Place,
    rule::{Capability, Catalogue, RuleId},
    scenario::Scenario,
};

/// One experiment: data or code.
#[derive(Clone, Debug)]
pub enum Job {
    Case(Arc<Case>),
    Scenario(&'static Scenario),
}

/// What a run will do.
#[derive(Debug, Default)]
pub struct Plan {
    /// Cases that show whether a capability is there at all; they go first.
    pub(super) probes: Vec<Job>,
    /// Such cases of other shards that cases of this one depend on: they run, and are told of by their own shard.
    pub(super) borrowed_probes: Vec<Job>,
    /// The others, those that wait longest first.
    pub(super) jobs: Vec<Job>,
    pub(super) skipped: Vec<CaseResult>,
    /// What belongs to other shards: it is told of there.
    pub(super) elsewhere: Vec<CaseResult>,
    /// The rules that the run tells of.
    pub(super) rules: BTreeSet<RuleId>,
    pub(super) shard: Option<Shard>,
}

/// A part of what can be checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Suite {
    /// The streams of the protocol.
    Streams,
    /// The log stream.
    Logs,
    #[default]
    All,
}

impl Suite {
    /// The part that needs these capabilities.
    fn of<'a>(needs: impl IntoIterator<Item = &'a Capability>) -> Self {
        let is_of_logs = needs.into_iter().any(|need| *need == Capability::Logs);
        if is_of_logs { Self::Logs } else { Self::Streams }
    }

    fn holds(self, part: Self) -> bool {
        self == Self::All || self == part
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Streams => "streams",
            Self::Logs => "logs",
            Self::All => "all",
        })
    }
}

/// What the user wants to be run.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// What is of another suite is no part of the run at all.
    pub suite: Suite,
    pub only: Vec<Pattern>,
    pub skip: Vec<Pattern>,
    pub shard: Option<Shard>,
}

/// `--only` or `--skip`: a glob over case ids, rule ids, areas or sections.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    glob: GlobMatcher,
}

/// One part of a whole: `2/5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    pub index: u32,
    pub of: u32,
}

/// A pattern that selects nothing, or that is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    #[error("{0:?} is no pattern: {1}")]
    NoPattern(String, String),
    #[error("{0:?} matches no case, rule, area or section; `streamgauge rules` lists them")]
    MatchesNothing(String),
    #[error("{0:?} matches nothing of the suite {1}; say --suite {2}")]
    OtherSuite(String, Suite, Suite),
}

impl std::str::FromStr for Pattern {
    type Err = SelectionError;

    fn from_str(text: &str) -> Result<Self, SelectionError> {
        let glob = globset::GlobBuilder::new(text)
            .literal_separator(false)
            .build()
            .map_err(|error| SelectionError::NoPattern(text.to_owned(), error.to_string()))?;
        Ok(Self { text: text.to_owned(), glob: glob.compile_matcher() })
    }
}

impl Pattern {
    /// Whether it names this job: by its id (a table's rows also by the id before the slash), or by one of
    /// its rules, their areas or sections.
    fn names(&self, job: &Job, catalogue: &Catalogue) -> bool {
        let id = job.id();
        self.glob.is_match(id)
            || id.split_once('/').is_some_and(|(table, _)| self.glob.is_match(table))
            || job.proves().iter().any(|rule| self.names_rule(rule, catalogue))
    }

    /// A pattern that selects nothing is a slip of the pen, or meant for another suite.
    fn check(&self, jobs: &[Job], suite: Suite, catalogue: &Catalogue) -> Result<(), SelectionError> {
        let of_jobs = jobs.iter().filter(|job| self.names(job, catalogue)).map(Job::suite);
        let named = catalogue.rules().filter(|rule| self.names_rule(&rule.id, catalogue));
        let parts: Vec<Suite> = of_jobs.chain(named.map(|rule| Suite::of(&rule.capabilities))).collect();
        match parts.first() {
            None => Err(SelectionError::MatchesNothing(self.text.clone())),
            Some(_) if parts.iter().any(|part| suite.holds(*part)) => Ok(()),
            Some(other) => Err(SelectionError::OtherSuite(self.text.clone(), suite, *other)),
        }
    }

    fn names_rule(&self, id: &RuleId, catalogue: &Catalogue) -> bool {
        self.glob.is_match(id.as_str())
            || self.glob.is_match(id.area())
            || catalogue
                .rule(id)
                .is_some_and(|rule| rule.section.split(',').any(|section| self.glob.is_match(section.trim())))
    }
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no shard; write I/N with 1 <= I <= N, such as 2/5");
        let (index, of) = text.split_once('/').ok_or_else(wrong)?;
        let shard = Self { index: index.parse().map_err(|_| wrong())?, of: of.parse().map_err(|_| wrong())? };
        (1..=shard.of).contains(&shard.index).then_some(shard).ok_or_else(wrong)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl Shard {
    /// The same id falls into the same part whatever else is selected (FNV-1a over the id).
    fn holds(self, id: &str) -> bool {
        let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        hash % u64::from(self.of) == u64::from(self.index - 1)
    }
}

impl Plan {
    /// Sorts jobs into those that run and those that do not.
    pub fn new(
        jobs: Vec<Job>,
        selection: &Selection,
        target: &Target,
        catalogue: &Catalogue,
    ) -> Result<Self, SelectionError> {
        for pattern in selection.only.iter().chain(&selection.skip) {
            pattern.check(&jobs, selection.suite, catalogue)?;
        }
        let mut plan =
            Self { rules: selected_rules(selection, catalogue), shard: selection.shard, ..Self::default() };
        let mut probes_of_others = Vec::new();
        for job in jobs.into_iter().filter(|job| selection.suite.holds(job.suite())) {
            let wanted = (selection.only.is_empty()
                || selection.only.iter().any(|only| only.names(&job, catalogue)))
                && !selection.skip.iter().any(|skip| skip.names(&job, catalogue));
            let is_of_others = selection.shard.is_some_and(|shard| !shard.holds(job.id()));
            let skip = if !wanted || (is_of_others && job.probes().is_none()) {
                Some(SkipReason::Filtered)
            } else if let Some(missing) = job.needs().intersection(&target.not_claimed).next() {
                Some(SkipReason::NotClaimed(missing.to_string()))
            } else if let Some(claimed) = job.lacks().difference(&target.not_claimed).next() {
                Some(SkipReason::NotClaimed(format!("to be without {claimed}")))
            } else if job.needs_credentials() && target.client.anonymous().is_none() {
                Some(SkipReason::NotClaimed("credentials (no --header was given)".to_owned()))
            } else if target.client.speaks_http2() && job.writes_http1() {
                Some(SkipReason::OnlyHttp1)
            } else if let Some(flag) = job.lacks_url(target) {
                Some(SkipReason::NotGiven(flag.to_owned()))
            } else if let Err(reason) = target.streams_for(&job) {
                Some(reason)
            } else {
                too_slow(&job, target).map(SkipReason::TooSlow)
            };
            match skip {
                _ if is_of_others => {
                    let reason = Some("it belongs to another shard".to_owned());
                    plan.elsewhere.push(CaseResult { reason, ..job.skipped(SkipReason::Filtered) });
                    probes_of_others.extend(skip.is_none().then_some(job));
                }
                Some(reason) => plan.skipped.push(job.skipped(reason)),
                None if job.probes().is_some() => plan.probes.push(job),
                None => plan.jobs.push(job),
            }
        }
        probes_of_others.retain(|probe| {
            probe
                .probes()
                .is_some_and(|capability| plan.to_run().any(|job| job.needs().contains(&capability)))
        });
        plan.borrowed_probes = probes_of_others;
        plan.jobs.sort_by_key(|job| std::cmp::Reverse(job.forced_wait(target)));
        Ok(plan)
    }

    /// How many cases there are, skipped ones included, those of other shards not.
    pub fn len(&self) -> usize {
        self.probes.len() + self.jobs.len() + self.skipped.len()
    }

    /// The cases that will run.
    pub fn to_run(&self) -> impl Iterator<Item = &Job> {
        self.probes.iter().chain(&self.jobs)
    }

    /// The cases that will not, but for those that the selection leaves out.
    pub fn left_out(&self) -> impl Iterator<Item = &CaseResult> {
        self.skipped.iter().filter(|case| case.skip != Some(SkipReason::Filtered))
    }

    /// Whether nothing will run.
    pub fn is_empty(&self) -> bool {
        self.probes.is_empty() && self.jobs.is_empty()
    }
}

/// Without `--only`, all rules of the suite; with it, those that it names.
fn selected_rules(selection: &Selection, catalogue: &Catalogue) -> BTreeSet<RuleId> {
    catalogue
        .rules()
        .filter(|rule| selection.only.is_empty() && selection.suite.holds(Suite::of(&rule.capabilities)))
        .map(|rule| rule.id.clone())
        .collect()
}

fn too_slow(job: &Job, target: &Target) -> Option<String> {
    let wait = job.forced_wait(target);
    (wait > target.max_wait)
        .then(|| format!("it has to wait {wait:?}, and --max-wait is {:?}", target.max_wait))
}

impl Job {
    /// Its id.
    pub fn id(&self) -> &str {
        match self {
            Self::Case(case) => &case.id,
            Self::Scenario(scenario) => scenario.id,
        }
    }

    /// The sentence that says what it shows.
    pub fn title(&self) -> &str {
        match self {
            Self::Case(case) => &case.title,
            Self::Scenario(scenario) => scenario.title,
        }
    }

    /// The rules it proves.
    pub fn proves(&self) -> Vec<RuleId> {
        match self {
            Self::Case(case) => case.all_rules.clone(),
            Self::Scenario(scenario) => scenario.proves.iter().map(|id| RuleId::new(*id)).collect(),
        }
    }

    /// What the target must claim for it.
    pub fn needs(&self) -> BTreeSet<Capability> {
        match self {
            Self::Case(case) => case.needs.clone(),
            Self::Scenario(scenario) => scenario.needs.iter().copied().collect(),
        }
    }

    /// What the target must not claim.
    fn lacks(&self) -> BTreeSet<Capability> {
        match self {
            Self::Case(case) => case.lacks.clone(),
            Self::Scenario(_) => BTreeSet::new(),
        }
    }

    fn needs_credentials(&self) -> bool {
        matches!(self, Self::Scenario(scenario) if scenario.needs_credentials)
    }

    /// Whether it sends bytes that only HTTP/1.1 knows.
    fn writes_http1(&self) -> bool {
        let is_raw = |step: &Step| matches!(step.value, Act::Raw(_));
        matches!(self, Self::Case(case) if case.given.iter().chain(case.steps.iter()).any(is_raw))
    }

    /// Whether it reads so much that it has to take turns with others that do.
    pub(super) fn moves_much(&self) -> bool {
        const MUCH: usize = 512 << 10;
        match self {
            Self::Scenario(scenario) => scenario.moves_much,
            Self::Case(case) => case.given.iter().chain(case.steps.iter()).any(|step| match &step.value {
                Act::Put(request) | Act::Post(request) => {
                    matches!(request.body, Some(BodySpec::Filled(size)) if size >= MUCH)
                }
                _ => false,
            }),
        }
    }

    /// The part of what can be checked that it belongs to.
    pub(super) fn suite(&self) -> Suite {
        Suite::of(&self.needs())
    }

    /// The flag that names a URL that it needs and the target lacks.
    fn lacks_url(&self, target: &Target) -> Option<&'static str> {
        let asks = match self {
            Self::Case(case) => case.asks.clone(),
            Self::Scenario(scenario) => scenario.asks.iter().copied().collect(),
        };
        asks.into_iter().find(|on| target.url(*on).is_none()).map(|on| match on {
            On::Streams => "URL",
            On::Logs => "--logs-url",
            On::Emit => "--emit-url",
            On::Status => "--emit-status-url",
        })
    }

    /// The capability that is missing when this fails.
    pub(super) fn probes(&self) -> Option<Capability> {
        match self {
            Self::Case(case) => case.probes,
            Self::Scenario(_) => None,
        }
    }

    /// Whether it runs also where a capability that it needs was not seen at all.
    pub(super) fn is_undeterred(&self) -> bool {
        matches!(self, Self::Case(case) if case.undeterred)
    }

    /// Where it is written.
    pub fn place(&self) -> Place {
        match self {
            Self::Case(case) => case.place.clone(),
            Self::Scenario(scenario) => scenario.place(),
        }
    }

    /// How long the target's own timing makes it wait.
    fn forced_wait(&self, target: &Target) -> Duration {
        let (waits, times) = match self {
            Self::Case(case) => (case.waits_for, 1),
            Self::Scenario(scenario) => (scenario.waits_for, scenario.waits),
        };
        let once = match waits {
            None => Duration::ZERO,
            Some(Wait::LongPollTimeout) => {
                target.timings.long_poll_timeout.unwrap_or(Duration::from_secs(30))
            }
            Some(Wait::SseLifetime) => target.timings.sse_lifetime.unwrap_or(Duration::from_secs(60)),
            Some(Wait::Heartbeats) => target.heartbeat() * target.pings_to_see(),
            Some(Wait::For(duration)) => duration.0,
        };
        once * times
    }

    /// What it waits for, for people.
    pub(super) fn waited_for(&self) -> Option<String> {
        let waits = match self {
            Self::Case(case) => case.waits_for,
            Self::Scenario(scenario) => scenario.waits_for,
        };
        waits.map(|wait| match wait {
            Wait::LongPollTimeout => "the end of a long-poll".to_owned(),
            Wait::SseLifetime => "the end of an event stream".to_owned(),
            Wait::Heartbeats => "pings of the log stream".to_owned(),
            Wait::For(duration) => match self.timed() {
                Some(what) => format!("{what}, {:?}", duration.0),
                None => format!("{:?}", duration.0),
            },
        })
    }

    /// What takes its time in the area of its first rule.
    fn timed(&self) -> Option<&'static str> {
        match self.proves().first()?.area() {
            "ttl" | "fork" | "head" => Some("the lifetime of a stream"),
            "fence" | "pull" => Some("a lease"),
            "webhook" => Some("further deliveries"),
            "wake" | "subscription" => Some("deliveries that should not come"),
            _ => None,
        }
    }

    /// A result without findings.
    pub(super) fn result(&self, verdict: CaseVerdict) -> CaseResult {
        CaseResult {
            id: self.id().to_owned(),
            title: self.title().to_owned(),
            place: self.place(),
            proves: self.proves(),
            verdict,
            duration: Duration::ZERO,
            reason: None,
            blocked_by: None,
            skip: None,
            mismatches: Vec::new(),
            exchanges: Vec::new(),
            attempts: 0,
            waited_for: None,
        }
    }

    pub(super) fn skipped(&self, reason: SkipReason) -> CaseResult {
        let mut result = self.result(CaseVerdict::Skipped);
        result.reason = Some(match &reason {
            SkipReason::NotClaimed(capability) => format!("the target does not claim {capability}"),
            SkipReason::TooSlow(why) => why.clone(),
            SkipReason::NotGiven(flag) => format!("no {flag} was given"),
            SkipReason::OutOfReach(why) => format!("{why}, which the target does not take"),
            SkipReason::OnlyHttp1 => "it sends bytes of HTTP/1.1, and this run speaks HTTP/2".to_owned(),
            SkipReason::Filtered => "left out by --only, --skip or --shard".to_owned(),
            SkipReason::OutOfTime => "the run came to its time limit before".to_owned(),
        });
        result.skip = Some(reason);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_disjoint_and_complete() {
        for id in ["a", "b-c", "matching-etag-gets-304", "x/y"] {
            let parts: Vec<Shard> = (1..=5).map(|index| Shard { index, of: 5 }).collect();
            assert_eq!(parts.iter().filter(|shard| shard.holds(id)).count(), 1);
        }
    }

    #[test]
    fn a_shard_is_a_part_of_its_whole() {
        assert!("2/5".parse::<Shard>().is_ok());
        for text in ["0/5", "6/5", "1/0", "1", "a/b", ""] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
