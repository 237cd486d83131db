//! Requests written by hand.

use std::time::Instant;

use bytes::Bytes;

use super::{
    answer::Demands,
    case::Context,
    stage::{Answer, Halt, SendFailure, seen},
};
use crate::{
    case::{Expect, Raw},
    check::{self, Finding},
    rule::RuleId,
    wire::{Body, Endpoint, Exchange, Request, raw},
};

impl Context<'_> {
    pub(super) async fn raw(&self, spec: &Raw) -> Result<(), Halt> {
        let text = self.stage.render(&spec.send, &self.stage.names())?;
        let method = text.split(' ').next().unwrap_or_default().to_owned();
        let answer_to = if method == "HEAD" { raw::AnswerTo::Head } else { raw::AnswerTo::Other };
        let target = text.split(' ').nth(1).unwrap_or("/").to_owned();
        let target = self.stage.world.target.at(&target).map_err(|error| Halt::Errored(error.to_string()))?;
        let endpoint: Endpoint = target.endpoint.clone();
        let script = raw::Script::simple(text.clone(), answer_to);
        let mut shown = Request::new(method, target);
        shown.body = Body::Bytes(text.into());
        let began = Instant::now();
        let limit = self.stage.world.options.request_limit;
        let result = {
            let _permit = self.stage.world.permits.acquire().await;
            self.stage.world.target.client.raw(&endpoint, &script, limit).await
        };
        let (response, surplus) = match result {
            Ok(mut transcript) => (Ok(transcript.responses.remove(0)), transcript.surplus),
            Err(error) => (Err(error), Bytes::new()),
        };
        let client = &self.stage.world.target.client;
        let exchange =
            self.stage.keep(Exchange::record(client, &shown, &response, began, self.stage.world.epoch, 4096));
        let base = RuleId::new("core.acknowledged-bytes-persist");
        let demands = Demands { expect: spec.expect.as_ref(), also: &spec.also, accept: &spec.accept, base };
        match response {
            Err(error) => self.unanswered(SendFailure { error, exchange }, &demands).await,
            Ok(response) => {
                let answer = Answer { seen: seen(&shown, &response), exchange };
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
