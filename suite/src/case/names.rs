//! Checks before any run: every `$name` has a value by then, every background read was started,
//! every expectation says which rule it belongs to.

use std::collections::{BTreeMap, BTreeSet};

use serde_saphyr::Location;

use super::{
    Accept, Act, AwaitEvents, AwaitLogs, BodyExpect, BodySpec, EventStreamExpect, Expect, Fields, Moment,
    RequestSpec, Row, SaveFrom, Step, Template, load::known_rule,
};
use crate::{
    fixture::{FixtureError, FixtureFile},
    rule::{Catalogue, RuleId},
};

/// Names that every case has: the root's path, the case's own prefix below it, its random part, the
/// target's authority and its URL up to the root.
const GIVEN_NAMES: [&str; 5] = ["root", "prefix", "nonce", "host", "origin"];

/// What a case may refer to.
pub(super) struct Usage<'a> {
    pub file: &'a FixtureFile,
    pub catalogue: &'a Catalogue,
    pub case_rules: &'a [RuleId],
}

/// What has a value at a point of a case.
#[derive(Clone, Default)]
struct Known {
    values: BTreeSet<String>,
    reads: BTreeSet<String>,
    receivers: BTreeSet<String>,
    steps: BTreeSet<String>,
}

impl Usage<'_> {
    /// Walks through a case in the order of its steps.
    pub(super) fn check(
        &self,
        at: Location,
        row: &Row,
        given: &[Step],
        steps: &[Step],
    ) -> Result<(), FixtureError> {
        let mut known = Known::default();
        known.values.extend(GIVEN_NAMES.map(str::to_owned));
        known.values.extend(row.keys().cloned());
        self.walk(given, &mut known, true)?;
        self.walk(steps, &mut known, false)?;
        if !steps.iter().any(|step| proves_something(&step.value)) {
            return Err(self.file.mistake(at, "no step expects anything: this case cannot fail"));
        }
        Ok(())
    }

    fn walk(&self, steps: &[Step], known: &mut Known, given: bool) -> Result<(), FixtureError> {
        for step in steps {
            self.act(&step.value, step.referenced, known, given)?;
        }
        Ok(())
    }

    fn act(&self, act: &Act, at: Location, known: &mut Known, given: bool) -> Result<(), FixtureError> {
        let wrong = |why: String| Err(self.file.mistake(at, why));
        match act {
            Act::Put(request)
            | Act::Post(request)
            | Act::Get(request)
            | Act::Head(request)
            | Act::Delete(request)
            | Act::Options(request) => {
                if request.to_tail && (!matches!(act, Act::Get(_)) || asks_live(request)) {
                    return wrong("`to_tail` goes with a `get` that does not wait".into());
                }
                self.request(request, at, known, given)
            }
            Act::Raw(raw) => {
                self.template(&raw.send, at, known)?;
                self.answers(raw.expect.as_ref(), &raw.also, &raw.accept, at, known, given)?;
                known.values.extend(raw.save.keys().cloned());
                Ok(())
            }
            Act::AtOnce(at_once) => {
                if at_once.times < 2 || at_once.tally.is_empty() {
                    return wrong("at_once sends at least two requests and tallies their answers".into());
                }
                let mut inner = known.clone();
                inner.values.insert("index".into());
                self.rules(at_once.proves.as_deref(), at, given)?;
                self.act(&at_once.request, at, &mut inner, true)
            }
            Act::StartGet(start) | Act::StartSse(start) => {
                self.moment(start.before.as_ref(), at, known)?;
                self.fields(&start.query, at, known)?;
                self.fields(&start.headers, at, known)?;
                self.answers(start.expect.as_ref(), &start.also, &[], at, known, given)?;
                if !known.reads.insert(start.name.clone()) {
                    return wrong(format!("a read named {:?} was started already", start.name));
                }
                Ok(())
            }
            Act::FinishGet(finish) => {
                self.read(&finish.name, at, known)?;
                self.answers(finish.expect.as_ref(), &finish.also, &finish.accept, at, known, given)?;
                known.values.extend(finish.save.keys().cloned());
                Ok(())
            }
            Act::AwaitSse(look) | Act::FinishSse(look) => self.look(look, at, known, given),
            Act::Emit(emit) => {
                let mut inner = known.clone();
                inner.values.insert("index".into());
                emit.entries.iter().try_for_each(|entry| self.json(entry, at, &inner))
            }
            Act::AwaitLogs(look) => self.logs(look, at, known, given),
            Act::StillWaiting(reads) | Act::Quiet(reads) => {
                self.rules(None, at, given)?;
                reads.keys().try_for_each(|name| self.read(name, at, known))
            }
            Act::Stop(reads) => reads.iter().try_for_each(|name| self.read(name, at, known)),
            Act::Receiver(receiver) => {
                if !known.receivers.insert(receiver.name.clone()) {
                    return wrong(format!("a receiver named {:?} is open already", receiver.name));
                }
                known.values.insert(format!("{}.url", receiver.name));
                for answer in &receiver.answers {
                    answer.json.iter().try_for_each(|json| self.json(json, at, known))?;
                    answer.text.iter().try_for_each(|text| self.template(text, at, known))?;
                }
                Ok(())
            }
            Act::AwaitDelivery(delivery) => {
                self.receiver(&delivery.name, at, known)?;
                if delivery.gap.is_some() && !known.steps.contains(&delivery.name) {
                    return wrong(format!("no earlier delivery to {:?} was awaited", delivery.name));
                }
                self.rules(delivery.proves.as_deref(), at, given)?;
                self.answers(delivery.expect.as_ref(), &delivery.also, &[], at, known, given)?;
                known.values.extend(delivery.save.keys().cloned());
                known.steps.insert(delivery.name.clone());
                Ok(())
            }
            Act::NoDelivery(receivers) => {
                self.rules(None, at, given)?;
                receivers.keys().try_for_each(|name| self.receiver(name, at, known))
            }
            Act::Instant(instant) => {
                if instant.from_now.parse::<jiff::SignedDuration>().is_err() {
                    return wrong(format!("{:?} is no distance in time; write 20s or -1h", instant.from_now));
                }
                known.values.insert(instant.save.clone());
                Ok(())
            }
            Act::WaitUntil(moment) => self.moment(Some(moment), at, known),
        }
    }

    fn request(
        &self,
        request: &RequestSpec,
        at: Location,
        known: &mut Known,
        given: bool,
    ) -> Result<(), FixtureError> {
        self.moment(request.before.as_ref(), at, known)?;
        if [request.stream.is_some(), request.at.is_some(), request.url.is_some()]
            .into_iter()
            .filter(|given| *given)
            .count()
            > 1
        {
            return Err(self
                .file
                .mistake(at, "a request goes to a `stream`, to a path (`at`) or to a `url`"));
        }
        for place in request.at.iter().chain(&request.url) {
            self.template(place, at, known)?;
        }
        self.fields(&request.query, at, known)?;
        self.fields(&request.headers, at, known)?;
        if let Some(body) = &request.body {
            self.body(body, at, known)?;
        }
        self.answers(request.expect.as_ref(), &request.also, &request.accept, at, known, given)?;
        if request.eventually.is_some() && request.expect.is_none() {
            return Err(self
                .file
                .mistake(at, "`eventually` repeats until `expect` holds: say what to expect"));
        }
        known.values.extend(request.save.keys().cloned());
        known.steps.extend(request.name.clone());
        Ok(())
    }

    fn answers(
        &self,
        expect: Option<&Expect>,
        also: &[Expect],
        accept: &[Accept],
        at: Location,
        known: &mut Known,
        given: bool,
    ) -> Result<(), FixtureError> {
        for expect in expect.into_iter().chain(also).chain(accept.iter().map(|accept| &accept.expect)) {
            self.expect(expect, at, known, given)?;
        }
        if expect.is_some_and(is_empty)
            || also.iter().any(is_empty)
            || accept.iter().any(|accept| is_empty(&accept.expect))
        {
            return Err(self.file.mistake(at, "an expectation that demands nothing cannot fail"));
        }
        for accept in accept {
            self.walk(&accept.then, &mut known.clone(), given)?;
        }
        Ok(())
    }

    fn expect(&self, expect: &Expect, at: Location, known: &Known, given: bool) -> Result<(), FixtureError> {
        self.rules(expect.proves.as_deref(), at, given)?;
        if let Some(super::StatusExpect::Template(status)) = &expect.status {
            self.template(status, at, known)?;
        }
        if let Some(media_type) = &expect.media_type {
            self.template(media_type, at, known)?;
        }
        expect.headers.values().try_for_each(|matchers| self.matchers(matchers, at, known))?;
        expect.body.iter().try_for_each(|body| self.body_expect(body, at, known))
    }

    fn look(
        &self,
        look: &AwaitEvents,
        at: Location,
        known: &mut Known,
        given: bool,
    ) -> Result<(), FixtureError> {
        self.read(&look.name, at, known)?;
        for expect in std::iter::once(&look.expect).chain(&look.also) {
            if *expect
                == (EventStreamExpect {
                    proves: expect.proves.clone(),
                    warn: expect.warn.clone(),
                    within: expect.within,
                    ..Default::default()
                })
            {
                return Err(self.file.mistake(at, "an expectation that demands nothing cannot fail"));
            }
            self.rules(expect.proves.as_deref(), at, given)?;
            expect.data.iter().try_for_each(|body| self.body_expect(body, at, known))?;
            for event in expect.events.iter().flatten() {
                match event {
                    super::EventExpect::Data(body) => self.body_expect(body, at, known)?,
                    super::EventExpect::Control(fields) => {
                        fields.values().try_for_each(|field| self.matchers(field, at, known))?;
                    }
                }
            }
            for fields in
                [&expect.first_control, &expect.last_control, &expect.every_control].into_iter().flatten()
            {
                fields.values().try_for_each(|field| self.matchers(field, at, known))?;
            }
        }
        known.values.extend(look.save.keys().cloned());
        match look
            .save
            .values()
            .find(|from| matches!(from, SaveFrom::Header(_) | SaveFrom::Json(_) | SaveFrom::Body))
        {
            Some(_) => Err(self
                .file
                .mistake(at, "an event stream saves from { first_control: ... } or { last_control: ... }")),
            None => Ok(()),
        }
    }

    fn logs(&self, look: &AwaitLogs, at: Location, known: &Known, given: bool) -> Result<(), FixtureError> {
        self.read(&look.name, at, known)?;
        for expect in look.demands() {
            if expect.is_empty() {
                return Err(self.file.mistake(at, "an expectation that demands nothing cannot fail"));
            }
            self.rules(expect.proves.as_deref(), at, given)?;
            expect.templates().try_for_each(|template| self.template(template, at, known))?;
            expect.last_status.iter().try_for_each(|body| self.body_expect(body, at, known))?;
        }
        Ok(())
    }

    /// Where a case proves several rules, each expectation says which of them it is about.
    fn rules(&self, named: Option<&[RuleId]>, at: Location, given: bool) -> Result<(), FixtureError> {
        match named {
            Some([]) => Err(self.file.mistake(at, "`proves` names no rule")),
            Some(named) => named.iter().try_for_each(|id| {
                known_rule(id.as_str(), self.catalogue).map(drop).map_err(|why| self.file.mistake(at, why))
            }),
            None if self.case_rules.len() > 1 && !given => Err(self
                .file
                .mistake(at, "this case proves several rules: the expectation needs its own `proves`")),
            None => Ok(()),
        }
    }

    fn read(&self, name: &str, at: Location, known: &Known) -> Result<(), FixtureError> {
        match known.reads.contains(name) {
            true => Ok(()),
            false => Err(self.file.mistake(at, format!("no read named {name:?} was started"))),
        }
    }

    fn moment(&self, moment: Option<&Moment>, at: Location, known: &Known) -> Result<(), FixtureError> {
        match moment {
            Some(moment) if !known.steps.contains(&moment.after) => {
                Err(self.file.mistake(at, format!("no earlier step is named {:?} (`as`)", moment.after)))
            }
            _ => Ok(()),
        }
    }

    fn receiver(&self, name: &str, at: Location, known: &Known) -> Result<(), FixtureError> {
        match known.receivers.contains(name) {
            true => Ok(()),
            false => Err(self.file.mistake(at, format!("no receiver named {name:?} was opened"))),
        }
    }

    fn fields(&self, fields: &Fields, at: Location, known: &Known) -> Result<(), FixtureError> {
        fields.0.iter().flat_map(|(_, values)| values).try_for_each(|value| self.template(value, at, known))
    }

    fn body(&self, body: &BodySpec, at: Location, known: &Known) -> Result<(), FixtureError> {
        match body {
            BodySpec::Text(text) => self.template(text, at, known),
            BodySpec::Json(value) => self.json(value, at, known),
            BodySpec::Chunks { texts, .. } => {
                texts.iter().try_for_each(|text| self.template(text, at, known))
            }
            BodySpec::Base64(text) => self.base64(text, at),
            BodySpec::Filled(_) => Ok(()),
        }
    }

    fn body_expect(&self, body: &BodyExpect, at: Location, known: &Known) -> Result<(), FixtureError> {
        match body {
            BodyExpect::Text(text)
            | BodyExpect::JsonText(text)
            | BodyExpect::StartsWith(text)
            | BodyExpect::Contains(text)
            | BodyExpect::Lacks(text) => self.template(text, at, known),
            BodyExpect::Json(value)
            | BodyExpect::JsonIncludes(value)
            | BodyExpect::JsonHas(value)
            | BodyExpect::JsonLacks(value) => self.json(value, at, known),
            BodyExpect::Fields(fields) => self.pointers(fields, at, known),
            BodyExpect::Base64(text) => self.base64(text, at),
            BodyExpect::Empty | BodyExpect::NotEmpty | BodyExpect::Filled(_) => Ok(()),
        }
    }

    fn pointers(
        &self,
        fields: &BTreeMap<String, super::Matchers>,
        at: Location,
        known: &Known,
    ) -> Result<(), FixtureError> {
        if fields.is_empty() {
            return Err(self.file.mistake(at, "`fields` without a pointer demands nothing"));
        }
        fields.iter().try_for_each(|(pointer, matchers)| match pointer.starts_with('/') {
            true => self.matchers(matchers, at, known),
            false => {
                Err(self.file.mistake(at, format!("{pointer:?} is no JSON pointer; write /streams/0/path")))
            }
        })
    }

    fn base64(&self, text: &str, at: Location) -> Result<(), FixtureError> {
        use base64::Engine as _;
        match base64::engine::general_purpose::STANDARD.decode(text) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.file.mistake(at, format!("{text:?} is not base64: {error}"))),
        }
    }

    fn json(&self, value: &serde_json::Value, at: Location, known: &Known) -> Result<(), FixtureError> {
        match value {
            serde_json::Value::String(text) => {
                let template = Template::parse(text).map_err(|why| self.file.mistake(at, why))?;
                self.template(&template, at, known)
            }
            serde_json::Value::Array(items) => items.iter().try_for_each(|item| self.json(item, at, known)),
            serde_json::Value::Object(members) => {
                members.values().try_for_each(|member| self.json(member, at, known))
            }
            _ => Ok(()),
        }
    }

    fn matchers(&self, matchers: &super::Matchers, at: Location, known: &Known) -> Result<(), FixtureError> {
        matchers.templates().try_for_each(|template| self.template(template, at, known))
    }

    fn template(&self, template: &Template, at: Location, known: &Known) -> Result<(), FixtureError> {
        for name in template.names() {
            // `stream.path` and the like stand for the case's own streams, which need no introduction.
            let is_stream = name.rsplit_once('.').is_some_and(|(_, part)| STREAM_PARTS.contains(&part));
            if !is_stream && !known.values.contains(name) {
                return Err(self
                    .file
                    .mistake(at, format!("${name} has no value here: no earlier step saves it")));
            }
        }
        Ok(())
    }
}

