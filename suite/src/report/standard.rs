use crate::{
    baseline::Difference,
    event::{CaseResult, CaseVerdict, RuleVerdict, RunResult},
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

    /// Whether all that the case accuses is known.
    pub fn knows_all_of(&self, case: &CaseResult) -> bool {
        let accused = case.mismatches.iter().filter(|mismatch| mismatch.weight > Judgement::Note);
        let mut accused = accused
            .flat_map(|mismatch| if mismatch.rules.is_empty() { &case.proves } else { &mismatch.rules })
            .peekable();
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
                let broken = run.rules.iter().any(|rule| self.fails_as(rule.verdict));
                broken || run.cases.iter().any(|case| self.fails_by(case))
            }
        };
        if failed {
            Conclusion::Failed
        } else if run.count(CaseVerdict::Errored) > 0 {
            Conclusion::Errored
        } else {
            Conclusion::Passed
        }
    }

    fn fails_as(&self, verdict: RuleVerdict) -> bool {
        match verdict {
            RuleVerdict::Broken => self.fails(Judgement::Error),
            RuleVerdict::Warned => self.fails(Judgement::Warning),
            _ => false,
        }
    }
}
