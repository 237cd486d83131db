//! A run seen from the rules: what every report tells, worked out once.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use serde::{Deserialize, Serialize};

use super::standard::Standard;
use crate::{
    event::{CaseResult, CaseVerdict, Mismatch, RuleResult, RuleVerdict, RunResult, SkipReason},
    rule::{Judgement, RuleId},
};

/// What a run found.
#[derive(Debug)]
pub struct Findings<'a> {
    /// Rules judged `error` that were seen broken, in order of their names.
    pub broken: Vec<Finding<'a>>,
    /// Rules of which only warnings tell.
    pub warned: Vec<Finding<'a>>,
    /// Rules of which notes tell.
    pub noted: Vec<Finding<'a>>,
    /// Cases whose stage could not be set, by what stood in the way; the most first.
    pub blocked: Vec<Group<'a>>,
    /// Cases that the suite itself could not look at, by reason; the most first.
    pub errored: Vec<Group<'a>>,
    /// Cases that were not run, by reason; the most first.
    pub skipped: Vec<Group<'a>>,
    /// The verdicts of the rules of each area, in order of the areas' names.
    pub areas: Vec<Tally>,
    /// The verdicts of the rules of each judgement, the heaviest first.
    pub judgements: Vec<Tally>,
    /// How many rules judged `error` were not checked, by reason; the most first.
    pub open: Vec<(OpenReason, usize)>,
    pub conclusion: Conclusion,
    rules: HashMap<&'a RuleId, &'a RuleResult>,
}

/// One rule, and the cases that accuse it.
#[derive(Debug)]
pub struct Finding<'a> {
    pub id: &'a RuleId,
    /// What the catalogue says of it; `None` if the run does not list the rule.
    pub rule: Option<&'a RuleResult>,
    pub accusations: Vec<Accusation<'a>>,
}

/// What one case says against one rule.
#[derive(Debug)]
pub struct Accusation<'a> {
    pub case: &'a CaseResult,
    /// Empty only if the case failed without saying what it missed.
    pub mismatches: Vec<&'a Mismatch>,
}

/// Cases that were left without an answer for one and the same reason.
#[derive(Debug)]
pub struct Group<'a> {
    pub reason: Reason<'a>,
    pub cases: Vec<&'a CaseResult>,
}

/// Why cases were left without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason<'a> {
    /// A rule on which the stage of the case stands is not kept.
    Rule(&'a RuleId),
    /// The case was not run.
    Skip(&'a SkipReason),
    /// The sentence that the engine gave.
    Words(&'a str),
}

/// How many rules have each verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The area or the judgement that is counted.
    pub name: String,
    pub proven: usize,
    pub broken: usize,
    pub warned: usize,
    pub not_claimed: usize,
    pub not_checked: usize,
    pub not_observable: usize,
}

/// Why a rule was not checked. Ordered by what tells most: a rule whose cases differ counts under the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OpenReason {
    Errored,
    Blocked,
    TooSlow,
    OutOfTime,
    /// Its cases ended early, as another rule was seen broken.
    Overtaken,
    /// The user did not give a URL that its cases need.
    NotGiven,
    /// Its cases do what the target does not take.
    OutOfReach,
    /// A case writes bytes of HTTP/1.1, and the run speaks HTTP/2.
    OnlyHttp1,
    Filtered,
    /// The target could not be used at all.
    Unusable,
    /// No case tells of it.
    NoCase,
}

/// What the run as a whole says. The exit status says the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Conclusion {
    /// Nothing that would fail the target was seen.
    Passed,
    /// A rule of the weight that fails a run is broken.
    Failed,
    /// The target could not be used at all.
    Unusable,
    /// Nothing was seen broken, but the suite could not look everywhere it meant to.
    Errored,
}

impl<'a> Findings<'a> {
    /// Sorts a run, measured by a standard.
    pub fn of(run: &'a RunResult, standard: Standard<'_>) -> Self {
        let rules: HashMap<_, _> = run.rules.iter().map(|rule| (&rule.id, rule)).collect();
        let weighed = |weight| accusations(run, weight, &rules);
        let mut broken = weighed(Judgement::Error);
        let mut warned = each_once(&mut broken, weighed(Judgement::Warning));
        let noted = each_once(&mut broken, weighed(Judgement::Note));
        let noted = each_once(&mut warned, noted);
        Self {
            broken,
            warned,
            noted,
            blocked: groups(run, CaseVerdict::Blocked),
            errored: groups(run, CaseVerdict::Errored),
            skipped: groups(run, CaseVerdict::Skipped),
            areas: tallies(run, |rule| rule.id.area().to_owned()),
            judgements: [Judgement::Error, Judgement::Warning, Judgement::Note]
                .into_iter()
                .filter_map(|judged| {
                    let of_it =
                        run.rules.iter().filter(|rule| rule.judged == judged).map(|rule| rule.verdict);
                    Tally::of(judged.to_string(), of_it)
                })
                .collect(),
            open: open_reasons(run),
            conclusion: standard.conclude(run),
            rules,
        }
    }

