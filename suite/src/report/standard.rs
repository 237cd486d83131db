use crate::{
    baseline::Difference,
    event::{CaseResult, CaseVerdict, Repeats, RuleResult, RuleVerdict, RunResult},
    rule::{Judgement, RuleId},
};

use super::findings::Conclusion;

/// What a run is measured by.
#[derive(Clone, Copy, Debug)]
pub struct Standard<'a> {
    /// The least weight that fails the run.
    pub fail_on: Judgement,
    /// How the run differs from the list of known failures, where there is one: then only a difference fails it.
    pub known: Option<&'a Difference>,
}

impl Standard<'_> {
    /// Whether a violation of that weight fails a run, if it is not known.
    pub fn fails(&self, weight: Judgement) -> bool {
        weight >= self.fail_on
    }

    /// Whether it is known that the rule is broken or warned.
    pub fn knows(&self, rule: &RuleId) -> bool {
        self.known
            .is_some_and(|difference| !difference.unexpected.iter().any(|(unexpected, _)| unexpected == rule))
    }

    /// Whether it is known that the rule or case of that id is not the same in every run.
    pub fn excuses(&self, id: &str) -> bool {
        self.known.is_some_and(|difference| difference.excuses(id))
    }

    /// Whether all that the case accuses is known.
    pub fn knows_all_of(&self, case: &CaseResult) -> bool {
        let mut accused = case.accused().peekable();
        accused.peek().is_some() && accused.all(|rule| self.knows(rule))
    }

    /// Whether a case is one of those that fail the run.
    pub fn fails_by(&self, case: &CaseResult) -> bool {
        let weight = match case.verdict {
            CaseVerdict::Failed => Judgement::Error,
            CaseVerdict::Warned => Judgement::Warning,
            _ => return false,
        };
        self.fails(weight) && !self.knows_all_of(case)
    }

    /// What the run as a whole says.
    pub fn conclude(&self, run: &RunResult) -> Conclusion {
        let failed = match self.known {
            _ if run.unusable.is_some() => return Conclusion::Unusable,
            Some(difference) => !difference.is_empty(),
            None => {
                let broken = run.rules.iter().any(|rule| self.fails_by_rule(rule));
                broken || run.cases.iter().any(|case| self.fails_by(case))
            }
        };
        let mut unsteady = run.repeats.iter().flat_map(Repeats::ids);
        let unsteady = unsteady.any(|id| !self.excuses(id));
        if failed || unsteady {
            Conclusion::Failed
        } else if run.count(CaseVerdict::Errored) > 0 {
            Conclusion::Errored
        } else {
            Conclusion::Passed
        }
    }

    fn fails_by_rule(&self, rule: &RuleResult) -> bool {
        match rule.verdict {
            RuleVerdict::Broken => self.fails(Judgement::Error),
            // Of a rule that is only a note, a violation is news and nothing worse.
            RuleVerdict::Warned => self.fails(rule.judged.min(Judgement::Warning)),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{event::Unsteady, report::sample};

    fn known(unexpected: &[&str], outdated: &[&str]) -> Difference {
        Difference {
            unexpected: unexpected.iter().map(|&rule| (RuleId::new(rule), RuleVerdict::Broken)).collect(),
            outdated: outdated.iter().map(|&sentence| sentence.to_owned()).collect(),
            ..Difference::default()
        }
    }

    fn conclusion(run: &RunResult, difference: &Difference) -> Conclusion {
        Standard { known: Some(difference), ..sample::standard() }.conclude(run)
    }

    #[test]
    fn warnings_fail_a_run_only_when_asked_to_and_notes_never() {
        let warned = sample::warned_only();
        assert_eq!(sample::standard().conclude(&warned), Conclusion::Passed);
        assert_eq!(sample::strict().conclude(&warned), Conclusion::Failed);
        let mut noted = sample::troubled();
        noted.cases.retain(|case| case.id == "pages-have-a-size");
        noted.rules.retain(|rule| rule.id.as_str() == "read.page-size");
        assert_eq!(noted.rules[0].verdict, RuleVerdict::Warned);
        assert_eq!(sample::strict().conclude(&noted), Conclusion::Passed);
    }

    #[test]
    fn a_failed_case_fails_a_run_even_if_no_rule_is_listed() {
        let mut run = sample::hostile();
        run.rules.clear();
        assert_eq!(sample::standard().conclude(&run), Conclusion::Failed);
    }

    #[test]
    fn what_could_not_be_looked_at_is_no_pass() {
        assert_eq!(sample::standard().conclude(&sample::unusable()), Conclusion::Unusable);
        let mut run = sample::troubled();
        run.rules.clear();
        run.cases.retain(|case| case.verdict == CaseVerdict::Errored);
        assert_eq!(sample::standard().conclude(&run), Conclusion::Errored);
    }

    #[test]
    fn a_list_of_known_failures_cuts_both_ways() {
        let run = sample::hostile();
        assert_eq!(conclusion(&run, &known(&[], &[])), Conclusion::Passed);
        assert_eq!(conclusion(&run, &known(&["create.new-201"], &[])), Conclusion::Failed);
        assert_eq!(
            conclusion(&sample::clean(), &known(&[], &["known.yaml:1: outdated"])),
            Conclusion::Failed
        );
    }

    #[test]
    fn what_is_unsteady_fails_a_run_unless_that_is_known() {
        let mut run = sample::clean();
        let rule = Unsteady { id: "a.rule".to_owned(), verdicts: BTreeMap::new() };
        let case = Unsteady { id: "a-case".to_owned(), verdicts: BTreeMap::new() };
        run.repeats = Some(Repeats { runs: 2, rules: vec![rule], cases: vec![case] });
        assert_eq!(sample::standard().conclude(&run), Conclusion::Failed);
        let mut difference = known(&[], &[]);
        difference.excused.insert("a.rule".to_owned());
        assert_eq!(conclusion(&run, &difference), Conclusion::Failed);
        difference.excused.insert("a-case".to_owned());
        assert_eq!(conclusion(&run, &difference), Conclusion::Passed);
    }

    #[test]
    fn a_case_fails_the_run_if_anything_that_it_accuses_is_not_known() {
        let run = sample::troubled();
        let case = run.cases.iter().find(|case| case.id == "put-names-the-tail").unwrap();
        let fails = |unexpected: &[&str]| {
            let difference = known(unexpected, &[]);
            Standard { known: Some(&difference), ..sample::standard() }.fails_by(case)
        };
        assert!(!fails(&[]));
        assert!(fails(&["create.response-next-offset"]));
        assert!(!fails(&["some.other"]));
        assert!(sample::standard().fails_by(case));
    }
}
