//! From verdicts of cases to verdicts of rules.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    event::{CaseResult, CaseVerdict, RuleResult, RuleVerdict, SkipReason},
    rule::{Catalogue, Judgement, Rule, RuleId, Side},
};

/// The verdict of every rule that binds a server and is among `selected`, or that a case that ran tells of.
pub(super) fn verdicts<'a>(
    catalogue: &Catalogue,
    cases: impl IntoIterator<Item = &'a CaseResult>,
    selected: &BTreeSet<RuleId>,
) -> Vec<RuleResult> {
    let mut telling: BTreeMap<&RuleId, Vec<&CaseResult>> = BTreeMap::new();
    for case in cases {
        let accused = case.mismatches.iter().flat_map(|mismatch| &mismatch.rules);
        let rules: BTreeSet<&RuleId> = case.proves.iter().chain(accused).collect();
        for rule in rules {
            telling.entry(rule).or_default().push(case);
        }
    }
    catalogue
        .rules()
        .filter(|rule| rule.binds == Side::Server)
        .filter_map(|rule| {
            let cases = telling.remove(&rule.id).unwrap_or_default();
            let told = cases.iter().any(|case| case.skip != Some(SkipReason::Filtered));
            (selected.contains(&rule.id) || told).then(|| verdict(rule, &cases))
        })
        .collect()
}

fn verdict(rule: &Rule, cases: &[&CaseResult]) -> RuleResult {
    let open: Vec<&CaseResult> =
        cases.iter().copied().filter(|case| could_not_tell(case, &rule.id)).collect();
    let (verdict, reason) = judge(rule, cases, &open);
    RuleResult {
        id: rule.id.clone(),
        section: rule.section.clone(),
        level: rule.level.to_string(),
        judged: rule.judged,
        statement: rule.statement.clone(),
        verdict,
        reason,
        cases: cases.iter().map(|case| case.id.clone()).collect(),
        cases_not_checked: open.len(),
    }
}

/// Broken outweighs warned, and either outweighs what could not be seen. A rule is proven when a case of it was
/// carried through and none speaks against it; how many of its cases could not tell is said.
fn judge(rule: &Rule, cases: &[&CaseResult], open: &[&CaseResult]) -> (RuleVerdict, Option<String>) {
    let weight =
        cases.iter().flat_map(|case| accusations(case, &rule.id)).map(|weight| weight.min(rule.judged)).max();
    match weight {
        Some(Judgement::Error) => return (RuleVerdict::Broken, None),
        Some(Judgement::Warning | Judgement::Note) => return (RuleVerdict::Warned, None),
        None => {}
    }
    if !rule.observable {
        let reason = rule.check.strip_prefix("Not observable:").unwrap_or(&rule.check).trim();
        return (RuleVerdict::NotObservable, Some(reason.to_owned()));
    }
    let claimed = cases.iter().filter(|case| is_claimed(case)).count();
    if claimed == 0 {
        return match cases.first() {
            Some(case) => (RuleVerdict::NotClaimed, case.reason.clone()),
            None => (RuleVerdict::NotChecked, Some("no case proves it".to_owned())),
        };
    }
    let Some(first) = open.iter().find(|case| is_within_reach(case)).or(open.first()) else {
        return (RuleVerdict::Proven, None);
    };
    let why = why_open(first);
    match open.len() {
        all if all == claimed => (RuleVerdict::NotChecked, Some(why)),
        1 => (RuleVerdict::Proven, Some(format!("1 of its {claimed} cases was not checked: {why}"))),
        some => {
            let whole = format!("{some} of its {claimed} cases were not checked; the first: {why}");
            (RuleVerdict::Proven, Some(whole))
        }
    }
}

/// What a case says against a rule.
fn accusations<'a>(case: &'a CaseResult, rule: &'a RuleId) -> impl Iterator<Item = Judgement> + 'a {
    case.mismatches.iter().filter(|mismatch| mismatch.rules.contains(rule)).map(|mismatch| mismatch.weight)
}

/// Whether the target claims what the case is about.
fn is_claimed(case: &CaseResult) -> bool {
    !matches!(case.skip, Some(SkipReason::NotClaimed(_)))
}

/// A target without writes, or without reads, or over HTTP/2, cannot be asked everything.
fn is_within_reach(case: &CaseResult) -> bool {
    !matches!(case.skip, Some(SkipReason::OutOfReach(_) | SkipReason::OnlyHttp1))
}