    /// What the catalogue says of a rule.
    pub fn rule(&self, id: &RuleId) -> Option<&'a RuleResult> {
        self.rules.get(id).copied()
    }

    /// How many rules judged `error` were not checked.
    pub fn open_count(&self) -> usize {
        self.open.iter().map(|(_, count)| count).sum()
    }

    /// What was found of a rule, the heaviest first.
    pub fn of_rule<'s>(&'s self, id: &'s RuleId) -> impl Iterator<Item = &'s Finding<'a>> + 's {
        self.broken.iter().chain(&self.warned).chain(&self.noted).filter(move |finding| finding.id == id)
    }

    /// The findings to which a case contributes, the heaviest first.
    pub fn against<'s>(&'s self, case: &'s CaseResult) -> impl Iterator<Item = &'s Finding<'a>> + 's {
        let all = self.broken.iter().chain(&self.warned).chain(&self.noted);
        all.filter(|finding| finding.accusations.iter().any(|accusation| accusation.case.id == case.id))
    }

    /// All verdicts together.
    pub fn total(&self, name: &str) -> Tally {
        let mut total = Tally { name: name.to_owned(), ..Tally::default() };
        for tally in &self.areas {
            total.proven += tally.proven;
            total.broken += tally.broken;
            total.warned += tally.warned;
            total.not_claimed += tally.not_claimed;
            total.not_checked += tally.not_checked;
            total.not_observable += tally.not_observable;
        }
        total
    }
}

impl Finding<'_> {
    /// What is looked up as `finding.rule.statement`, or an empty text.
    pub fn statement(&self) -> &str {
        self.rule.map_or("", |rule| &rule.statement)
    }
}

/// The area under which a case is filed: that of the first rule that it proves.
pub(super) fn area_of(case: &CaseResult) -> &str {
    case.proves.first().map_or("other", RuleId::area)
}

/// The heaviest mismatch of a case, and of several the first.
pub(super) fn worst_mismatch(case: &CaseResult) -> Option<&Mismatch> {
    case.mismatches.iter().min_by_key(|mismatch| Reverse(mismatch.weight))
}

impl Accusation<'_> {
    /// Indices of the exchanges that show the mismatches, in order. Where none is named, the last one of the
    /// case is where it stopped.
    pub fn telling_exchanges(&self) -> Vec<usize> {
        let all = self.case.exchanges.len();
        let mut named: Vec<_> = self
            .mismatches
            .iter()
            .filter_map(|mismatch| mismatch.exchange)
            .filter(|index| *index < all)
            .collect();
        named.sort_unstable();
        named.dedup();
        if named.is_empty() { all.checked_sub(1).into_iter().collect() } else { named }
    }
}

fn accusations<'a>(
    run: &'a RunResult,
    weight: Judgement,
    rules: &HashMap<&'a RuleId, &'a RuleResult>,
) -> Vec<Finding<'a>> {
    let mut found: BTreeMap<&RuleId, Vec<Accusation<'_>>> = BTreeMap::new();
    for case in run.cases.iter().filter(|case| accuses(case.verdict)) {
        let mut said: BTreeMap<&RuleId, Vec<&Mismatch>> = BTreeMap::new();
        for mismatch in case.mismatches.iter().filter(|mismatch| mismatch.weight == weight) {
            // An expectation that names no rule of its own belongs to those that the case proves.
            let accused = if mismatch.rules.is_empty() { &case.proves } else { &mismatch.rules };
            for rule in accused {
                said.entry(rule).or_default().push(mismatch);
            }
        }
        // A failure without words must not vanish from the report.
        if said.is_empty() && own_weight(case.verdict) == Some(weight) {
            said.extend(case.proves.iter().map(|rule| (rule, Vec::new())));
        }
        for (rule, mismatches) in said {
            found.entry(rule).or_default().push(Accusation { case, mismatches });
        }
    }
    found
        .into_iter()
        .map(|(id, accusations)| Finding { id, rule: rules.get(id).copied(), accusations })
        .collect()
}

/// A rule is told of once, under the heaviest that was seen of it: what is lighter is added there. What is left is
/// of other rules.
fn each_once<'a>(heavier: &mut [Finding<'a>], lighter: Vec<Finding<'a>>) -> Vec<Finding<'a>> {
    let mut left = Vec::new();
    for finding in lighter {
        let Some(told) = heavier.iter_mut().find(|told| told.id == finding.id) else {
            left.push(finding);
            continue;
        };
        for accusation in finding.accusations {
            match told.accusations.iter_mut().find(|known| known.case.id == accusation.case.id) {
                Some(known) => known.mismatches.extend(accusation.mismatches),
                None => told.accusations.push(accusation),
            }
        }
    }
    left
}

/// A blocked case accuses nobody, whatever it saw.
fn accuses(verdict: CaseVerdict) -> bool {
    matches!(verdict, CaseVerdict::Failed | CaseVerdict::Warned | CaseVerdict::Passed)
}

fn own_weight(verdict: CaseVerdict) -> Option<Judgement> {
    match verdict {
        CaseVerdict::Failed => Some(Judgement::Error),
        CaseVerdict::Warned => Some(Judgement::Warning),
        _ => None,
    }
}

