//! What became of one sabotage.

use std::collections::{BTreeMap, BTreeSet};

use streamgauge::{
    event::{CaseResult, CaseVerdict, Mismatch, RuleVerdict, RunResult},
    rule::RuleId,
    run::Job,
};
use streamgauge_reference_server::sabotage::Sabotage;

/// Which cases a sabotage made fail, at which steps, and by what they looked at. Scenarios tell only that they
/// failed: when and where is up to chance.
pub(crate) type Signs = BTreeMap<String, BTreeSet<String>>;

/// How much is told of what a sabotage turned red.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// That it turned its own rule red.
    Nothing,
    /// The other rules, too.
    Rules,
    /// Cases and steps, too.
    Signs,
}

pub(crate) struct Outcome {
    pub(crate) sabotage: String,
    /// Whether the rule is red that was to be broken.
    pub(crate) caught: bool,
    /// Rules that were broken or warned of besides it.
    others: BTreeSet<String>,
    signs: Signs,
    /// What the cases of the rule said.
    said: Vec<String>,
}

impl Outcome {
    pub(crate) fn of(sabotage: &Sabotage, rule: &RuleId, jobs: &[Job], result: &RunResult) -> Self {
        let is_red = |verdict| matches!(verdict, RuleVerdict::Broken | RuleVerdict::Warned);
        let red = result.rules.iter().filter(|rule| is_red(rule.verdict));
        let own = result.cases.iter().filter(|case| case.proves.contains(rule));
        Self {
            sabotage: sabotage.id(),
            caught: red.clone().any(|red| red.id == *rule),
            others: red.filter(|red| red.id != *rule).map(|red| red.id.to_string()).collect(),
            signs: signs(jobs, result),
            said: own.map(said).collect(),
        }
    }

    /// The area of the rule that it breaks.
    pub(crate) fn area(&self) -> &str {
        self.sabotage.split('.').next().unwrap_or_default()
    }

    pub(crate) fn failed_cases(&self) -> impl Iterator<Item = &str> {
        self.signs.keys().map(String::as_str)
    }

    pub(crate) fn shows_more_than(&self, other: &Self) -> bool {
        let signs = |outcome: &Self| outcome.signs.values().map(BTreeSet::len).sum::<usize>();
        (self.caught, signs(self)) > (other.caught, signs(other))
    }

    /// What it turned red, for people and for the snapshot.
    pub(crate) fn red(&self, detail: Detail) -> String {
        let mut text = format!("{}\n", self.sabotage);
        if detail == Detail::Nothing {
            text.push_str("  depends on chance\n");
            return text;
        }
        if !self.others.is_empty() {
            let others: Vec<&str> = self.others.iter().map(String::as_str).collect();
            text.push_str(&format!("  also {}\n", others.join(", ")));
        }
        if detail == Detail::Signs {
            for line in grouped(&self.signs) {
                text.push_str(&format!("  {line}\n"));
            }
        }
        text
    }

    /// Why it was not caught, as far as the cases tell.
    pub(crate) fn why(&self) -> String {
        let cases = match self.said.is_empty() {
            true => "no case proves its rule".to_owned(),
            false => self.said.join("\n  "),
        };
        format!(
            "sabotage {} is not caught: strengthen a case of its rule, or see with `streamgauge serve --break {}` \
             whether it has an effect\n  {cases}",
            self.sabotage, self.sabotage
        )
    }
}

/// A line for each case with its signs; rows of one table that have the same signs stand together.
pub(crate) fn grouped(signs: &Signs) -> Vec<String> {
    let mut rows: BTreeMap<(&str, &BTreeSet<String>), Vec<&str>> = BTreeMap::new();
    for (id, signs) in signs {
        let (case, row) = id.split_once('/').map_or((id.as_str(), None), |(case, row)| (case, Some(row)));
        rows.entry((case, signs)).or_default().extend(row);
    }
    rows.into_iter()
        .map(|((case, signs), rows)| {
            let rows = if rows.is_empty() { String::new() } else { format!("/{}", rows.join(",")) };
            let signs: Vec<&str> = signs.iter().map(String::as_str).collect();
            let signs = if signs.is_empty() { String::new() } else { format!(": {}", signs.join("; ")) };
            format!("{case}{rows}{signs}")
        })
        .collect()
}

/// The signs by which cases failed or warned.
pub(crate) fn signs(jobs: &[Job], result: &RunResult) -> Signs {
    let is_red = |case: &&CaseResult| matches!(case.verdict, CaseVerdict::Failed | CaseVerdict::Warned);
    let red = result.cases.iter().filter(is_red);
    red.map(|case| {
        let job = jobs.iter().find(|job| job.id() == case.id);
        (case.id.clone(), case.mismatches.iter().filter_map(|found| sign(job?, found)).collect())
    })
    .collect()
}

/// The signs that the others lack.
pub(crate) fn without(signs: Signs, others: &Signs) -> Signs {
    pick(signs, |case, sign| !others.get(case).is_some_and(|signs| signs.contains(sign)))
}

/// The signs that the others have, too.
pub(crate) fn common(signs: Signs, others: &Signs) -> Signs {
    pick(signs, |case, sign| others.get(case).is_some_and(|signs| signs.contains(sign)))
}

fn pick(signs: Signs, keeps: impl Fn(&str, &str) -> bool) -> Signs {
    signs
        .into_iter()
        .map(|(case, mut signs)| {
            signs.retain(|sign| keeps(&case, sign));
            (case, signs)
        })
        .filter(|(_, signs)| !signs.is_empty())
        .collect()
}

fn sign(job: &Job, found: &Mismatch) -> Option<String> {
    let Job::Case(case) = job else {
        return None;
    };
    let step = case.steps.iter().filter(|step| step.referenced.line() <= found.place.line).count();
    let subject = match found.subject.as_str() {
        "answer" => format!("answer ({})", missed(&found.expected)),
        subject => subject.to_owned(),
    };
    Some(format!("step {step} {subject}"))
}

/// What each of several right answers wants that this one was not: their subjects, as the sentence has them.
fn missed(choices: &str) -> String {
    let subject = |demand: &str| {
        let mut words = demand.split(' ');
        let first = words.next().unwrap_or_default();
        if first == "header" {
            format!("{first} {}", words.next().unwrap_or_default())
        } else {
            first.to_owned()
        }
    };
    let of_choice = |choice: &str| choice.split(" and ").map(subject).collect::<Vec<_>>().join(", ");
    choices.split("; or ").map(of_choice).collect::<Vec<_>>().join(" or ")
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
