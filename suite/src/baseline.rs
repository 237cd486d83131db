//! Failures that are known: they do not fail a run, and cut both ways. A rule that is listed and not broken
//! any more, and an entry that matches nothing, are as wrong as a new failure.

use std::{collections::BTreeSet, path::Path};

use globset::{Glob, GlobMatcher};
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::{
    event::{CaseResult, CaseVerdict, Repeats, RuleResult, RuleVerdict, RunResult, Unsteady},
    fixture::{FixtureError, FixtureFile},
    rule::{Judgement, RuleId},
};

/// A list of known failures, as read from a file.
#[derive(Clone, Debug)]
pub struct Baseline {
    path: String,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    text: String,
    line: u64,
    glob: GlobMatcher,
    of: Of,
    unsteady: bool,
}

/// What an entry speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Rule(KnownVerdict),
    /// What this case says against its rules is known.
    Case,
}

/// What is known of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum KnownVerdict {
    Broken,
    Warned,
}

/// An entry as it stands in the file: the rule (a glob) with its verdict, or a case (a glob), and why it is so.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct EntryText {
    #[schemars(with = "Option<String>")]
    rule: Option<Spanned<String>>,
    verdict: Option<KnownVerdict>,
    /// Why it is so, in a sentence.
    reason: String,
    /// Section of the protocol that decides it.
    section: Option<String>,
    /// The case that showed it; where no rule is named, the case whose findings are known.
    #[schemars(with = "Option<String>")]
    case: Option<Spanned<String>>,
    /// Most runs see it, not all: a race. A run that does not is no news.
    #[serde(default)]
    unsteady: bool,
    /// Commands that show it, `$ROOT` being the stream root.
    #[serde(default)]
    curl: Vec<String>,
    /// What the server answers to the last of them.
    #[serde(rename = "answer")]
    _answer: Option<String>,
}

/// How a run differs from what was known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Broken or warned, and not listed.
    pub unexpected: Vec<(RuleId, RuleVerdict)>,
    /// Listed, and not so: one sentence each, with the line of the file.
    pub outdated: Vec<String>,
    /// Rules and cases, by their ids, that were not the same in every run and are listed as unsteady.
    pub excused: BTreeSet<String>,
}

impl Difference {
    /// Whether the run is what was known.
    pub fn is_empty(&self) -> bool {
        self.unexpected.is_empty() && self.outdated.is_empty()
    }

    /// Whether it is known that the rule or case of that id is not the same in every run.
    pub fn excuses(&self, id: &str) -> bool {
        self.excused.contains(id)
    }
}

