//! Every sentence that a report says to people, in one place.

use std::{collections::BTreeMap, fmt::Display, time::Duration};

use crate::{
    baseline::Difference,
    event::{CaseResult, CaseVerdict, Mismatch, RuleVerdict, RunResult, SkipReason},
    rule::RuleId,
};

use super::{
    findings::{Accusation, Conclusion, Findings, OpenReason, Reason, worst_mismatch},
    span::{count, time},
    standard::Standard,
    visible::visible,
};

pub(super) const BROKEN_RULES: &str = "Broken rules";
pub(super) const WARNINGS: &str = "Warnings";
pub(super) const BLOCKED: &str = "Blocked: the stage could not be set";
pub(super) const ERRORED: &str = "Errored: the suite could not look";
pub(super) const NOT_RUN: &str = "Not run";
/// What stands for the method where bytes were sent that need not be a request.
pub(super) const RAW: &str = "(bytes)";
pub(super) const NOT_AS_KNOWN: &str = "Not as in the list of known failures";
pub(super) const RULES: &str = "Rules";
pub(super) const COLUMNS: [&str; 5] = ["proven", "broken", "warned", "not claimed", "not checked"];
pub(super) const EXPECTED: &str = "expected";
pub(super) const ACTUAL: &str = "actual";
pub(super) const REPEAT: &str = "repeat it:";
pub(super) const ALL_RULES: &str = "all";

/// Section, level and judgement of a rule, behind its name.
pub(super) fn standing(section: &str, level: &str, judged: impl Display) -> String {
    format!("section {section}, {level}, {judged}")
}

pub(super) fn rule_not_listed() -> &'static str {
    "This run's catalogue does not list the rule."
}

pub(super) fn heading(title: &str, number: usize) -> String {
    format!("{title} ({number})")
}

pub(super) fn judged(judgement: &str) -> String {
    format!("judged {judgement}")
}

/// How many cases accuse a rule.
pub(super) fn seen_in(cases: usize, known: bool) -> String {
    let known = if known { ", a known failure" } else { "" };
    format!("seen in {}{known}", count(cases, "case"))
}

pub(super) fn also_in(cases: usize) -> String {
    format!("and in {}:", count(cases, "more case"))
}

pub(super) fn shown_above(rule: &RuleId) -> String {
    format!("its exchanges are shown above, under {rule}")
}

pub(super) fn expectation_stands_at(place: impl Display) -> String {
    format!("expected at {place}")
}

pub(super) fn mismatches_left_out(number: usize) -> String {
    format!("({} not shown)", count(number, "more expectation"))
}

pub(super) fn no_mismatch() -> &'static str {
    "the case does not say what it missed"
}

/// Expected and actual in one line.
pub(super) fn mismatch_in_short(subject: &str, expected: &str, actual: &str) -> String {
    // A warning expects something in a sentence of its own.
    if expected.ends_with('.') {
        return format!("{}: {}. {}", visible(subject), visible(actual), visible(expected));
    }
    format!("{}: expected {}, got {}", visible(subject), visible(expected), visible(actual))
}

pub(super) fn case_took(duration: Duration, attempts: u32) -> String {
    match attempts {
        0 | 1 => time(duration),
        more => format!("{}, attempt {more}", time(duration)),
    }
}

pub(super) fn whole_story(exchanges: usize) -> String {
    format!("the case made {exchanges} exchanges:")
}

pub(super) fn exchanges_left_out(number: usize) -> String {
    format!("({} not shown)", count(number, "more exchange"))
}

pub(super) fn exchange_began(number: usize, of: usize, started_at: Duration) -> String {
    format!("exchange {number} of {of}, {} into the run", time(started_at))
}

pub(super) fn exchange_in_short(request: &str, outcome: &str, duration: Duration) -> String {
    format!("{request} -> {outcome}, {}", time(duration))
}

