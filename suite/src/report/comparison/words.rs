//! What a comparison says to people.

use crate::{
    event::RuleVerdict,
    report::{
        findings::{Conclusion, Tally},
        message,
        span::count,
    },
};

use super::{
    changes::{Change, Changes, Kind},
    recorded::Recorded,
    table::Table,
};

pub(super) const SERVERS: &str = "Servers";
pub(super) const RULES: &str = "Rules";
/// Stands where a report does not list a rule.
pub(super) const NOT_LISTED: &str = "-";

/// The verdict of one server on one rule.
pub(super) fn verdict(verdict: Option<RuleVerdict>) -> &'static str {
    verdict.map_or(NOT_LISTED, message::rule_verdict)
}

/// The name of the style of a verdict.
pub(super) const fn class(verdict: Option<RuleVerdict>) -> &'static str {
    match verdict {
        Some(RuleVerdict::Proven) => "proven",
        Some(RuleVerdict::Broken) => "broken",
        Some(RuleVerdict::Warned) => "warned",
        Some(RuleVerdict::NotClaimed) => "not-claimed",
        Some(RuleVerdict::NotChecked) => "not-checked",
        Some(RuleVerdict::NotObservable) => "not-observable",
        None => "not-listed",
    }
}

/// How many of the rules of an area are proven, of those that the server claims.
pub(super) fn proven_of(tally: &Tally) -> String {
    match tally.visible_total() - tally.not_claimed {
        0 if tally.not_claimed > 0 => message::rule_verdict(RuleVerdict::NotClaimed).to_owned(),
        0 => NOT_LISTED.to_owned(),
        claimed => format!("{} of {claimed}", tally.proven),
    }
}

/// What a run came to.
pub(super) fn conclusion(report: &Recorded) -> String {
    let verdict = match report.conclusion {
        Conclusion::Passed => "passed",
        Conclusion::Failed => "failed",
        Conclusion::Unusable => "could not be used",
        Conclusion::Errored => "errored",
    };
    if report.incomplete.rules > 0 { format!("{verdict}, incomplete") } else { verdict.to_owned() }
}

/// What has to be known beside the table.
pub(super) fn remarks(table: &Table<'_>) -> Vec<String> {
    let mut remarks = Vec::new();
    if table.alike > 0 {
        remarks.push(format!("{} on which all agree not shown.", count(table.alike, "rule")));
    }
    if table.not_observable > 0 {
        remarks.push(message::not_observable(table.not_observable));
    }
    if !table.versions.is_empty() {
        remarks.push(format!(
            "The reports come from different versions of streamgauge ({}): a rule may not be the same in all.",
            table.versions.join(", ")
        ));
    }
    remarks
}

/// The heading of a kind of change.
pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Broke => "Broke",
        Kind::Found => "Broken or warned, and not seen before",
        Kind::Spread => "Broken or warned as before, and more cases see it",
        Kind::Lost => "Proven before, and not seen any more",
        Kind::Hidden => "Broken or warned before, and not seen any more",
        Kind::Mended => "Mended",
        Kind::Gained => "Proven, and not seen before",
        Kind::New => "New rules",
        Kind::Gone => "Rules that are gone",
        Kind::Noted => "Notes",
    }
}

/// The verdicts then and now.
pub(super) fn transition(change: &Change<'_>) -> String {
    match (change.before, change.after) {
        (None, after) => verdict(after).to_owned(),
        (before, None) => format!("was {}", verdict(before)),
        (before, after) if before == after => format!("still {}", verdict(after)),
        (before, after) => format!("{}, was {}", verdict(after), verdict(before)),
    }
}

/// The sum of all changes, in one line.
pub(super) fn sum(changes: &Changes<'_>) -> String {
    let words = [
        (Kind::Broke, "broke"),
        (Kind::Found, "newly seen broken"),
        (Kind::Spread, "broken in more cases"),
        (Kind::Lost, "no longer proven"),
        (Kind::Hidden, "broken before and not seen"),
        (Kind::Mended, "mended"),
        (Kind::Gained, "newly proven"),
        (Kind::New, "new"),
        (Kind::Gone, "gone"),
        (Kind::Noted, "noted"),
    ];
    let parts: Vec<String> = words
        .into_iter()
        .filter(|(kind, _)| changes.count(*kind) > 0)
        .map(|(kind, word)| format!("{} {word}", changes.count(kind)))
        .collect();
    let verdict = if changes.has_regression() { "WORSE" } else { "NOT WORSE" };
    let told = if parts.is_empty() { "no rule has another verdict".to_owned() } else { parts.join(", ") };
    format!("{verdict}: {told}")
}