impl Baseline {
    /// Reads a list. A mistake in it is reported with its place.
    pub fn load(path: &Path) -> Result<Self, FixtureError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| FixtureError::new(format!("{}: {error}", path.display())))?;
        let file = FixtureFile { path: path.display().to_string(), text };
        let mut entries = Vec::new();
        for entry in file.parse_list::<EntryText>()? {
            let (named, of) = match (entry.rule, entry.verdict, entry.case) {
                (Some(rule), Some(verdict), _) => (rule, Of::Rule(verdict)),
                (Some(rule), None, _) => {
                    return Err(
                        file.mistake(rule.referenced, "a rule is listed with its verdict, broken or warned")
                    );
                }
                (None, None, Some(case)) => (case, Of::Case),
                (None, Some(_), Some(case)) => {
                    return Err(file
                        .mistake(case.referenced, "a verdict is that of a rule; name it, or leave it out"));
                }
                (None, _, None) => {
                    return Err(FixtureError::new(format!(
                        "{}: an entry names neither a rule nor a case",
                        file.path
                    )));
                }
            };
            let at = named.referenced;
            if entry.reason.trim().is_empty() {
                return Err(file.mistake(at, "a known failure has a reason"));
            }
            if !entry.curl.is_empty() && entry.section.is_none() {
                return Err(file
                    .mistake(at, "a failure that is shown by a command names the section that decides it"));
            }
            let glob = Glob::new(&named.value)
                .map_err(|error| file.mistake(at, format!("{:?} is no pattern: {error}", named.value)))?
                .compile_matcher();
            let (text, line, unsteady) = (named.value, at.line(), entry.unsteady);
            entries.push(Entry { text, line, glob, of, unsteady });
        }
        Ok(Self { path: file.path, entries })
    }

    /// The JSON Schema of a list.
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Vec<EntryText>).to_value()
    }

    /// Compares a run with what is known. Only rules that the run could judge speak against an entry: one
    /// that was not checked is neither broken nor mended.
    pub fn compare(&self, run: &RunResult) -> Difference {
        let mut difference = Difference::default();
        for rule in &run.rules {
            let known = self.entries.iter().find_map(|entry| entry.verdict_of(&rule.id));
            // What a rule judged `note` is seen to do is information, never a failure.
            let expected = match rule.verdict {
                _ if rule.judged == Judgement::Note => None,
                RuleVerdict::Broken => Some(KnownVerdict::Broken),
                RuleVerdict::Warned => Some(KnownVerdict::Warned),
                _ => None,
            };
            if expected.is_some() && known != expected && !self.knows_all_cases_against(rule, run) {
                difference.unexpected.push((rule.id.clone(), rule.verdict));
            }
        }
        for entry in &self.entries {
            let place = format!("{}:{}: {}", self.path, entry.line, entry.text);
            difference.outdated.extend(entry.outdated(run).map(|why| format!("{place} {why}")));
        }
        difference.excused =
            run.repeats.as_ref().map_or_else(BTreeSet::new, |repeats| self.excused(run, repeats));
        difference
    }

    /// What of the unsteadiness of several runs comes from entries that say `unsteady: true`.
    fn excused(&self, run: &RunResult, repeats: &Repeats) -> BTreeSet<String> {
        let is_race = |of_rule: bool, id: &str| {
            let mut races = self.entries.iter().filter(|entry| entry.unsteady);
            races.any(|entry| (entry.of != Of::Case) == of_rule && entry.glob.is_match(id))
        };
        let case = |id: &str| run.cases.iter().find(|case| case.id == id);
        // A case is as unsteady as the rules that it accuses, or that stand in its way.
        let excuses_case = |id: &str| {
            let mut accused = case(id).into_iter().flat_map(CaseResult::accused).peekable();
            is_race(false, id)
                || (accused.peek().is_some() && accused.all(|rule| is_race(true, rule.as_str())))
        };
        let cases: BTreeSet<String> =
            repeats.cases.iter().filter(|case| excuses_case(&case.id)).map(|case| case.id.clone()).collect();
        // A rule that nothing speaks against is unsteady where a case of it ended early; one that is accused, by itself
        // or by its cases.
        let excuses_rule = |rule: &Unsteady<RuleVerdict>| {
            let by_cases = || {
                let own = run.rules.iter().find(|known| known.id.as_str() == rule.id);
                let unsteady =
                    repeats.cases.iter().filter(|case| own.is_some_and(|own| own.cases.contains(&case.id)));
                let mut unsteady = unsteady.map(|case| case.id.as_str()).peekable();
                let is_accused = rule
                    .verdicts
                    .keys()
                    .any(|verdict| matches!(verdict, RuleVerdict::Broken | RuleVerdict::Warned));
                unsteady.peek().is_some()
                    && unsteady.all(|id| cases.contains(id) && (!is_accused || is_race(false, id)))
            };
            is_race(true, &rule.id) || by_cases()
        };
        let rules = repeats.rules.iter().filter(|rule| excuses_rule(rule)).map(|rule| rule.id.clone());
        rules.chain(cases.iter().cloned()).collect()
    }

    /// Whether everything that speaks against a rule comes from cases that are listed.
    fn knows_all_cases_against(&self, rule: &RuleResult, run: &RunResult) -> bool {
        let speaks_against =
            |case: &&CaseResult| case.mismatches.iter().any(|found| found.rules.contains(&rule.id));
        let is_listed = |case: &CaseResult| {
            self.entries.iter().any(|entry| entry.of == Of::Case && entry.glob.is_match(&case.id))
        };
        let mut against = run.cases.iter().filter(speaks_against).peekable();
        against.peek().is_some() && against.all(is_listed)
    }
}

impl Entry {
    /// What it says of that rule, if it speaks of it.
    fn verdict_of(&self, rule: &RuleId) -> Option<KnownVerdict> {
        match self.of {
            Of::Rule(verdict) if self.glob.is_match(rule.as_str()) => Some(verdict),
            Of::Rule(_) | Of::Case => None,
        }
    }