pub(super) fn sent_as_they_are(url: &str) -> String {
    format!("these bytes were sent as they are to {url}:")
}

pub(super) fn no_answer() -> &'static str {
    "no answer"
}

pub(super) fn answer_times(to_head: Duration, total: Duration, ending: &str) -> String {
    format!("head after {}, all after {}; body {ending}", time(to_head), time(total))
}

pub(super) fn exchange_failed(sentence: &str, after: Duration) -> String {
    format!("{sentence} (after {})", time(after))
}

pub(super) fn body_cut(shown: usize, size: usize) -> String {
    format!("{shown} of {size} bytes shown")
}

pub(super) fn line_cut(beginning: &str, left_out: usize) -> String {
    format!("{beginning}... ({left_out} bytes more)")
}

pub(super) fn secret_header(name: &str, variable: &str) -> String {
    format!("put the secret value of {} into ${variable}", visible(name))
}

pub(super) fn secret_in_text(mark: &str) -> String {
    format!("put the secret value where it says {mark}")
}

pub(super) fn body_not_kept(shown: usize, size: usize) -> String {
    format!(
        "only {shown} of the {size} bytes of this body were kept: put the whole body into the file `body`"
    )
}

/// Why cases were not run, blocked or errored.
pub(super) fn group(reason: &Reason<'_>, cases: usize) -> String {
    let cases = count(cases, "case");
    match reason {
        Reason::Rule(rule) => format!("{cases} blocked by {rule}"),
        Reason::Skip(skip) => format!("{cases} {}", skipped(skip)),
        Reason::Words("") => format!("{cases} without a reason given"),
        Reason::Words(words) => format!("{cases}: {}", visible(words)),
    }
}

pub(super) fn skipped(reason: &SkipReason) -> String {
    match reason {
        SkipReason::NotClaimed(capability) => format!("not claimed: {}", visible(capability)),
        SkipReason::TooSlow(why) => format!("would wait too long: {}", visible(why)),
        SkipReason::NotGiven(flag) => format!("no {} was given", visible(flag)),
        SkipReason::OutOfReach(why) => format!("out of the target's reach: {}", visible(why)),
        SkipReason::OnlyHttp1 => "send bytes of HTTP/1.1, and this run speaks HTTP/2".to_owned(),
        SkipReason::Filtered => "left out by --only, --skip or --shard".to_owned(),
        SkipReason::OutOfTime => "not reached before the run's time was up".to_owned(),
    }
}

pub(super) fn and_more(names: &[&str], more: usize) -> String {
    let names = names.iter().map(|name| visible(name)).collect::<Vec<_>>().join(", ");
    if more == 0 { names } else { format!("{names} and {more} more") }
}

pub(super) fn notes(rules: usize, cases: usize) -> String {
    format!("{} on {} (in the json and html reports)", count(cases, "note"), count(rules, "rule"))
}

/// Where a reader finds what no report has room for.
pub(super) fn more_of_a_rule(rule: &RuleId) -> String {
    format!("Why a rule matters, and how it is checked: streamgauge rules {rule}")
}

pub(super) fn not_observable(rules: usize) -> String {
    match rules {
        1 => "1 more rule cannot be observed over HTTP.".to_owned(),
        more => format!("{more} more rules cannot be observed over HTTP."),
    }
}

/// The verdict on the run, in one word.
pub(super) fn verdict(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Passed => "PASSED",
        Conclusion::Failed => "FAILED",
        Conclusion::Unusable => "UNUSABLE",
        Conclusion::Errored => "ERRORED",
    }
}

