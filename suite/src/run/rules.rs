//! From verdicts of cases to verdicts of rules.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    event::{CaseResult, CaseVerdict, RuleResult, RuleVerdict, SkipReason},
    rule::{Catalogue, Judgement, Rule, RuleId, Side},
};

/// The verdict of every rule that binds a server and is among `selected`, or that a case that ran tells of.
pub(super) fn verdicts(
    catalogue: &Catalogue,
    cases: &[CaseResult],
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
    let (verdict, reason) = judge(rule, cases);
    RuleResult {
        id: rule.id.clone(),
        section: rule.section.clone(),
        level: rule.level.to_string(),
        judged: rule.judged,
        statement: rule.statement.clone(),
        verdict,
        reason,
        cases: cases.iter().map(|case| case.id.clone()).collect(),
    }
}

/// Broken outweighs warned, and either outweighs what could not be seen. Proven is a rule only when every
/// case that was to prove it could be carried through.
fn judge(rule: &Rule, cases: &[&CaseResult]) -> (RuleVerdict, Option<String>) {
    let weight = cases
        .iter()
        .flat_map(|case| &case.mismatches)
        .filter(|mismatch| mismatch.rules.contains(&rule.id))
        .map(|mismatch| mismatch.weight.min(rule.judged))
        .max();
    match weight {
        Some(Judgement::Error) => return (RuleVerdict::Broken, None),
        Some(Judgement::Warning | Judgement::Note) => return (RuleVerdict::Warned, None),
        None => {}
    }
    if !rule.observable {
        let reason = rule.check.strip_prefix("Not observable:").unwrap_or(&rule.check).trim();
        return (RuleVerdict::NotObservable, Some(reason.to_owned()));
    }
    let claimed: Vec<&&CaseResult> =
        cases.iter().filter(|case| !matches!(case.skip, Some(SkipReason::NotClaimed(_)))).collect();
    if claimed.is_empty() {
        return match cases.first() {
            Some(case) => (RuleVerdict::NotClaimed, case.reason.clone()),
            None => (RuleVerdict::NotChecked, Some("no case proves it".to_owned())),
        };
    }
    // What a target without writes, or without reads, or over HTTP/2, cannot be asked speaks neither for nor against it.
    let within_reach: Vec<&&&CaseResult> = claimed
        .iter()
        .filter(|case| !matches!(case.skip, Some(SkipReason::OutOfReach(_) | SkipReason::OnlyHttp1)))
        .collect();
    if within_reach.is_empty() {
        return (RuleVerdict::NotChecked, claimed.first().and_then(|case| case.reason.clone()));
    }
    let open: Vec<&&&CaseResult> = within_reach
        .into_iter()
        .filter(|case| !matches!(case.verdict, CaseVerdict::Passed | CaseVerdict::Warned))
        .collect();
    match open.first() {
        None => (RuleVerdict::Proven, None),
        Some(case) => {
            let why = match case.verdict {
                CaseVerdict::Failed => format!("case {} failed by another rule first", case.id),
                CaseVerdict::Blocked => format!("blocked: {}", case.reason.as_deref().unwrap_or(&case.id)),
                CaseVerdict::Skipped => case.reason.clone().unwrap_or_default(),
                _ => format!("errored: {}", case.reason.as_deref().unwrap_or(&case.id)),
            };
            (RuleVerdict::NotChecked, Some(why))
        }
    }
}