fn asks_live(request: &RequestSpec) -> bool {
    request.query.0.iter().any(|(name, _)| name == "live")
}

/// What `$name.part` may ask of a stream: its URL path, its whole URL, its path below the stream root.
const STREAM_PARTS: [&str; 3] = ["path", "url", "relative"];

/// The case's own rules and those that its expectations name.
pub(super) fn all_rules(own: &[RuleId], steps: &[Step]) -> Vec<RuleId> {
    let mut rules = own.to_vec();
    for step in steps {
        collect_rules(&step.value, &mut rules);
    }
    rules.sort();
    rules.dedup();
    rules
}

fn collect_rules(act: &Act, rules: &mut Vec<RuleId>) {
    let mut add = |named: &Option<Vec<RuleId>>| rules.extend(named.iter().flatten().cloned());
    if matches!(act, Act::AwaitDelivery(delivery) if delivery.signed) {
        add(&Some(vec![RuleId::new("webhook.signature")]));
    }
    let (expect, also, accept): (Option<&Expect>, &[Expect], &[Accept]) = match act {
        Act::Put(request)
        | Act::Post(request)
        | Act::Get(request)
        | Act::Head(request)
        | Act::Delete(request)
        | Act::Options(request) => (request.expect.as_ref(), &request.also, &request.accept),
        Act::Raw(raw) => (raw.expect.as_ref(), &raw.also, &raw.accept),
        Act::StartGet(start) | Act::StartSse(start) => (start.expect.as_ref(), &start.also, &[]),
        Act::FinishGet(finish) => (finish.expect.as_ref(), &finish.also, &finish.accept),
        Act::AwaitSse(look) | Act::FinishSse(look) => {
            std::iter::once(&look.expect).chain(&look.also).for_each(|expect| add(&expect.proves));
            return;
        }
        Act::AwaitLogs(look) => {
            look.demands().for_each(|expect| add(&expect.proves));
            return;
        }
        Act::AtOnce(at_once) => return add(&at_once.proves),
        Act::AwaitDelivery(delivery) => {
            add(&delivery.proves);
            (delivery.expect.as_ref(), &delivery.also, &[])
        }
        Act::StillWaiting(_)
        | Act::Quiet(_)
        | Act::Receiver(_)
        | Act::NoDelivery(_)
        | Act::Emit(_)
        | Act::Stop(_)
        | Act::Instant(_)
        | Act::WaitUntil(_) => return,
    };
    expect
        .into_iter()
        .chain(also)
        .chain(accept.iter().map(|accept| &accept.expect))
        .for_each(|expect| add(&expect.proves));
    for step in accept.iter().flat_map(|accept| &accept.then) {
        collect_rules(&step.value, rules);
    }
}