    /// Why the entry has no place on the list any more.
    fn outdated(&self, run: &RunResult) -> Option<&'static str> {
        let matches = |id: &str| self.glob.is_match(id);
        let (found, right) = match self.of {
            Of::Rule(_) => {
                let mut rules = run.rules.iter().filter(|rule| matches(rule.id.as_str())).peekable();
                // The case that showed it may be one of those that could not tell.
                let is_mended =
                    |rule: &RuleResult| rule.verdict == RuleVerdict::Proven && rule.cases_not_checked == 0;
                // --only and --shard leave rules out of a run; the list may still speak of them.
                let is_left_out = || {
                    run.cases_everywhere().any(|case| case.proves.iter().any(|rule| matches(rule.as_str())))
                };
                let was_run = rules.peek().is_some();
                (was_run || is_left_out(), was_run && rules.all(is_mended))
            }
            Of::Case => {
                let cases: BTreeSet<CaseVerdict> = run
                    .cases_everywhere()
                    .filter(|case| matches(&case.id))
                    .map(|case| case.verdict)
                    .collect();
                (!cases.is_empty(), cases.iter().all(|verdict| *verdict == CaseVerdict::Passed))
            }
        };
        match self.of {
            Of::Rule(_) if !found => Some("matches no rule that is checked"),
            Of::Case if !found => Some("matches no case that there is"),
            _ if !right || self.unsteady => None,
            Of::Rule(_) => Some("is listed as failing and is proven; take it off the list"),
            Of::Case => Some("is listed as failing and passes; take it off the list"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::report::sample::troubled;

    fn baseline(text: &str) -> Result<Baseline, FixtureError> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("a written file");
        Baseline::load(file.path())
    }

    /// A run of which every proven rule is proven by all of its cases.
    fn run() -> RunResult {
        let mut run = troubled();
        run.rules.iter_mut().for_each(|rule| rule.cases_not_checked = 0);
        run
    }

    fn difference(text: &str) -> Difference {
        baseline(text).unwrap_or_else(|error| panic!("{error}")).compare(&run())
    }

    fn unexpected(difference: &Difference) -> Vec<&str> {
        difference.unexpected.iter().map(|(rule, _)| rule.as_str()).collect()
    }

    const ALL: &str = "\
- { rule: 'create.*-201', verdict: broken, reason: old }
- { rule: create.response-next-offset, verdict: broken, reason: old }
- { rule: sse.close-final-control, verdict: broken, reason: old }
";

    #[test]
    fn what_is_listed_by_rule_is_known_and_another_verdict_is_not() {
        // The pattern knows the rule that is broken, not the one that only warns.
        assert_eq!(unexpected(&difference(ALL)), ["create.location-201"]);
        let exact = ALL.replace("create.*-201", "create.new-201")
            + "- { rule: create.location-201, verdict: warned, reason: old }\n";
        assert!(difference(&exact).is_empty());
    }

    #[test]
    fn a_rule_is_known_where_all_cases_that_speak_against_it_are_listed() {
        let by_case = |cases: &[&str]| {
            let line = |case: &&str| format!("- {{ case: {case}, reason: old }}\n");
            difference(&(cases.iter().map(line).collect::<String>()))
        };
        let found = by_case(&["creates-a-stream", "create-with-a-body"]);
        assert!(unexpected(&found).contains(&"create.new-201"), "a third case speaks against it");
        let found = by_case(&["creates-a-stream", "create-with-a-body", "put-names-the-*"]);
        assert_eq!(unexpected(&found), ["create.location-201", "sse.close-final-control"]);
        assert_eq!(found.outdated, Vec::<String>::new());
    }

    #[test]
    fn what_is_listed_and_right_or_not_there_is_told_with_its_line() {
        for (entry, why) in [
            ("rule: head.next-offset, verdict: broken", "is proven; take it off the list"),
            ("rule: head.*t, verdict: warned", "is proven; take it off the list"),
            ("rule: no.such-rule, verdict: broken", "matches no rule that is checked"),
            ("case: head-tells-the-tail", "passes; take it off the list"),
            ("case: no-such-case", "matches no case that there is"),
        ] {
            let outdated = difference(&format!("# A comment\n- {{ {entry}, reason: old }}\n")).outdated;
            assert_eq!(outdated.len(), 1, "{entry}");
            assert!(outdated[0].contains(":2: ") && outdated[0].ends_with(why), "{entry}: {outdated:?}");
        }
        let unsteady = "- { rule: head.next-offset, verdict: broken, unsteady: true, reason: a race }\n";
        assert_eq!(difference(unsteady).outdated, Vec::<String>::new());
    }

    #[test]
    fn what_a_run_leaves_out_is_neither_mended_nor_unknown() {
        let baseline =
            baseline("- { rule: head.next-offset, verdict: broken, reason: old }\n").expect("a list");
        let mut run = run();
        run.rules.clear();
        assert_eq!(baseline.compare(&run).outdated, Vec::<String>::new());
        run.cases.retain(|case| !case.proves.contains(&RuleId::new("head.next-offset")));
        assert_eq!(baseline.compare(&run).outdated.len(), 1);
    }

    #[test]
    fn what_is_proven_in_part_is_not_mended() {
        let baseline =
            baseline("- { rule: head.next-offset, verdict: broken, reason: old }\n").expect("a list");
        let mut run = run();
        assert_eq!(baseline.compare(&run).outdated.len(), 1);
        run.rules.iter_mut().for_each(|rule| rule.cases_not_checked = 1);
        assert_eq!(baseline.compare(&run).outdated, Vec::<String>::new());
    }

    /// Three runs: in one of them a case accused `create.new-201`, and so kept the rule that it proves from being told of.
    fn run_with_a_race() -> RunResult {
        let mut run = troubled();
        let case = |id: &str| Unsteady {
            id: id.to_owned(),
            verdicts: BTreeMap::from([(CaseVerdict::Passed, 2), (CaseVerdict::Failed, 1)]),
        };
        let rule = |id: &str, verdict| Unsteady {
            id: id.to_owned(),
            verdicts: BTreeMap::from([(RuleVerdict::Proven, 2), (verdict, 1)]),
        };
        for rule in &mut run.rules {
            if rule.id.as_str() == "closure.append-409" {
                rule.cases.push("creates-a-stream".to_owned());
            }
        }
        run.repeats = Some(Repeats {
            runs: 3,
            cases: vec![case("creates-a-stream")],
            rules: vec![
                rule("closure.append-409", RuleVerdict::NotChecked),
                rule("create.new-201", RuleVerdict::Broken),
            ],
        });
        run
    }

    fn excused(text: &str) -> Vec<String> {
        let baseline = baseline(text).unwrap_or_else(|error| panic!("{error}"));
        baseline.compare(&run_with_a_race()).excused.into_iter().collect()
    }

    #[test]
    fn a_race_that_is_listed_excuses_what_comes_of_it_and_nothing_else() {
        let all = ["closure.append-409", "create.new-201", "creates-a-stream"];
        let by_rule = "- { rule: create.new-201, verdict: broken, unsteady: true, reason: a race }\n";
        assert_eq!(excused(by_rule), all);
        let by_case = "- { case: creates-a-stream, unsteady: true, reason: a race }\n";
        assert_eq!(excused(by_case), all);
        for other in [
            "rule: create.new-201, verdict: broken",
            "rule: head.next-offset, verdict: broken, unsteady: true",
            "case: create-with-a-body, unsteady: true",
            "case: creates-a-stream",
        ] {
            assert_eq!(excused(&format!("- {{ {other}, reason: old }}\n")), [""; 0], "{other}");
        }
    }

    #[test]
    fn an_entry_that_says_too_little_is_a_mistake() {
        for entry in [
            "rule: a.b, reason: no verdict",
            "verdict: broken, reason: of what",
            "case: a, verdict: broken, reason: of a case",
            "rule: a.b, verdict: broken, reason: ' '",
            "rule: a.b, verdict: broken, reason: no section, curl: [curl]",
            "rule: 'a[', verdict: broken, reason: no pattern",
        ] {
            assert!(baseline(&format!("- {{ {entry} }}\n")).is_err(), "{entry}");
        }
    }
}
