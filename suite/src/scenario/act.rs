//! What a scenario does on its stage: requests that set it, and random data that a seed repeats.

use bytes::Bytes;
use rand::{SeedableRng as _, rngs::StdRng};

use super::stream::Stream;
use crate::{
    case::Method,
    check::{Finding, Seen},
    fixture::Place,
    rule::RuleId,
    run::{Answer, Blame, Halt, SendFailure, Stage},
    wire::{Request, Target},
};

impl Stage {
    /// A handle on one of the case's streams, whose appends are of that type.
    pub(super) fn stream(&self, name: impl Into<String>, content_type: &'static str) -> Stream<'_> {
        Stream::new(self, name.into(), content_type)
    }

    /// A request on one of the case's streams.
    pub(super) fn request(
        &self,
        method: Method,
        stream: &str,
        query: &[(&str, &str)],
    ) -> Result<Request, Halt> {
        let mut path = self.path(stream);
        for (index, (name, value)) in query.iter().enumerate() {
            path.push(if index == 0 { '?' } else { '&' });
            path.push_str(&format!("{name}={}", crate::run::encode_query(value)));
        }
        Ok(Request::new(method.as_str(), self.wire_target(&path)?))
    }

    fn wire_target(&self, path: &str) -> Result<Target, Halt> {
        self.target().at(path).map_err(|error| Halt::Errored(error.to_string()))
    }

    /// Sends a request that only sets the stage: without a 2xx the case is blocked by `rule`.
    pub(super) async fn set_up(&self, request: Request, rule: &str) -> Result<Answer, Halt> {
        let sent = self.send(request, self.request_limit()).await;
        self.has_set_up(sent, rule).await
    }

    /// The same for a request that has its moment: it does not wait for its turn.
    pub(super) async fn set_up_now(&self, request: Request, rule: &str) -> Result<Answer, Halt> {
        let sent = self.send_waiting(request, self.request_limit()).await;
        self.has_set_up(sent, rule).await
    }

    async fn has_set_up(&self, sent: Result<Answer, SendFailure>, rule: &str) -> Result<Answer, Halt> {
        let blame = Blame { given: true, ..self.blame_of(rule, self.written()) };
        let answer = self.answered(sent, &blame).await?;
        if !answer.is_success() {
            let finding = Finding::new("status", "2xx", answer.seen.status.to_string());
            self.judge(vec![finding], &blame, Some(answer.exchange))?;
        }
        if !answer.seen.ending.is_clean() && !answer.seen.is_event_stream() {
            let finding = Finding::new("response", "a whole response", answer.seen.ending.to_string());
            self.judge(vec![finding], &blame, Some(answer.exchange))?;
        }
        Ok(answer)
    }

    /// The answer; where there is none, what that means for the rules of `blame`.
    pub(super) async fn answered<T>(&self, result: Result<T, SendFailure>, blame: &Blame) -> Result<T, Halt> {
        match result {
            Ok(answer) => Ok(answer),
            Err(failure) => {
                let error = failure.error.to_string();
                self.unanswered(failure, blame).await?;
                // A rule that only warns does not end the case; without an answer there is nothing to go on with.
                Err(Halt::Errored(error))
            }
        }
    }

    /// Random data that the run's seed and the case's id repeat.
    pub(super) fn random(&self, case: &str) -> StdRng {
        let salt = case.bytes().fold(0_u64, |salt, byte| salt.wrapping_mul(31).wrapping_add(u64::from(byte)));
        StdRng::seed_from_u64(self.seed() ^ salt)
    }

    pub(super) fn blame_of(&self, rule: &str, place: Place) -> Blame {
        Blame { rules: vec![RuleId::new(rule)], warn: None, place, given: false }
    }
}

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.seen.status)
    }

    pub(super) fn body(&self) -> &Bytes {
        &self.seen.body
    }

    /// A header with the value `true`, which is how the protocol says yes.
    pub(super) fn says(&self, header: &str) -> bool {
        self.seen.headers.text(header).is_some_and(|value| value.trim() == "true")
    }

    pub(super) fn header(&self, header: &str) -> Option<String> {
        self.seen.headers.text(header)
    }

    /// Stream-Next-Offset, which the case goes on with; where it is missing, the case is blocked by `rule`.
    pub(super) fn next_offset(&self, rule: &str) -> Result<String, Halt> {
        needed(&self.seen, "Stream-Next-Offset", rule)
    }

    /// A header that the case goes on with; where it is missing, the case is blocked by `rule`.
    pub(super) fn needed(&self, header: &str, rule: &str) -> Result<String, Halt> {
        needed(&self.seen, header, rule)
    }
}

fn needed(seen: &Seen, header: &str, rule: &str) -> Result<String, Halt> {
    seen.headers.text(header).ok_or_else(|| Halt::Blocked {
        rule: Some(RuleId::new(rule)),
        why: format!("an answer lacks {header}, which the case goes on with"),
    })
}