fn is_empty(expect: &Expect) -> bool {
    *expect == (Expect { proves: expect.proves.clone(), warn: expect.warn.clone(), ..Expect::default() })
}

fn proves_something(act: &Act) -> bool {
    match act {
        Act::Put(request)
        | Act::Post(request)
        | Act::Get(request)
        | Act::Head(request)
        | Act::Delete(request)
        | Act::Options(request) => {
            request.expect.is_some() || !request.also.is_empty() || !request.accept.is_empty()
        }
        Act::Raw(raw) => raw.expect.is_some() || !raw.accept.is_empty() || raw.nothing_after,
        Act::StartGet(start) | Act::StartSse(start) => start.expect.is_some() || !start.also.is_empty(),
        Act::FinishGet(finish) => {
            finish.expect.is_some() || !finish.also.is_empty() || !finish.accept.is_empty()
        }
        Act::AtOnce(_)
        | Act::AwaitSse(_)
        | Act::FinishSse(_)
        | Act::AwaitLogs(_)
        | Act::StillWaiting(_)
        | Act::Quiet(_)
        | Act::AwaitDelivery(_)
        | Act::NoDelivery(_) => true,
        Act::Receiver(_) | Act::Emit(_) | Act::Stop(_) | Act::Instant(_) | Act::WaitUntil(_) => false,
    }
}
