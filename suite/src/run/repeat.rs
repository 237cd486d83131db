//! Several runs seen as one: every case as it went worst, and what was not the same each time.

use std::collections::{BTreeMap, BTreeSet};

use super::rules;
use crate::{
    event::{CaseResult, CaseVerdict, Repeats, RunResult, Unsteady},
    rule::Catalogue,
};

/// One result for several runs of the same plan against the same target; nothing of none.
pub fn merge(runs: Vec<RunResult>, catalogue: &Catalogue) -> Option<RunResult> {
    if runs.len() < 2 {
        return runs.into_iter().next();
    }
    let number = runs.len();
    let (mut by_case, mut by_rule) = (BTreeMap::new(), BTreeMap::new());
    for run in &runs {
        run.cases.iter().for_each(|case| count(&mut by_case, &case.id, case.verdict));
        run.rules.iter().for_each(|rule| count(&mut by_rule, rule.id.as_str(), rule.verdict));
    }
    let repeats = Repeats { runs: number, rules: unsteady(by_rule), cases: unsteady(by_case) };
    let mut runs = runs.into_iter();
    let mut whole = runs.next()?;
    let mut selected: BTreeSet<_> = whole.rules.iter().map(|rule| rule.id.clone()).collect();
    let mut worst: BTreeMap<String, CaseResult> = BTreeMap::new();
    let mut keep = |case: CaseResult| match worst.get(&case.id) {
        Some(known) if weight(known.verdict) >= weight(case.verdict) => {}
        _ => {
            worst.insert(case.id.clone(), case);
        }
    };
    std::mem::take(&mut whole.cases).into_iter().for_each(&mut keep);
    for run in runs {
        whole.duration += run.duration;
        whole.unusable = whole.unusable.or(run.unusable);
        selected.extend(run.rules.into_iter().map(|rule| rule.id));
        run.cases.into_iter().for_each(&mut keep);
    }
    whole.cases = worst.into_values().collect();
    whole.rules = rules::verdicts(catalogue, whole.cases_everywhere(), &selected);
    whole.repeats = Some(repeats);
    Some(whole)
}

type Counts<V> = BTreeMap<String, BTreeMap<V, usize>>;

fn count<V: Ord>(counts: &mut Counts<V>, id: &str, verdict: V) {
    *counts.entry(id.to_owned()).or_default().entry(verdict).or_default() += 1;
}

fn unsteady<V: Ord>(counts: Counts<V>) -> Vec<Unsteady<V>> {
    counts
        .into_iter()
        .filter(|(_, verdicts)| verdicts.len() > 1)
        .map(|(id, verdicts)| Unsteady { id, verdicts })
        .collect()
}

fn weight(verdict: CaseVerdict) -> u8 {
    match verdict {
        CaseVerdict::Passed => 0,
        CaseVerdict::Skipped => 1,
        CaseVerdict::Blocked => 2,
        CaseVerdict::Errored => 3,
        CaseVerdict::Warned => 4,
        CaseVerdict::Failed => 5,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        event::RuleVerdict,
        fixture::{FixtureSource, Place},
        rule::RuleId,
    };

    const RULE: &str = "create.new-201";

    fn catalogue() -> Catalogue {
        Catalogue::load(&FixtureSource::Embedded).expect("the rules")
    }

    fn run(catalogue: &Catalogue, verdicts: &[(&str, CaseVerdict)]) -> RunResult {
        let cases: Vec<CaseResult> = verdicts
            .iter()
            .map(|(id, verdict)| CaseResult {
                id: (*id).to_owned(),
                title: String::new(),
                place: Place { file: String::new(), line: 1 },
                proves: vec![RuleId::new(RULE)],
                verdict: *verdict,
                duration: Duration::ZERO,
                reason: None,
                blocked_by: None,
                skip: None,
                mismatches: Vec::new(),
                exchanges: Vec::new(),
                attempts: 1,
                waited_for: None,
            })
            .collect();
        let rules = rules::verdicts(catalogue, &cases, &BTreeSet::from([RuleId::new(RULE)]));
        RunResult {
            target: "http://127.0.0.1/".to_owned(),
            seed: 1,
            duration: Duration::from_secs(1),
            cases,
            elsewhere: Vec::new(),
            rules,
            unusable: None,
            shard: None,
            repeats: None,
        }
    }

    #[test]
    fn what_differs_is_counted_and_the_worst_is_kept() {
        let catalogue = catalogue();
        let good = [("b", CaseVerdict::Passed)];
        let bad = [("b", CaseVerdict::Errored)];
        let runs = vec![run(&catalogue, &good), run(&catalogue, &bad), run(&catalogue, &good)];
        let whole = merge(runs, &catalogue).expect("a result");
        let repeats = whole.repeats.expect("several runs");
        assert_eq!(repeats.runs, 3);
        let cases = BTreeMap::from([(CaseVerdict::Passed, 2), (CaseVerdict::Errored, 1)]);
        assert_eq!(repeats.cases, [Unsteady { id: "b".to_owned(), verdicts: cases }]);
        let rules = BTreeMap::from([(RuleVerdict::Proven, 2), (RuleVerdict::NotChecked, 1)]);
        assert_eq!(repeats.rules, [Unsteady { id: RULE.to_owned(), verdicts: rules }]);
        assert_eq!(whole.cases[0].verdict, CaseVerdict::Errored);
        assert_eq!(whole.rules[0].verdict, RuleVerdict::NotChecked);
        assert_eq!(whole.duration, Duration::from_secs(3));
    }

    #[test]
    fn the_same_each_time_is_steady() {
        let catalogue = catalogue();
        let failed = [("a", CaseVerdict::Failed)];
        let whole = merge(vec![run(&catalogue, &failed), run(&catalogue, &failed)], &catalogue);
        let repeats = whole.expect("a result").repeats.expect("several runs");
        assert!(repeats.is_steady());
        assert!(merge(vec![run(&catalogue, &failed)], &catalogue).expect("a result").repeats.is_none());
    }
}
