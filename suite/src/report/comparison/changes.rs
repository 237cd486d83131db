//! What became of one server between two runs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use crate::{
    event::{CaseVerdict, RuleResult, RuleVerdict},
    rule::{Judgement, RuleId},
};

use super::recorded::{Recorded, RecordedCase};

/// A kind of change, in the order in which they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It was proven and is broken or warned now, or it was warned and is broken now.
    Broke,
    /// It was not seen before, and is broken or warned now.
    Found,
    /// It is broken or warned in both, by cases that passed before, too.
    Spread,
    /// It was proven, and is not checked or not claimed any more.
    Lost,
    /// It was broken or warned, and is not seen any more: neither mended nor not.
    Hidden,
    /// It was broken or warned and is proven now, or it was broken and is only warned of now.
    Mended,
    /// It was not seen before, and is proven now.
    Gained,
    /// Only the later report lists it.
    New,
    /// Only the earlier report lists it.
    Gone,
    /// What a rule judged `note` tells has changed. That is news, and no more.
    Noted,
}

impl Kind {
    /// Whether the server, or what the run proves of it, became worse.
    pub fn is_regression(self) -> bool {
        matches!(self, Self::Broke | Self::Found | Self::Spread | Self::Lost)
    }

    fn between(before: RuleVerdict, after: RuleVerdict) -> Option<Self> {
        use RuleVerdict::{Broken, Proven, Warned};
        match (before, after) {
            (Proven, Proven) | (Broken, Broken) | (Warned, Warned) => None,
            (Proven, Broken | Warned) | (Warned, Broken) => Some(Self::Broke),
            (Broken | Warned, Proven) | (Broken, Warned) => Some(Self::Mended),
            (Proven, _) => Some(Self::Lost),
            (Broken | Warned, _) => Some(Self::Hidden),
            (_, Broken | Warned) => Some(Self::Found),
            (_, Proven) => Some(Self::Gained),
            // Not claimed, not checked, not observable: nothing was seen, then and now.
            _ => None,
        }
    }
}

/// What became of one rule.
#[derive(Debug)]
pub struct Change<'a> {
    pub rule: &'a RuleResult,
    pub before: Option<RuleVerdict>,
    pub after: Option<RuleVerdict>,
    /// The cases that accuse it now and did not before; of a mended rule those that accused it before.
    pub cases: Vec<&'a str>,
}

/// All changes by kind; kinds without any are left out.
#[derive(Debug, Default)]
pub struct Changes<'a>(pub BTreeMap<Kind, Vec<Change<'a>>>);

impl<'a> Changes<'a> {
    pub(super) fn between(before: &'a Recorded, after: &'a Recorded) -> Self {
        let mut changes = BTreeMap::<Kind, Vec<Change<'a>>>::new();
        let earlier: HashMap<&RuleId, &RuleResult> =
            before.rules.iter().map(|rule| (&rule.id, rule)).collect();
        let later: BTreeSet<&RuleId> = after.rules.iter().map(|rule| &rule.id).collect();
        let cases = [before, after].map(accusing);
        for rule in &after.rules {
            let (kind, change) = match earlier.get(&rule.id) {
                None => (
                    Some(Kind::New),
                    Change { rule, before: None, after: Some(rule.verdict), cases: Vec::new() },
                ),
                Some(old) => between(old, rule, &cases),
            };
            if let Some(kind) = kind {
                changes.entry(kind).or_default().push(change);
            }
        }
        for rule in before.rules.iter().filter(|rule| !later.contains(&rule.id)) {
            let change = Change { rule, before: Some(rule.verdict), after: None, cases: Vec::new() };
            changes.entry(Kind::Gone).or_default().push(change);
        }
        Self(changes)
    }

    /// Whether anything became worse.
    pub fn has_regression(&self) -> bool {
        self.0.keys().any(|kind| kind.is_regression())
    }

    /// How many changes there are of that kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.0.get(&kind).map_or(0, Vec::len)
    }
}

type Accusing<'a> = HashMap<&'a RuleId, BTreeSet<&'a str>>;