/// What the verdict means, with the counts of rules.
pub(super) fn explanation(findings: &Findings<'_>, run: &RunResult, standard: Standard<'_>) -> String {
    if let Some(why) = &run.unusable {
        return format!("the target cannot be used: {}", visible(why));
    }
    if let Some(difference) = standard.known {
        return compared(findings, difference) + &unsteadiness(run, standard);
    }
    if findings.conclusion == Conclusion::Failed && findings.broken.is_empty() {
        return format!("{} warned, and warnings fail this run", count(findings.warned.len(), "rule"));
    }
    let proven = findings.total(ALL_RULES).proven;
    let main = match findings.broken.len() {
        0 => format!("{} proven{}, none broken", count(proven, "rule"), in_part(run)),
        broken => format!("{} broken", count(broken, "rule")),
    };
    let rest = [(findings.warned.len(), "warned"), (findings.noted.len(), "noted")];
    let rest =
        rest.iter().filter(|(number, _)| *number > 0).map(|(number, word)| format!(", {number} {word}"));
    main + &rest.collect::<String>() + &unsteadiness(run, standard)
}

/// How many rules are proven by some of their cases only, in brackets; nothing for none.
fn in_part(run: &RunResult) -> String {
    match run.rules_proven_in_part().count() {
        0 => String::new(),
        some => format!(" ({some} in part)"),
    }
}

/// What it means that rules are proven in part, where some are.
pub(super) fn proven_in_part(run: &RunResult) -> Option<String> {
    let number = run.rules_proven_in_part().count();
    let verb = if number == 1 { "is" } else { "are" };
    (number > 0).then(|| {
        format!(
            "{} {verb} proven in part: a case passed and none failed, but not all were checked (the json and html reports say why).",
            count(number, "rule")
        )
    })
}

/// How many verdicts differed between several runs, behind a semicolon; nothing for one run.
fn unsteadiness(run: &RunResult, standard: Standard<'_>) -> String {
    let Some(repeats) = &run.repeats else { return String::new() };
    if repeats.is_steady() {
        return format!("; the same in all {} runs", repeats.runs);
    }
    let known = if repeats.ids().all(|id| standard.excuses(id)) { ", all known to be" } else { "" };
    format!(
        "; unsteady over {} runs: {}, {}{known}",
        repeats.runs,
        count(repeats.rules.len(), "rule"),
        count(repeats.cases.len(), "case")
    )
}

pub(super) const UNSTEADY: &str = "Not the same in every run";

/// How often each verdict was seen: one sentence for each rule and case that was unsteady.
pub(super) fn unsteady(run: &RunResult, standard: Standard<'_>) -> Vec<String> {
    let Some(repeats) = &run.repeats else { return Vec::new() };
    let how_often = |what: &str, id: &str, verdicts: Vec<(&'static str, usize)>| {
        let known = if standard.excuses(id) { "; known to be unsteady" } else { "" };
        how_often(what, id, verdicts) + known
    };
    let rules = repeats.rules.iter().map(|rule| {
        let verdicts = rule.verdicts.iter().map(|(verdict, times)| (rule_verdict(*verdict), *times));
        how_often("rule", &rule.id, verdicts.collect())
    });
    let cases = repeats.cases.iter().map(|case| {
        let verdicts = case.verdicts.iter().map(|(verdict, times)| (case_verdict(*verdict), *times));
        how_often("case", &case.id, verdicts.collect())
    });
    rules.chain(cases).collect()
}

