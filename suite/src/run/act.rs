//! The acts of a case, carried out.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;

use super::{
    background::{Background, WaitingRead},
    base_rule::base_rule,
    case::{Context, steps},
    names::CaseNames,
    stage::{Answer, Blame, Halt, SendFailure, seen},
};
use crate::{
    case::{
        Accept, Act, BodySpec, Expect, Fields, FinishRead, Instant as InstantSpec, Method, Raw, RequestSpec,
        SaveFrom, StartRead, WaitUntil, filled,
    },
    check::{self, Finding, Names, Seen},
    rule::RuleId,
    wire::{Body, Endpoint, Exchange, Headers, Request, raw},
};

/// How long one look lasts before an `eventually` looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A long-poll that ended this shortly after a write may have timed out before it.
const CROSSING: Duration = Duration::from_millis(60);

/// A long-poll that answered sooner than this did not wait.
const NO_WAIT: Duration = Duration::from_millis(100);

/// Demands on one answer.
pub(super) struct Demands<'a> {
    pub(super) expect: Option<&'a Expect>,
    pub(super) also: &'a [Expect],
    pub(super) accept: &'a [Accept],
    /// The rule that a missing success breaks where nothing is demanded.
    pub(super) base: RuleId,
}

impl Context<'_> {
    pub(super) async fn act(&self, act: &Act) -> Result<(), Halt> {
        match act {
            Act::Put(spec) => self.exchange(Method::Put, spec).await,
            Act::Post(spec) => self.exchange(Method::Post, spec).await,
            Act::Get(spec) => self.exchange(Method::Get, spec).await,
            Act::Head(spec) => self.exchange(Method::Head, spec).await,
            Act::Delete(spec) => self.exchange(Method::Delete, spec).await,
            Act::Options(spec) => self.exchange(Method::Options, spec).await,
            Act::Raw(raw) => self.raw(raw).await,
            Act::AtOnce(at_once) => self.at_once(at_once).await,
            Act::StartGet(start) => self.start_get(start),
            Act::StillWaiting(reads) => {
                for (name, time) in reads {
                    self.still_waiting(name, time.0).await?;
                }
                Ok(())
            }
            Act::FinishGet(finish) => self.finish_get(finish).await,
            Act::StartSse(start) => self.start_sse(start).await,
            Act::AwaitSse(look) => self.await_sse(look).await,
            Act::FinishSse(look) => self.finish_sse(look).await,
            Act::Quiet(readers) => {
                for (name, time) in readers {
                    self.quiet(name, time.0).await?;
                }
                Ok(())
            }
            Act::Stop(names) => {
                for name in names {
                    self.take_read(name)?.leave(self.stage);
                }
                Ok(())
            }
            Act::Instant(instant) => self.instant(instant),
            Act::WaitUntil(wait) => self.wait_until(wait).await,
        }
    }

    async fn exchange(&self, method: Method, spec: &RequestSpec) -> Result<(), Halt> {
        if let Some(name) = &spec.name {
            self.stage.mark_step(name, Instant::now());
        }
        let base = base_rule(method.as_str(), spec);
        let demands = Demands { expect: spec.expect.as_ref(), also: &spec.also, accept: &spec.accept, base };
        let until = spec.eventually.map(|limit| Instant::now() + limit.0);
        loop {
            let request = self.request(method, spec, &self.stage.names())?;
            let answer = match self.stage.send(request, self.request_limit(spec)).await {
                Ok(answer) => answer,
                Err(failure) => return self.unanswered(failure, &demands).await,
            };
            if let (Some(until), Some(expect)) = (until, demands.expect) {
                let unmet = !self.findings(expect, &answer.seen)?.is_empty();
                if unmet && Instant::now() < until {
                    tokio::time::sleep(LOOK_AGAIN).await;
                    continue;
                }
            }
            self.answer(&answer, &demands).await?;
            return self.save(&spec.save, &answer.seen, &demands.base);
        }
    }

    /// A read that may wait for data gets the time of a long-poll.
    fn request_limit(&self, spec: &RequestSpec) -> Duration {
        let live = spec.query.0.iter().any(|(name, _)| name == "live");
        if live { self.stage.world.target.long_poll_limit() } else { self.stage.world.options.request_limit }
    }

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
        if demands.expect.is_none() && !(200..300).contains(&seen.status) {
            let finding = Finding::new("status", "2xx", seen.status.to_string());
            return self.stage.judge(
                vec![finding],
                &self.stage_setting(demands.base.clone()),
                Some(*exchange),
            );
        }
        Ok(())
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
        let describe = |part: fn(&Finding) -> &str| {
            let choices = unmet.iter().map(|findings| {
                findings
                    .iter()
                    .map(|finding| format!("{} {}", finding.subject, part(finding)))
                    .collect::<Vec<_>>()
                    .join(" and ")
            });
            choices.collect::<Vec<_>>().join("; or ")
        };
        let finding = Finding::new(
            "answer",
            describe(|finding| &finding.expected),
            describe(|finding| &finding.actual),
        );
        let blame = accept.first().map(|choice| self.blame(&choice.expect));
        let blame = blame.unwrap_or_else(|| self.blame(&Expect::default()));
        self.stage.judge(vec![finding], &blame, Some(exchange))
    }

    fn findings(&self, expect: &Expect, seen: &Seen) -> Result<Vec<Finding>, Halt> {
        check::response(expect, seen, &self.stage.names())
            .map_err(|unbound| Halt::Errored(unbound.to_string()))
    }

    /// Whom an expectation of this step speaks of.
    pub(super) fn blame(&self, expect: &Expect) -> Blame {
        self.blame_for(expect.proves.as_deref(), expect.warn.clone())
    }

    pub(super) fn blame_for(&self, named: Option<&[RuleId]>, warn: Option<String>) -> Blame {
        let rules = named.map_or_else(|| self.case.proves.clone(), <[RuleId]>::to_vec);
        Blame { rules, warn, place: self.place.clone(), given: self.given }
    }

    /// A step that only has to succeed: when it does not, the case is blocked, wherever the step stands.
    pub(super) fn stage_setting(&self, rule: RuleId) -> Blame {
        Blame { rules: vec![rule], warn: None, place: self.place.clone(), given: true }
    }

    pub(super) fn request(
        &self,
        method: Method,
        spec: &RequestSpec,
        names: &CaseNames,
    ) -> Result<Request, Halt> {
        let path = match &spec.at {
            Some(at) => {
                format!("{}/{}", names.value("root").unwrap_or_default(), self.stage.render(at, names)?)
            }
            None => names.path(spec.stream.as_deref().unwrap_or("stream")),
        };
        let mut request = self.read_request(method, path, &spec.query, &spec.headers, names)?;
        if let Some(body) = &spec.body {
            request.body = self.body(body, names)?;
        }
        Ok(request)
    }

    fn read_request(
        &self,
        method: Method,
        path: String,
        query: &Fields,
        headers: &Fields,
        names: &CaseNames,
    ) -> Result<Request, Halt> {
        let mut target = path;
        for (name, values) in &query.0 {
            for value in values {
                let Some(value) = self.stage.render_or_omit(value, names)? else { continue };
                target.push(if target.contains('?') { '&' } else { '?' });
                target.push_str(&format!("{name}={}", encode_query(&value)));
            }
        }
        let target = self.stage.world.target.at(&target).map_err(|error| Halt::Errored(error.to_string()))?;
        let mut fields = Headers::default();
        for (name, values) in &headers.0 {
            for value in values {
                if let Some(value) = self.stage.render_or_omit(value, names)? {
                    fields.push(name.as_str(), value);
                }
            }
        }
        let mut request = Request::new(method.as_str(), target);
        request.headers = fields;
        Ok(request)
    }

    fn body(&self, spec: &BodySpec, names: &CaseNames) -> Result<Body, Halt> {
        Ok(match spec {
            BodySpec::Text(text) => Body::Bytes(self.stage.render(text, names)?.into()),
            BodySpec::Base64(text) => Body::Bytes(STANDARD.decode(text).unwrap_or_default().into()),
            BodySpec::Json(value) => {
                let value =
                    check::render_json(value, names).map_err(|unbound| Halt::Errored(unbound.to_string()))?;
                Body::Bytes(value.to_string().into())
            }
            BodySpec::Filled(size) => Body::Bytes(filled(*size).into()),
            BodySpec::Chunks { texts, pause } => {
                let chunks: Result<Vec<Bytes>, Halt> =
                    texts.iter().map(|text| self.stage.render(text, names).map(Bytes::from)).collect();
                Body::Chunked { chunks: chunks?, pause: pause.map_or(Duration::ZERO, |pause| pause.0) }
            }
        })
    }

    /// Saves values of an answer. What is not there blocks the case: the rule that wants it has cases of its own.
    fn save(
        &self,
        save: &std::collections::BTreeMap<String, SaveFrom>,
        seen: &Seen,
        base: &RuleId,
    ) -> Result<(), Halt> {
        for (name, from) in save {
            let (what, value) = match from {
                SaveFrom::Header(header) => (format!("header {header}"), seen.headers.text(header)),
                SaveFrom::Body => ("a whole text body".to_owned(), whole_text(seen)),
                SaveFrom::Json(pointer) => (format!("{pointer} in its JSON body"), json_at(seen, pointer)),
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

    async fn raw(&self, spec: &Raw) -> Result<(), Halt> {
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

    pub(super) fn start_request(&self, start: &StartRead) -> Result<Request, Halt> {
        let names = self.stage.names();
        let path = names.path(start.stream.as_deref().unwrap_or("stream"));
        self.read_request(Method::Get, path, &start.query, &start.headers, &names)
    }

    fn start_get(&self, start: &StartRead) -> Result<(), Halt> {
        let request = self.start_request(start)?;
        let read = WaitingRead::start(self.stage, request, self.stage.world.target.long_poll_limit());
        self.keep_read(&start.name, Background::Answer(read));
        Ok(())
    }

    /// The read stays unanswered for that long from its start on, or for as long as the target's own timeout allows.
    async fn still_waiting(&self, name: &str, time: Duration) -> Result<(), Halt> {
        let Background::Answer(mut read) = self.take_read(name)? else {
            return Err(Halt::Errored(format!("{name} is an event stream; `quiet` looks at those")));
        };
        let bound = self
            .stage
            .world
            .target
            .timings
            .long_poll_timeout
            .map_or(time, |timeout| time.min(timeout * 3 / 5));
        let answered = read.answered_by(read.began + bound).await;
        if !answered {
            self.keep_read(name, Background::Answer(read));
            return Ok(());
        }
        let (request, began, result) = read.answer().await;
        let client = &self.stage.world.target.client;
        let exchange =
            self.stage.keep(Exchange::record(client, &request, &result, began, self.stage.world.epoch, 4096));
        let actual = match &result {
            Ok(response) => {
                let elapsed = response.timing.end.saturating_duration_since(response.timing.connected);
                if response.status() == 204
                    && elapsed > NO_WAIT
                    && !response.headers().contains("Stream-Closed")
                {
                    return Err(Halt::Inconclusive(format!(
                        "the target's long-poll timed out after {elapsed:.0?}, sooner than the {bound:?} that were to be seen; say --long-poll-timeout"
                    )));
                }
                format!("answered {} after {elapsed:.0?}", response.status())
            }
            Err(error) => error.to_string(),
        };
        let finding = Finding::new(format!("read {name}"), format!("no answer for {bound:?}"), actual);
        self.stage.judge(vec![finding], &self.blame(&Expect::default()), Some(exchange))
    }

    async fn finish_get(&self, finish: &FinishRead) -> Result<(), Halt> {
        let Background::Answer(read) = self.take_read(&finish.name)? else {
            return Err(Halt::Errored(format!(
                "{} is an event stream; `finish_sse` ends those",
                finish.name
            )));
        };
        let was_answered = read.is_answered();
        let (request, began, result) = read.answer().await;
        let client = &self.stage.world.target.client;
        let exchange =
            self.stage.keep(Exchange::record(client, &request, &result, began, self.stage.world.epoch, 4096));
        let base = RuleId::new("longpoll.data-immediate-200");
        let demands =
            Demands { expect: finish.expect.as_ref(), also: &finish.also, accept: &finish.accept, base };
        let response = match result {
            Ok(response) => response,
            Err(error) => return self.unanswered(SendFailure { error, exchange }, &demands).await,
        };
        let mut seen = seen(&request, &response);
        if let Some(last_write) = self.stage.last_write() {
            let crossed = response.timing.end < last_write + CROSSING;
            let timed_out = response.status() == 204
                && seen.elapsed > NO_WAIT
                && !response.headers().contains("Stream-Closed");
            if crossed && timed_out && (was_answered || !self.meets(&demands, &seen)?) {
                return Err(Halt::Inconclusive(
                    "the long-poll timed out before what it waited for".to_owned(),
                ));
            }
            // What a waiting reader is measured by is the time from what it waited for, not from its own start.
            if response.timing.connected < last_write {
                seen.elapsed = response.timing.end.saturating_duration_since(last_write);
            }
        }
        self.answer(&Answer { seen: seen.clone(), exchange }, &demands).await?;
        self.save(&finish.save, &seen, &demands.base)
    }

    fn meets(&self, demands: &Demands<'_>, seen: &Seen) -> Result<bool, Halt> {
        let mut met = true;
        for expect in demands.expect.into_iter().chain(demands.also) {
            met &= self.findings(expect, seen)?.is_empty();
        }
        let mut chosen = demands.accept.is_empty();
        for choice in demands.accept {
            chosen |= self.findings(&choice.expect, seen)?.is_empty();
        }
        Ok(met && chosen)
    }

    pub(super) fn keep_read(&self, name: &str, read: Background) {
        let mut reads = self.stage.reads.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        reads.insert(name.to_owned(), read);
    }

    pub(super) fn take_read(&self, name: &str) -> Result<Background, Halt> {
        let mut reads = self.stage.reads.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        reads.remove(name).ok_or_else(|| Halt::Errored(format!("no read named {name} is under way")))
    }

    fn instant(&self, spec: &InstantSpec) -> Result<(), Halt> {
        let wrong = |why: String| Halt::Errored(format!("{}: {why}", self.place));
        let distance: jiff::SignedDuration =
            spec.from_now.parse().map_err(|error: jiff::Error| wrong(error.to_string()))?;
        let instant =
            jiff::Timestamp::now().checked_add(distance).map_err(|error| wrong(error.to_string()))?;
        let precision = if spec.milliseconds { 3 } else { 0 };
        let text = match &spec.utc_offset {
            None => format!("{instant:.precision$}"),
            Some(offset) => {
                let zone = jiff::fmt::strtime::parse("%:z", offset).ok().and_then(|parsed| parsed.offset());
                let zone = zone.ok_or_else(|| wrong(format!("{offset:?} is no offset from UTC")))?;
                format!("{:.precision$}", instant.display_with_offset(zone))
            }
        };
        self.stage.set(&spec.save, text);
        Ok(())
    }

    async fn wait_until(&self, wait: &WaitUntil) -> Result<(), Halt> {
        let began = self.stage.step_began(&wait.after);
        let began =
            began.ok_or_else(|| Halt::Errored(format!("no step named {} was carried out", wait.after)))?;
        tokio::time::sleep_until((began + wait.passed.0).into()).await;
        Ok(())
    }
}

/// A value as it has to stand in a query: unreserved characters as they are, all others percent-encoded.
fn encode_query(value: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(value, RESERVED).to_string()
}

fn whole_text(seen: &Seen) -> Option<String> {
    seen.ending.is_clean().then(|| String::from_utf8(seen.body.to_vec()).ok()).flatten()
}

fn json_at(seen: &Seen, pointer: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(&seen.body).ok()?;
    match value.pointer(pointer)? {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Null => None,
        other => Some(other.to_string()),
    }
}