/// The cases that speak against each rule.
fn accusing(report: &Recorded) -> Accusing<'_> {
    let mut accusing = Accusing::new();
    let speaks = |case: &&RecordedCase| matches!(case.verdict, CaseVerdict::Failed | CaseVerdict::Warned);
    for case in report.cases.iter().filter(speaks) {
        for mismatch in &case.mismatches {
            let accused = if mismatch.rules.is_empty() { &case.proves } else { &mismatch.rules };
            for rule in accused {
                accusing.entry(rule).or_default().insert(&case.id);
            }
        }
    }
    accusing
}

fn between<'a>(
    old: &'a RuleResult,
    rule: &'a RuleResult,
    [before, after]: &[Accusing<'a>; 2],
) -> (Option<Kind>, Change<'a>) {
    let nobody = BTreeSet::new();
    let then = before.get(&rule.id).unwrap_or(&nobody);
    let now = after.get(&rule.id).unwrap_or(&nobody);
    let kind = match Kind::between(old.verdict, rule.verdict) {
        None if matches!(rule.verdict, RuleVerdict::Broken | RuleVerdict::Warned)
            && now.difference(then).next().is_some() =>
        {
            Some(Kind::Spread)
        }
        kind => kind,
    };
    let kind = if rule.judged == Judgement::Note { kind.map(|_| Kind::Noted) } else { kind };
    let cases = match kind {
        Some(Kind::Mended) => then.difference(now).copied().collect(),
        _ => now.difference(then).copied().collect(),
    };
    (kind, Change { rule, before: Some(old.verdict), after: Some(rule.verdict), cases })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::comparison::sample;

    #[test]
    fn every_change_of_a_verdict_has_its_kind() {
        use RuleVerdict::{Broken, NotChecked, NotClaimed, Proven, Warned};
        let kinds = [
            (Proven, Broken, Some(Kind::Broke)),
            (Proven, Warned, Some(Kind::Broke)),
            (Warned, Broken, Some(Kind::Broke)),
            (NotChecked, Broken, Some(Kind::Found)),
            (NotClaimed, Warned, Some(Kind::Found)),
            (Proven, NotClaimed, Some(Kind::Lost)),
            (Proven, NotChecked, Some(Kind::Lost)),
            (Broken, NotChecked, Some(Kind::Hidden)),
            (Broken, Proven, Some(Kind::Mended)),
            (Broken, Warned, Some(Kind::Mended)),
            (Warned, Proven, Some(Kind::Mended)),
            (NotChecked, Proven, Some(Kind::Gained)),
            (NotChecked, NotClaimed, None),
            (Broken, Broken, None),
        ];
        for (before, after, kind) in kinds {
            assert_eq!(Kind::between(before, after), kind, "{before:?} {after:?}");
        }
    }

    #[test]
    fn the_same_run_twice_has_no_changes() {
        let [before, _] = sample::two_runs();
        let changes = Changes::between(&before.report, &before.report);
        assert!(changes.0.is_empty() && !changes.has_regression(), "{changes:?}");
    }

    #[test]
    fn one_server_then_and_now() {
        let [before, after] = sample::two_runs();
        let changes = Changes::between(&before.report, &after.report);
        let ids = |kind| -> Vec<&str> {
            changes.0.get(&kind).into_iter().flatten().map(|change| change.rule.id.as_str()).collect()
        };
        assert_eq!(ids(Kind::Broke), ["append.status-204"]);
        assert_eq!(ids(Kind::Spread), ["create.new-201"]);
        assert_eq!(ids(Kind::Mended), ["read.past-tail-400"]);
        assert_eq!(ids(Kind::New), ["create.location-201"]);
        assert_eq!(ids(Kind::Gone), ["ttl.sliding"]);
        assert_eq!(ids(Kind::Noted), ["read.page-size"]);
        assert!(changes.has_regression());
        let backwards = Changes::between(&after.report, &before.report);
        assert_eq!(backwards.count(Kind::Mended), 1);
        assert_eq!(backwards.count(Kind::Spread), 0, "fewer cases are no regression");
    }
}
