//! What happened, typed: all that the engine tells and all that a report may read.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    fixture::Place,
    rule::{Judgement, RuleId},
    wire::Exchange,
};

/// One step of a run's story, in the order in which things happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The run begins; `cases` counts all that were selected, also those that will be skipped.
    RunStarted { target: String, cases: usize, seed: u64 },
    /// A sentence about the target that no case could tell, such as a capability found missing.
    Remark(String),
    /// A case begins.
    CaseStarted { id: String },
    /// A case has its verdict.
    CaseFinished(Box<CaseResult>),
    /// All is over.
    RunFinished(Box<RunResult>),
}

/// The verdict of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CaseVerdict {
    /// Everything that was expected was seen.
    Passed,
    /// A rule judged `error` was seen broken.
    Failed,
    /// Only rules judged `warning` were seen broken, or an accepted answer deserved a warning.
    Warned,
    /// The stage could not be set: nobody is accused.
    Blocked,
    /// Not run, and why is in the reason.
    Skipped,
    /// The suite itself could not look.
    Errored,
}

/// The verdict of a rule over all its cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleVerdict {
    Proven,
    Broken,
    Warned,
    NotClaimed,
    NotChecked,
    NotObservable,
}

/// Why a case was not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SkipReason {
    /// The user declared that the target lacks this.
    NotClaimed(String),
    /// The case has to wait longer than the user allows.
    TooSlow(String),
    /// The user did not give what it needs: the name of the flag.
    NotGiven(String),
    /// It does what the target does not take: writes, or reads.
    OutOfReach(String),
    /// The run speaks HTTP/2, and the case writes bytes of HTTP/1.1.
    OnlyHttp1,
    /// `--only`, `--skip` or `--shard` left it out.
    Filtered,
    /// The run came to its end before the case's turn.
    OutOfTime,
}

/// One thing that was expected and not seen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mismatch {
    /// The rules that this breaks.
    pub rules: Vec<RuleId>,
    /// What it does to the run.
    pub weight: Judgement,
    /// Where the expectation stands.
    pub place: Place,
    /// What was looked at: `status`, `header Stream-Next-Offset`, `body`, ...
    pub subject: String,
    pub expected: String,
    pub actual: String,
    /// Index into the exchanges of the case, where one exchange shows it.
    pub exchange: Option<usize>,
}

/// All there is to know about one case.
#[derive(Clone, Debug, Serialize)]
pub struct CaseResult {
    pub id: String,
    pub title: String,
    pub place: Place,
    pub proves: Vec<RuleId>,
    pub verdict: CaseVerdict,
    pub duration: Duration,
    /// Why the case was blocked, skipped or errored: one sentence.
    pub reason: Option<String>,
    /// The rule that stands in the way of a blocked case, where one does.
    pub blocked_by: Option<RuleId>,
    pub skip: Option<SkipReason>,
    pub mismatches: Vec<Mismatch>,
    pub exchanges: Vec<Exchange>,
    /// How often the case was begun anew because an attempt told nothing.
    pub attempts: u32,
    /// What the case had to wait for, where it waited.
    pub waited_for: Option<String>,
}

/// The verdict of one rule, with the cases that tell of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RuleResult {
    pub id: RuleId,
    pub section: String,
    pub level: String,
    pub judged: Judgement,
    pub statement: String,
    pub verdict: RuleVerdict,
    /// Why the rule was not checked, is not claimed or cannot be observed; of a proven one, why some of its cases
    /// were not checked.
    pub reason: Option<String>,
    pub cases: Vec<String>,
    /// How many of them could not tell. Those that need what the target does not claim are not counted.
    #[serde(default)]
    pub cases_not_checked: usize,
}

/// The whole run.
#[derive(Clone, Debug)]
pub struct RunResult {
    pub target: String,
    pub seed: u64,
    pub duration: Duration,
    pub cases: Vec<CaseResult>,
    /// The cases of other shards: they are no part of this run, and yet its rules may need them to be proven in whole.
    pub elsewhere: Vec<CaseResult>,
    pub rules: Vec<RuleResult>,
    /// Why the target could not be used at all, where it could not.
    pub unusable: Option<String>,
    /// The part of the whole that was run, such as `2/5`, where it was not all.
    pub shard: Option<String>,
    /// What several runs have in common and what not, where this is more than one.
    pub repeats: Option<Repeats>,
}

/// How several runs against the same target differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Repeats {
    pub runs: usize,
    /// Rules whose verdict was not the same each time.
    pub rules: Vec<Unsteady<RuleVerdict>>,
    /// Cases, likewise.
    pub cases: Vec<Unsteady<CaseVerdict>>,
}

/// How often something had which verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unsteady<V: Ord> {
    pub id: String,
    pub verdicts: BTreeMap<V, usize>,
}

impl Repeats {
    /// Whether every run came to the same.
    pub fn is_steady(&self) -> bool {
        self.rules.is_empty() && self.cases.is_empty()
    }

    /// The ids of all rules and cases that did not come to the same each time.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        let rules = self.rules.iter().map(|rule| rule.id.as_str());
        rules.chain(self.cases.iter().map(|case| case.id.as_str()))
    }
}

impl CaseResult {
    /// The rules that it speaks against, or that stand in its way.
    pub fn accused(&self) -> impl Iterator<Item = &RuleId> {
        let of = |mismatch: &'_ Mismatch| mismatch.weight > Judgement::Note;
        let accused = self.mismatches.iter().filter(move |mismatch| of(mismatch));
        accused
            .flat_map(|mismatch| if mismatch.rules.is_empty() { &self.proves } else { &mismatch.rules })
            .chain(&self.blocked_by)
    }
}

impl RunResult {
    /// The cases of this run and of the other shards.
    pub fn cases_everywhere(&self) -> impl Iterator<Item = &CaseResult> {
        self.cases.iter().chain(&self.elsewhere)
    }

    /// How many cases have each verdict.
    pub fn counts(&self) -> BTreeMap<CaseVerdict, usize> {
        let mut counts = BTreeMap::new();
        for case in &self.cases {
            *counts.entry(case.verdict).or_default() += 1;
        }
        counts
    }

    /// Number of cases with that verdict.
    pub fn count(&self, verdict: CaseVerdict) -> usize {
        self.cases.iter().filter(|case| case.verdict == verdict).count()
    }

    /// Whether the target could not be used from the beginning.
    pub fn could_not_begin(&self) -> bool {
        self.unusable.is_some() && self.cases.iter().all(|case| case.verdict == CaseVerdict::Skipped)
    }

    /// Rules that are proven by some of their cases only.
    pub fn rules_proven_in_part(&self) -> impl Iterator<Item = &RuleResult> {
        self.rules.iter().filter(|rule| rule.verdict == RuleVerdict::Proven && rule.cases_not_checked > 0)
    }

    /// Rules judged `error` that the run left open, with the reasons.
    pub fn unchecked_error_rules(&self) -> impl Iterator<Item = &RuleResult> {
        self.rules
            .iter()
            .filter(|rule| rule.judged == Judgement::Error && rule.verdict == RuleVerdict::NotChecked)
    }
}

/// Takes events as they come. Reports and progress displays are listeners; the engine knows nothing else of them.
pub trait Listener: Send {
    /// Called once for each event, in order.
    fn on_event(&mut self, event: &Event);
}

/// Takes no notice of anything: for runs whose result alone is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unheard;

impl Listener for Unheard {
    fn on_event(&mut self, _event: &Event) {}
}