/// Whether a case that was to tell of the rule speaks neither for nor against it.
fn could_not_tell(case: &CaseResult, rule: &RuleId) -> bool {
    match case.verdict {
        CaseVerdict::Passed | CaseVerdict::Warned => false,
        CaseVerdict::Failed => accusations(case, rule).next().is_none(),
        CaseVerdict::Blocked | CaseVerdict::Errored => true,
        CaseVerdict::Skipped => is_claimed(case),
    }
}

fn why_open(case: &CaseResult) -> String {
    let what = match case.verdict {
        CaseVerdict::Failed => return format!("case {} failed by another rule first", case.id),
        CaseVerdict::Blocked => "was blocked",
        CaseVerdict::Skipped => "was not run",
        _ => "errored",
    };
    match &case.reason {
        Some(reason) => format!("case {} {what}: {reason}", case.id),
        None => format!("case {} {what}", case.id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::Mismatch,
        fixture::{FixtureSource, Place},
    };

    const RULE: &str = "create.new-201";

    fn case(id: &str, verdict: CaseVerdict, accused: Option<&str>) -> CaseResult {
        let place = Place { file: "cases/create.yaml".to_owned(), line: 1 };
        let mismatch = |rule: &str| Mismatch {
            rules: vec![RuleId::new(rule)],
            weight: Judgement::Error,
            place: place.clone(),
            subject: "status".to_owned(),
            expected: "201".to_owned(),
            actual: "200".to_owned(),
            exchange: None,
        };
        CaseResult {
            id: id.to_owned(),
            title: String::new(),
            place: place.clone(),
            proves: vec![RuleId::new(RULE)],
            verdict,
            duration: std::time::Duration::ZERO,
            reason: Some("a stage that cannot be set".to_owned()),
            blocked_by: None,
            skip: (verdict == CaseVerdict::Skipped).then_some(SkipReason::Filtered),
            mismatches: accused.map(mismatch).into_iter().collect(),
            exchanges: Vec::new(),
            attempts: 1,
            waited_for: None,
        }
    }

    fn of(cases: &[CaseResult]) -> RuleResult {
        let catalogue = Catalogue::load(&FixtureSource::Embedded).expect("the rules");
        let selected = BTreeSet::from([RuleId::new(RULE)]);
        let mut rules = verdicts(&catalogue, cases, &selected);
        rules.retain(|rule| rule.id.as_str() == RULE);
        rules.pop().expect("the rule")
    }

    #[test]
    fn a_rule_is_proven_by_a_case_that_passed_and_its_other_cases_are_counted() {
        let passed = case("a", CaseVerdict::Passed, None);
        let whole = of(std::slice::from_ref(&passed));
        assert_eq!((whole.verdict, whole.reason, whole.cases_not_checked), (RuleVerdict::Proven, None, 0));
        for (verdict, accused) in [
            (CaseVerdict::Failed, Some("create.location-201")),
            (CaseVerdict::Blocked, None),
            (CaseVerdict::Skipped, None),
            (CaseVerdict::Errored, None),
        ] {
            let open = case("b", verdict, accused);
            let in_part = of(&[passed.clone(), open.clone()]);
            assert_eq!((in_part.verdict, in_part.cases_not_checked), (RuleVerdict::Proven, 1), "{verdict:?}");
            let reason = in_part.reason.expect("a reason");
            assert!(reason.starts_with("1 of its 2 cases was not checked: "), "{reason}");
            let alone = of(&[open]);
            assert_eq!((alone.verdict, alone.cases_not_checked), (RuleVerdict::NotChecked, 1), "{verdict:?}");
        }
    }

    #[test]
    fn no_case_that_passed_outweighs_one_that_blames_the_rule() {
        let rule = of(&[case("a", CaseVerdict::Passed, None), case("b", CaseVerdict::Failed, Some(RULE))]);
        assert_eq!((rule.verdict, rule.cases_not_checked), (RuleVerdict::Broken, 0));
    }

    #[test]
    fn what_the_target_does_not_claim_is_not_counted() {
        let mut absent = case("b", CaseVerdict::Skipped, None);
        absent.skip = Some(SkipReason::NotClaimed("ttl".to_owned()));
        let rule = of(&[case("a", CaseVerdict::Passed, None), absent.clone()]);
        assert_eq!((rule.verdict, rule.cases_not_checked), (RuleVerdict::Proven, 0));
        assert_eq!(of(&[absent]).verdict, RuleVerdict::NotClaimed);
    }
}
