//! What a scenario demands in the name of one rule.

use std::{fmt::Display, panic::Location, time::Duration};

use crate::{
    check::{BodyRender, Finding, differing},
    fixture::Place,
    run::{Answer, Blame, Halt, Stage},
    wire::Request,
};

/// A rule that is being proven: what does not hold speaks against it.
///
/// Where the rule is judged `error`, an unmet demand ends the scenario; otherwise it is noted and the scenario goes on.
/// The caller's line is the place of the expectation.
#[derive(Clone, Copy)]
pub(super) struct Proof<'a> {
    stage: &'a Stage,
    rule: &'static str,
}

impl Stage {
    pub(super) fn proof(&self, rule: &'static str) -> Proof<'_> {
        Proof { stage: self, rule }
    }
}

impl<'a> Proof<'a> {
    pub(super) fn stage(self) -> &'a Stage {
        self.stage
    }

    /// Sends a request whose answer is to be looked at; no answer at all speaks against the rule.
    pub(super) async fn look(self, request: Request) -> Result<Answer, Halt> {
        let result = self.stage.send(request, self.stage.request_limit()).await;
        self.stage.answered(result, &self.blame(self.stage.written())).await
    }

    /// The same for a read that may wait for data.
    pub(super) async fn wait(self, request: Request) -> Result<Answer, Halt> {
        let result = self.stage.send_waiting(request, self.stage.target().long_poll_limit()).await;
        self.stage.answered(result, &self.blame(self.stage.written())).await
    }

    /// The same without the headers that go with every other request.
    pub(super) async fn look_anonymously(self, request: Request) -> Result<Answer, Halt> {
        let result = self.stage.send_anonymously(request, self.stage.request_limit()).await;
        self.stage.answered(result, &self.blame(self.stage.written())).await
    }

    /// Demands that something is so. `shown_by` is the number of the exchange that shows it.
    #[track_caller]
    pub(super) fn demand(
        self,
        met: bool,
        subject: &str,
        expected: impl Display,
        actual: impl Display,
        shown_by: impl Into<Option<usize>>,
    ) -> Result<(), Halt> {
        if met {
            return Ok(());
        }
        let finding = Finding::new(subject, expected.to_string(), actual.to_string());
        self.stage.judge(vec![finding], &self.blame(here()), shown_by.into())
    }

    /// Demands a status from 200 to 299.
    #[track_caller]
    pub(super) fn success(self, answer: &Answer) -> Result<(), Halt> {
        self.demand(answer.is_success(), "status", "2xx", answer.seen.status, answer.exchange)
    }

    /// Demands this status and a whole answer.
    #[track_caller]
    pub(super) fn status(self, answer: &Answer, wanted: u16) -> Result<(), Halt> {
        self.demand(answer.seen.status == wanted, "status", wanted, answer.seen.status, answer.exchange)?;
        self.whole(answer)
    }

    /// Demands that the body came to its end.
    #[track_caller]
    pub(super) fn whole(self, answer: &Answer) -> Result<(), Halt> {
        let ending = &answer.seen.ending;
        self.demand(ending.is_clean(), "response", "a whole response", ending, answer.exchange)
    }

    /// Demands these bytes.
    #[track_caller]
    pub(super) fn bytes(
        self,
        subject: &str,
        wanted: &[u8],
        seen: &[u8],
        shown_by: impl Into<Option<usize>>,
    ) -> Result<(), Halt> {
        if wanted == seen {
            return Ok(());
        }
        self.demand(false, subject, BodyRender(wanted), differing(wanted, seen), shown_by)
    }

    /// Demands that this much time sufficed. A slow target or machine is excused.
    pub(super) async fn in_time(
        self,
        subject: &str,
        within: Duration,
        elapsed: Duration,
        shown_by: impl Into<Option<usize>>,
    ) -> Result<(), Halt> {
        if elapsed <= within {
            return Ok(());
        }
        let mut late = Finding::new(subject, format!("within {within:?}"), format!("{elapsed:.0?}"));
        late.late = true;
        let findings = self.stage.excuse_slowness(vec![late], within).await?;
        self.stage.judge(findings, &self.blame(self.stage.written()), shown_by.into())
    }

    fn blame(self, place: Place) -> Blame {
        self.stage.blame_of(self.rule, place)
    }
}

#[track_caller]
fn here() -> Place {
    let caller = Location::caller();
    Place { file: caller.file().to_owned(), line: u64::from(caller.line()) }
}