fn how_often(what: &str, id: &str, verdicts: Vec<(&'static str, usize)>) -> String {
    let verdicts: Vec<String> =
        verdicts.into_iter().map(|(verdict, times)| format!("{verdict} {}", count(times, "time"))).collect();
    format!("{what} {}: {}", visible(id), verdicts.join(", "))
}

/// One of several runs, in a line.
pub fn run_of(number: usize, of: usize, run: &RunResult) -> String {
    let what =
        run.unusable.as_deref().map_or_else(|| case_counts(&run.counts()), |why| visible(why).into_owned());
    format!("run {number} of {of}: {what}; {}", took(run.duration))
}

fn compared(findings: &Findings<'_>, difference: &Difference) -> String {
    let seen = findings.broken.len() + findings.warned.len();
    match (difference.unexpected.len(), difference.outdated.len()) {
        (0, 0) => format!("{} broken or warned, all as known", count(seen, "rule")),
        (0, outdated) => format!("the list of known failures is outdated in {}", count(outdated, "place")),
        (new, 0) => format!("{} broken or warned and not listed as known", count(new, "rule")),
        (new, outdated) => format!(
            "{} broken or warned and not listed as known; the list of known failures is outdated in {}",
            count(new, "rule"),
            count(outdated, "place")
        ),
    }
}

pub(super) fn not_known(rule: &RuleId, verdict: RuleVerdict) -> String {
    format!("{rule} is {} and not on the list", rule_verdict(verdict))
}

pub(super) fn known_failure(case: &CaseResult) -> String {
    format!("known: {}", case_in_short(case))
}

pub(super) fn rule_verdict(verdict: RuleVerdict) -> &'static str {
    match verdict {
        RuleVerdict::Proven => "proven",
        RuleVerdict::Broken => "broken",
        RuleVerdict::Warned => "warned",
        RuleVerdict::NotClaimed => "not claimed",
        RuleVerdict::NotChecked => "not checked",
        RuleVerdict::NotObservable => "not observable",
    }
}

/// How many cases have each verdict; verdicts that no case has are left out.
pub(super) fn case_counts(counts: &BTreeMap<CaseVerdict, usize>) -> String {
    let parts: Vec<_> =
        counts.iter().map(|(verdict, number)| format!("{number} {}", case_verdict(*verdict))).collect();
    if parts.is_empty() {
        return "no case was run".to_owned();
    }
    format!("{}: {}", count(counts.values().sum(), "case"), parts.join(", "))
}

pub(super) fn case_verdict(verdict: CaseVerdict) -> &'static str {
    match verdict {
        CaseVerdict::Passed => "passed",
        CaseVerdict::Failed => "failed",
        CaseVerdict::Warned => "warned",
        CaseVerdict::Blocked => "blocked",
        CaseVerdict::Skipped => "skipped",
        CaseVerdict::Errored => "errored",
    }
}

/// The sums of a run: what the verdict means, the cases by verdict, the time.
pub(super) fn sums(run: &RunResult, findings: &Findings<'_>, standard: Standard<'_>) -> String {
    let shard = run.shard.as_ref().map(|shard| format!("shard {shard}: ")).unwrap_or_default();
    if run.could_not_begin() {
        return format!("{shard}{}; no case was run", explanation(findings, run, standard));
    }
    format!(
        "{shard}{}; {}; {}",
        explanation(findings, run, standard),
        case_counts(&run.counts()),
        took(run.duration)
    )
}

/// Verdict, sums, and what was left open.
pub(super) fn closing(run: &RunResult, findings: &Findings<'_>, standard: Standard<'_>) -> String {
    let open = incomplete(&findings.open).map(|sentence| format!("; {sentence}")).unwrap_or_default();
    format!("{}: {}{open}", verdict(findings.conclusion), sums(run, findings, standard))
}

/// How the run differs from the known failures, one sentence each.
pub(super) fn differences(standard: Standard<'_>) -> Vec<String> {
    standard.known.map_or_else(Vec::new, |difference| {
        let new = difference.unexpected.iter().map(|(rule, verdict)| not_known(rule, *verdict));
        new.chain(difference.outdated.iter().map(|sentence| visible(sentence).into_owned())).collect()
    })
}

pub(super) fn rules_left_out(number: usize) -> String {
    format!("{} not shown here", count(number, "more rule"))
}

pub(super) fn evidence_of(case: &str) -> String {
    format!("how {} saw it", visible(case))
}