fn groups(run: &RunResult, verdict: CaseVerdict) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for case in run.cases.iter().filter(|case| case.verdict == verdict) {
        let reason = Reason::of(case);
        match groups.iter_mut().find(|group| group.reason == reason) {
            Some(group) => group.cases.push(case),
            None => groups.push(Group { reason, cases: vec![case] }),
        }
    }
    groups.sort_by_key(|group| Reverse(group.cases.len()));
    groups
}

impl<'a> Reason<'a> {
    fn of(case: &'a CaseResult) -> Self {
        match (&case.blocked_by, &case.skip) {
            (Some(rule), _) => Self::Rule(rule),
            (None, Some(skip)) => Self::Skip(skip),
            (None, None) => Self::Words(case.reason.as_deref().unwrap_or_default()),
        }
    }
}

fn tallies(run: &RunResult, name: impl Fn(&RuleResult) -> String) -> Vec<Tally> {
    let mut by_name: BTreeMap<String, Vec<&RuleResult>> = BTreeMap::new();
    for rule in &run.rules {
        by_name.entry(name(rule)).or_default().push(rule);
    }
    by_name
        .into_iter()
        .filter_map(|(name, rules)| Tally::of(name, rules.iter().map(|rule| rule.verdict)))
        .collect()
}

impl Tally {
    /// `None` when there is nothing to count.
    pub(super) fn of(name: String, verdicts: impl Iterator<Item = RuleVerdict>) -> Option<Self> {
        let mut tally = Self { name, ..Self::default() };
        for verdict in verdicts {
            *match verdict {
                RuleVerdict::Proven => &mut tally.proven,
                RuleVerdict::Broken => &mut tally.broken,
                RuleVerdict::Warned => &mut tally.warned,
                RuleVerdict::NotClaimed => &mut tally.not_claimed,
                RuleVerdict::NotChecked => &mut tally.not_checked,
                RuleVerdict::NotObservable => &mut tally.not_observable,
            } += 1;
        }
        (tally.visible_total() + tally.not_observable > 0).then_some(tally)
    }

    /// The columns of a table of verdicts. Rules that no run can see have no place in it.
    pub fn cells(&self) -> [usize; 5] {
        [self.proven, self.broken, self.warned, self.not_claimed, self.not_checked]
    }

    /// All rules in [`Self::cells`].
    pub fn visible_total(&self) -> usize {
        self.cells().into_iter().sum()
    }
}

fn open_reasons(run: &RunResult) -> Vec<(OpenReason, usize)> {
    let cases: HashMap<&str, &CaseResult> =
        run.cases_everywhere().map(|case| (case.id.as_str(), case)).collect();
    let mut counts: BTreeMap<OpenReason, usize> = BTreeMap::new();
    let otherwise = if run.unusable.is_some() { OpenReason::Unusable } else { OpenReason::NoCase };
    for rule in run.unchecked_error_rules() {
        let reasons =
            rule.cases.iter().filter_map(|id| cases.get(id.as_str())).filter_map(|case| open_reason(case));
        *counts.entry(reasons.min().unwrap_or(otherwise)).or_default() += 1;
    }
    let mut open: Vec<_> = counts.into_iter().collect();
    open.sort_by_key(|(_, count)| Reverse(*count));
    open
}

fn open_reason(case: &CaseResult) -> Option<OpenReason> {
    match (case.verdict, &case.skip) {
        (CaseVerdict::Errored, _) => Some(OpenReason::Errored),
        (CaseVerdict::Blocked, _) => Some(OpenReason::Blocked),
        (CaseVerdict::Failed, _) => Some(OpenReason::Overtaken),
        (CaseVerdict::Skipped, Some(SkipReason::TooSlow(_))) => Some(OpenReason::TooSlow),
        (CaseVerdict::Skipped, Some(SkipReason::OutOfTime)) => Some(OpenReason::OutOfTime),
        (CaseVerdict::Skipped, Some(SkipReason::NotGiven(_))) => Some(OpenReason::NotGiven),
        (CaseVerdict::Skipped, Some(SkipReason::OutOfReach(_))) => Some(OpenReason::OutOfReach),
        (CaseVerdict::Skipped, Some(SkipReason::OnlyHttp1)) => Some(OpenReason::OnlyHttp1),
        (CaseVerdict::Skipped, Some(SkipReason::Filtered)) => Some(OpenReason::Filtered),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_rule_that_is_broken_and_warned_of_counts_once() {
        let mut run = sample::troubled();
        let broken = RuleId::new("create.new-201");
        let warning = run.cases.iter_mut().find(|case| case.id == "location-of-a-new-stream").unwrap();
        warning.mismatches.iter_mut().for_each(|mismatch| mismatch.rules = vec![broken.clone()]);
        let findings = Findings::of(&run, sample::standard());
        assert!(findings.warned.iter().all(|finding| finding.id != &broken));
        let finding = findings.broken.iter().find(|finding| finding.id == &broken).unwrap();
        assert!(
            finding.accusations.iter().any(|accusation| accusation.case.id == "location-of-a-new-stream")
        );
    }
}
