//! An answer held against the demands on it, and what is kept of it.

use std::{collections::BTreeMap, time::Duration};

use super::{
    case::{Context, steps},
    stage::{Answer, Halt, SendFailure},
};
use crate::{
    case::{Accept, Expect, SaveFrom},
    check::{self, Finding, Seen},
    rule::RuleId,
};

/// Demands on one answer.
pub(super) struct Demands<'a> {
    pub(super) expect: Option<&'a Expect>,
    pub(super) also: &'a [Expect],
    pub(super) accept: &'a [Accept],
    /// The rule that a missing success breaks where nothing is demanded.
    pub(super) base: RuleId,
}

impl Context<'_> {
    pub(super) async fn unanswered(&self, failure: SendFailure, demands: &Demands<'_>) -> Result<(), Halt> {
        let blame = match demands.expect {
            Some(expect) => self.blame(expect),
            None if demands.accept.is_empty() => self.stage_setting(demands.base.clone()),
            None => self.blame(&Expect::default()),
        };
        self.stage.unanswered(failure, &blame).await
    }

    /// Holds an answer against all demands on it.
    pub(super) async fn answer(&self, answer: &Answer, demands: &Demands<'_>) -> Result<(), Halt> {
        let Answer { seen, exchange } = answer;
        if let Some(expect) = demands.expect {
            self.judge(expect, seen, *exchange).await?;
        }
        for expect in demands.also {
            self.judge(expect, seen, *exchange).await?;
        }
        if !demands.accept.is_empty() {
            return self.choose(demands.accept, seen, *exchange).await;
        }
        if demands.expect.is_some() {
            return Ok(());
        }
        let finding = if !(200..300).contains(&seen.status) {
            Finding::new("status", "2xx", self.refusal(seen).await)
        } else if !seen.ending.is_clean() && !seen.is_event_stream() {
            Finding::new("response", "a whole response", seen.ending.to_string())
        } else {
            return Ok(());
        };
        self.stage.judge(vec![finding], &self.stage_setting(demands.base.clone()), Some(*exchange))
    }

    /// What a stage-setting request was answered. A target that takes no webhook on loopback cannot be delivered
    /// to by this suite, and its user has to learn that.
    async fn refusal(&self, seen: &Seen) -> String {
        let refuses_receiver = (400..500).contains(&seen.status)
            && seen.body.windows(20).any(|part| part == b"WEBHOOK_URL_REJECTED")
            && !self.stage.receivers.lock().await.is_empty();
        match refuses_receiver {
            true => format!(
                "{}: the target refuses the suite's receiver on 127.0.0.1; deliveries can be checked in its development mode only",
                seen.status
            ),
            false => seen.status.to_string(),
        }
    }

    async fn judge(&self, expect: &Expect, seen: &Seen, exchange: usize) -> Result<(), Halt> {
        let findings = self.findings(expect, seen)?;
        let within = expect.within.map_or(Duration::ZERO, |within| within.0);
        let findings = self.stage.excuse_slowness(findings, within).await?;
        self.stage.judge(findings, &self.blame(expect), Some(exchange))
    }

    /// Takes the first right answer that fits, with its warning and what follows from it.
    async fn choose(&self, accept: &[Accept], seen: &Seen, exchange: usize) -> Result<(), Halt> {
        let mut unmet = Vec::new();
        for choice in accept {
            let findings = self.findings(&choice.expect, seen)?;
            if !findings.is_empty() {
                unmet.push(findings);
                continue;
            }
            if let Some(sentence) = &choice.warn {
                self.stage.warn(sentence, seen, &self.blame(&choice.expect), exchange);
            }
            steps(self.stage, self.case, &choice.then, self.given).await?;
            return if choice.done { Err(Halt::Done) } else { Ok(()) };
        }
        let describe = |part: fn(&Finding) -> &str, between: &str| {
            let choices = unmet.iter().map(|findings| {
                findings
                    .iter()
                    .map(|finding| format!("{} {}", finding.subject, part(finding)))
                    .collect::<Vec<_>>()
                    .join(" and ")
            });
            let mut told: Vec<String> = Vec::new();
            for choice in choices {
                // What missed several choices in the same way is said once.
                if !told.contains(&choice) {
                    told.push(choice);
                }
            }
            told.join(between)
        };
        let finding = Finding::new(
            "answer",
            describe(|finding| &finding.expected, "; or "),
            describe(|finding| &finding.actual, "; "),
        );
        let blame = accept.first().map(|choice| self.blame(&choice.expect));
        let blame = blame.unwrap_or_else(|| self.blame(&Expect::default()));
        self.stage.judge(vec![finding], &blame, Some(exchange))
    }

    pub(super) fn findings(&self, expect: &Expect, seen: &Seen) -> Result<Vec<Finding>, Halt> {
        check::response(expect, seen, &self.stage.names())
            .map_err(|unbound| Halt::Errored(unbound.to_string()))
    }

    /// Saves values of an answer. What is not there blocks the case: the rule that wants it has cases of its own.
    pub(super) fn save(
        &self,
        save: &BTreeMap<String, SaveFrom>,
        seen: &Seen,
        base: &RuleId,
    ) -> Result<(), Halt> {
        for (name, from) in save {
            let (what, value) = match from {
                SaveFrom::Header(header) => (format!("header {header}"), seen.headers.text(header)),
                SaveFrom::Body => ("a whole text body".to_owned(), whole_text(seen)),
                SaveFrom::Json(pointer) => {
                    if let Some(value) = json_at(seen, pointer) {
                        self.stage.set_json(name, value);
                        continue;
                    }
                    (format!("{pointer} in its JSON body"), None)
                }
                SaveFrom::FirstControl(field) | SaveFrom::LastControl(field) => {
                    (format!("control field {field}"), None)
                }
            };
            match value {
                Some(value) => self.stage.set(name, value),
                None => {
                    return Err(Halt::Blocked {
                        rule: Some(base.clone()),
                        why: format!("{}: the answer lacks {what}, which the case goes on with", self.place),
                    });
                }
            }
        }
        Ok(())
    }
}

fn whole_text(seen: &Seen) -> Option<String> {
    seen.ending.is_clean().then(|| String::from_utf8(seen.body.to_vec()).ok()).flatten()
}

fn json_at(seen: &Seen, pointer: &str) -> Option<serde_json::Value> {
    let value: serde_json::Value = serde_json::from_slice(&seen.body).ok()?;
    value.pointer(pointer).filter(|value| !value.is_null()).cloned()
}