/// How many rules were left open and why; `None` when none was.
pub(super) fn incomplete(open: &[(OpenReason, usize)]) -> Option<String> {
    let total: usize = open.iter().map(|(_, number)| number).sum();
    let reasons: Vec<_> =
        open.iter().map(|(reason, number)| format!("{number} {}", open_reason(*reason))).collect();
    let verb = if total == 1 { "was" } else { "were" };
    (total > 0).then(|| {
        format!(
            "INCOMPLETE: {} judged error {verb} not checked ({})",
            count(total, "rule"),
            reasons.join(", ")
        )
    })
}

pub(super) fn open_reason(reason: OpenReason) -> &'static str {
    match reason {
        OpenReason::Errored => "errored",
        OpenReason::Blocked => "blocked",
        OpenReason::TooSlow => "too slow for --max-wait",
        OpenReason::OutOfTime => "out of time",
        OpenReason::Overtaken => "whose cases ended early by another rule's failure",
        OpenReason::OutOfReach => "out of the target's reach",
        OpenReason::NotGiven => "for want of a URL",
        OpenReason::OnlyHttp1 => "over HTTP/1.1 only",
        OpenReason::Filtered => "left out by --only, --skip or --shard",
        OpenReason::Unusable => "for want of a target",
        OpenReason::NoCase => "without a case",
    }
}

pub(super) fn took(duration: Duration) -> String {
    format!("in {}", time(duration))
}

/// The state of a run that goes on: how many cases are done, and what troubles were seen.
pub(super) fn progress(done: usize, all: usize, counts: &BTreeMap<CaseVerdict, usize>) -> String {
    format!("{done} of {}{}", count(all, "case"), troubles(counts))
}

/// What went wrong so far, behind a comma; nothing when nothing did.
pub(super) fn troubles(counts: &BTreeMap<CaseVerdict, usize>) -> String {
    let troubles =
        counts.iter().filter(|(verdict, _)| !matches!(verdict, CaseVerdict::Passed | CaseVerdict::Skipped));
    troubles.map(|(verdict, number)| format!(", {number} {}", case_verdict(*verdict))).collect()
}

pub(super) fn checking(target: &str, cases: usize) -> String {
    format!("checking {} with {}", visible(target), count(cases, "case"))
}

/// What there is to say of a case that did not pass, in one line.
pub(super) fn case_in_short(case: &CaseResult) -> String {
    let missed = worst_mismatch(case);
    match (case.verdict, missed) {
        (
            CaseVerdict::Failed | CaseVerdict::Warned | CaseVerdict::Passed,
            Some(Mismatch { subject, expected, actual, .. }),
        ) => mismatch_in_short(subject, expected, actual),
        (CaseVerdict::Failed | CaseVerdict::Warned, None) => no_mismatch().to_owned(),
        _ => why_without_answer(case),
    }
}

/// The first thing that a case says against a rule, in one line.
pub(super) fn accusation_in_short(accusation: &Accusation<'_>) -> String {
    accusation.mismatches.first().map_or_else(
        || no_mismatch().to_owned(),
        |mismatch| mismatch_in_short(&mismatch.subject, &mismatch.expected, &mismatch.actual),
    )
}

fn why_without_answer(case: &CaseResult) -> String {
    let sentence = case.reason.as_deref().map(visible);
    let short = match (&case.blocked_by, &case.skip) {
        (Some(rule), _) => Some(format!("blocked by {rule}")),
        (None, Some(skip)) => return skipped(skip),
        (None, None) => None,
    };
    match (short, sentence) {
        (Some(short), Some(sentence)) => format!("{short}: {sentence}"),
        (Some(short), None) => short,
        (None, Some(sentence)) => sentence.into_owned(),
        (None, None) => "no reason was given".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mismatch_reads_well_whether_it_expects_a_value_or_says_a_sentence() {
        assert_eq!(mismatch_in_short("status", "204", "200"), "status: expected 204, got 200");
        let sentence =
            mismatch_in_short("answer", "Only RFC 3339 says which instant is meant.", "status 201");
        assert_eq!(sentence, "answer: status 201. Only RFC 3339 says which instant is meant.");
    }
}
