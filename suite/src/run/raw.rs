//! Requests written by hand.

use std::time::Instant;

use bytes::Bytes;

use super::{
    answer::Demands,
    case::Context,
    send::RECORDED_BODY,
    stage::{Answer, Halt, SendFailure, seen},
};
use crate::{
    case::{Expect, Raw},
    check::{self, Finding},
    rule::RuleId,
    wire::{Endpoint, Exchange, Headers, Request, Response, WITHHELD, raw},
};

impl Context<'_> {
    pub(super) async fn raw(&self, spec: &Raw) -> Result<(), Halt> {
        let text = self.stage.render(&spec.send, &self.stage.names())?;
        let method = text.split(' ').next().unwrap_or_default().to_owned();
        let answer_to = if method == "HEAD" { raw::AnswerTo::Head } else { raw::AnswerTo::Other };
        let target = text.split(' ').nth(1).unwrap_or("/").to_owned();
        let target = self.stage.world.target.at(&target).map_err(|error| Halt::Errored(error.to_string()))?;
        let endpoint: Endpoint = target.endpoint.clone();
        let client = &self.stage.world.target.client;
        let standing = client.standing_headers(&endpoint).cloned().unwrap_or_default();
        let withheld = standing.iter().map(|(name, _)| (name, WITHHELD)).collect();
        let script = raw::Script::simple(with_headers(&text, &standing), answer_to);
        let shown = raw::Script::simple(with_headers(&text, &withheld), answer_to);
        let request = Request::new(method, target);
        let began = Instant::now();
        let limit = self.stage.world.options.request_limit;
        let result = {
            let _permit = self.stage.world.permits.acquire().await;
            client.raw(&endpoint, &script, limit).await
        };
        let (response, surplus) = match result {
            Ok(mut transcript) => (Ok(transcript.responses.remove(0)), transcript.surplus),
            Err(error) => (Err(error), Bytes::new()),
        };
        let exchange =
            Exchange::record_raw(&endpoint, &shown, &response, began, self.stage.world.epoch, RECORDED_BODY);
        let exchange = self.stage.keep(exchange);
        let base = RuleId::new("core.acknowledged-bytes-persist");
        let demands = Demands { expect: spec.expect.as_ref(), also: &spec.also, accept: &spec.accept, base };
        match response.and_then(Response::unless_without_room) {
            Err(error) => self.unanswered(SendFailure { error, exchange }, &demands).await,
            Ok(response) => {
                let answer = Answer { seen: seen(&request, &response), exchange };
                if spec.nothing_after && !surplus.is_empty() {
                    let finding = Finding::new(
                        "after the response",
                        "no further byte",
                        check::BodyRender(&surplus).to_string(),
                    );
                    let blame = self.blame(spec.expect.as_ref().unwrap_or(&Expect::default()));
                    self.stage.judge(vec![finding], &blame, Some(exchange))?;
                }
                self.answer(&answer, &demands).await?;
                self.save(&spec.save, &answer.seen, &demands.base)
            }
        }
    }
}

/// The text of a request with more header fields, behind its first line; what it names itself stays its own.
fn with_headers(text: &str, headers: &Headers) -> Vec<u8> {
    let Some((first, rest)) = text.split_once("\r\n") else { return text.as_bytes().to_vec() };
    let head = rest.split("\r\n\r\n").next().unwrap_or_default();
    let own = |name: &str| {
        head.split("\r\n")
            .any(|line| line.split(':').next().is_some_and(|own| own.trim().eq_ignore_ascii_case(name)))
    };
    let mut bytes = format!("{first}\r\n").into_bytes();
    for (name, value) in headers.iter().filter(|(name, _)| !own(name)) {
        bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    bytes.extend(rest.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standing_headers_go_with_written_requests_too() {
        let headers = Headers::from([("Authorization", "a"), ("X-Tenant", "b")]);
        let text = "PUT /a HTTP/1.1\r\nHost: h\r\nx-tenant: own\r\n\r\nAuthorization: body";
        let sent = String::from_utf8(with_headers(text, &headers)).expect("text");
        assert_eq!(
            sent,
            "PUT /a HTTP/1.1\r\nAuthorization: a\r\nHost: h\r\nx-tenant: own\r\n\r\nAuthorization: body"
        );
    }
}
