//! What a scenario does on its stage: ask, demand, and draw random data that a seed repeats.

use std::{panic::Location, time::Duration};

use bytes::Bytes;
use rand::{SeedableRng as _, rngs::StdRng};

use crate::{
    case::Method,
    check::{Finding, Seen},
    fixture::Place,
    rule::RuleId,
    run::{Answer, Blame, Halt, Stage},
    wire::{Body, Request},
};

impl Stage {
    /// A request on one of the case's streams; `query` is appended as it is.
    pub fn ask(&self, method: Method, stream: &str, query: &str) -> Result<Request, Halt> {
        let separator = if query.is_empty() { "" } else { "?" };
        let path = format!("{}{separator}{query}", self.path(stream));
        let target = self.target().at(&path).map_err(|error| Halt::Errored(error.to_string()))?;
        Ok(Request::new(method.as_str(), target))
    }

    /// Creates a stream of that type, with content or without; the case is blocked where that fails.
    pub async fn create(
        &self,
        stream: &str,
        content_type: &str,
        body: Option<Bytes>,
    ) -> Result<Answer, Halt> {
        let request = self.ask(Method::Put, stream, "")?.header("Content-Type", content_type);
        let request = match body {
            Some(body) => request.body(Body::Bytes(body)),
            None => request,
        };
        self.set_up(request, "create.new-201").await
    }

    /// Appends to a stream; the case is blocked where that fails.
    pub async fn append(
        &self,
        stream: &str,
        content_type: &str,
        body: impl Into<Bytes>,
    ) -> Result<Answer, Halt> {
        let request = self.ask(Method::Post, stream, "")?.header("Content-Type", content_type);
        self.set_up(request.body(Body::Bytes(body.into())), "append.success-204").await
    }

    /// Sends a request that only sets the stage: without a 2xx the case is blocked by `rule`.
    pub async fn set_up(&self, request: Request, rule: &str) -> Result<Answer, Halt> {
        let blame = Blame { given: true, ..self.blame_here(rule, self.written()) };
        let answer = self.answered(request, self.request_limit(), &blame).await?;
        let status = answer.seen.status;
        let finding =
            (!(200..300).contains(&status)).then(|| Finding::new("status", "2xx", status.to_string()));
        self.judge(finding.into_iter().collect(), &blame, Some(answer.exchange))?;
        Ok(answer)
    }

    /// Sends a request whose answer is to be looked at; no answer at all speaks against `rule`.
    pub async fn look(&self, request: Request, rule: &str) -> Result<Answer, Halt> {
        self.look_within(request, rule, self.request_limit()).await
    }

    /// The same for a read that may wait for data.
    pub async fn look_live(&self, request: Request, rule: &str) -> Result<Answer, Halt> {
        self.look_within(request, rule, self.target().long_poll_limit()).await
    }

    async fn look_within(&self, request: Request, rule: &str, limit: Duration) -> Result<Answer, Halt> {
        let blame = self.blame_here(rule, self.written());
        self.answered(request, limit, &blame).await
    }

    async fn answered(&self, request: Request, limit: Duration, blame: &Blame) -> Result<Answer, Halt> {
        match self.send(request, limit).await {
            Ok(answer) => Ok(answer),
            Err(failure) => {
                let error = failure.error.to_string();
                self.unanswered(failure, blame).await?;
                // A rule that only warns does not end the case; without an answer there is nothing to go on with.
                Err(Halt::Errored(error))
            }
        }
    }

    /// Demands something; where it is not so, `rule` is broken. The caller's line is the place of the expectation.
    #[track_caller]
    pub fn demand(
        &self,
        rule: &str,
        met: bool,
        subject: &str,
        expected: impl std::fmt::Display,
        actual: impl std::fmt::Display,
        exchange: Option<usize>,
    ) -> Result<(), Halt> {
        if met {
            return Ok(());
        }
        let caller = Location::caller();
        let place = Place { file: caller.file().to_owned(), line: u64::from(caller.line()) };
        let finding = Finding::new(subject, expected.to_string(), actual.to_string());
        self.judge(vec![finding], &self.blame_here(rule, place), exchange)
    }

    /// The value of a header that the scenario goes on with; where it is missing, the case is blocked by `rule`.
    pub fn needed(&self, seen: &Seen, header: &str, rule: &str) -> Result<String, Halt> {
        seen.headers.text(header).ok_or_else(|| Halt::Blocked {
            rule: Some(RuleId::new(rule)),
            why: format!("the answer lacks {header}, which the case goes on with"),
        })
    }

    /// Random data that the run's seed and the case's id repeat.
    pub fn random(&self, case: &str) -> StdRng {
        let salt = case.bytes().fold(0_u64, |salt, byte| salt.wrapping_mul(31).wrapping_add(u64::from(byte)));
        StdRng::seed_from_u64(self.seed() ^ salt)
    }

    fn blame_here(&self, rule: &str, place: Place) -> Blame {
        Blame { rules: vec![RuleId::new(rule)], warn: None, place, given: false }
    }
}
