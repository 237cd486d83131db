//! Streams with a documented content, which a target that takes no writes may hold ready.
//!
//! A case that writes nothing but the content of its streams before it reads can be run on such streams as well.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;
use serde_saphyr::Spanned;
use streamgauge_fixtures::Folder;

use super::{Act, BodySpec, Case, RequestSpec, Row, SaveFrom, Step, Template, filled};
use crate::{
    fixture::{FixtureError, FixtureSource},
    rule::Capability,
};

/// A stream of the stock: its name, and what it has to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stocked {
    /// The NAME of `--stream NAME=URL`.
    pub name: String,
    /// What it is, as a sentence.
    pub title: String,
    /// All of it.
    pub content: Content,
}

/// What a stream holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The essence of its Content-Type, in lower case.
    pub media_type: String,
    /// Its bytes, or the messages of a JSON stream.
    pub body: Body,
    /// Whether it is closed.
    pub closed: bool,
}

/// The content itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    Bytes(Vec<u8>),
    /// One JSON text a message.
    Messages(Vec<String>),
}

/// All streams of the stock, in the order of the fixtures.
#[derive(Clone, Debug, Default)]
pub struct Stock(pub Vec<Stocked>);

/// What a case wants to be there before it reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The content of each of its streams.
    pub streams: BTreeMap<String, Content>,
    /// How many steps at the beginning of `given` write that content.
    pub writes: usize,
    /// Names that are given the tail of a stream: name, stream.
    pub tails: Vec<(String, String)>,
}

impl Stock {
    /// Reads every file of `stock/`.
    pub fn load(source: &FixtureSource) -> Result<Self, FixtureError> {
        let mut stock = Self::default();
        for file in source.files(Folder::Stock)? {
            for entry in file.parse_list::<Entry>()? {
                let at = entry.name.referenced;
                let name = entry.name.value;
                if stock.named(&name).is_some() {
                    return Err(file.mistake(at, format!("a stream named {name} stands already")));
                }
                let mut content = Content::empty(&entry.content_type);
                if let Some(body) = &entry.body {
                    let bytes = bytes(body, &Row::new());
                    let bytes = bytes.ok_or_else(|| file.mistake(at, "the body has to be a literal one"))?;
                    content.append(&bytes).ok_or_else(|| file.mistake(at, "the body is no JSON"))?;
                }
                content.closed = entry.closed;
                stock.0.push(Stocked { name, title: entry.title, content });
            }
        }
        Ok(stock)
    }

    /// The JSON Schema of a file of the stock.
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Vec<Entry>).to_value()
    }

    /// The stream of that name.
    pub fn named(&self, name: &str) -> Option<&Stocked> {
        self.0.iter().find(|stocked| stocked.name == name)
    }

    /// The stream that holds this.
    pub fn holding(&self, content: &Content) -> Option<&Stocked> {
        self.0.iter().find(|stocked| stocked.content == *content)
    }
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StockedStream")]
struct Entry {
    #[schemars(with = "String")]
    name: Spanned<String>,
    title: String,
    #[serde(rename = "type")]
    content_type: String,
    #[serde(default)]
    body: Option<BodySpec>,
    #[serde(default)]
    closed: bool,
}

impl Content {
    /// A stream of this Content-Type without anything in it.
    pub fn empty(content_type: &str) -> Self {
        let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let body = match media_type.as_str() {
            "application/json" => Body::Messages(Vec::new()),
            _ => Body::Bytes(Vec::new()),
        };
        Self { media_type, body, closed: false }
    }

    /// A stream of the same type without anything in it.
    pub fn emptied(&self) -> Self {
        Self::empty(&self.media_type)
    }

    /// Adds what a write with this body adds; nothing where a JSON stream gets no JSON.
    pub fn append(&mut self, bytes: &[u8]) -> Option<()> {
        match &mut self.body {
            Body::Bytes(all) => all.extend_from_slice(bytes),
            Body::Messages(_) if bytes.is_empty() => {}
            Body::Messages(messages) => messages.extend(json_messages(bytes)?),
        }
        Some(())
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.closed { "closed" } else { "open" };
        write!(f, "{}, {state}, ", self.media_type)?;
        match &self.body {
            Body::Bytes(bytes) => write!(f, "{:?}", String::from_utf8_lossy(bytes)),
            Body::Messages(messages) => write!(f, "[{}]", messages.join(",")),
        }
    }
}

/// The elements of an array, or the one value, each in its shortest form.
fn json_messages(bytes: &[u8]) -> Option<Vec<String>> {
    match serde_json::from_slice(bytes).ok()? {
        serde_json::Value::Array(elements) => {
            Some(elements.iter().map(serde_json::Value::to_string).collect())
        }
        value => Some(vec![value.to_string()]),
    }
}

impl Case {
    /// What has to be there so that the case can be run without a write; nothing where it writes otherwise.
    pub fn wants(&self) -> Option<Wanted> {
        let writes = self.given.iter().take_while(|step| written(&step.value).is_some()).count();
        let (writes, reads) = self.given.split_at(writes);
        let may_try = self.lacks.contains(&Capability::Write);
        if !reads.iter().chain(self.steps.iter()).all(|step| only_reads(step) || may_try) {
            return None;
        }
        let mut wanted = Wanted { writes: writes.len(), ..Wanted::default() };
        for step in writes {
            let (creates, spec) = written(&step.value)?;
            wanted.write(creates, spec, &self.row)?;
        }
        Some(wanted)
    }

    /// Whether the case asks for nothing that a target without reads refuses.
    pub fn only_writes(&self) -> bool {
        self.given.iter().chain(self.steps.iter()).all(|step| !reads(step))
    }
}

impl Wanted {
    fn write(&mut self, creates: bool, spec: &RequestSpec, row: &Row) -> Option<()> {
        let elsewhere = spec.at.is_some() || spec.url.is_some() || !spec.query.0.is_empty();
        if elsewhere || spec.name.is_some() || spec.accept.iter().any(|choice| !choice.then.is_empty()) {
            return None;
        }
        let name = spec.stream.clone().unwrap_or_else(|| "stream".to_owned());
        let (mut content_type, mut closes) = (None, false);
        for (header, values) in &spec.headers.0 {
            let [value] = values.as_slice() else { return None };
            let value = literal(value, row)?;
            match header.to_ascii_lowercase().as_str() {
                "content-type" => content_type = value,
                "stream-closed" => closes = value.as_deref() == Some("true"),
                _ => return None,
            }
        }
        let body = spec.body.as_ref().map_or(Some(Vec::new()), |body| bytes(body, row))?;
        if creates {
            if self.streams.contains_key(&name) {
                return None;
            }
            self.streams.insert(name.clone(), Content::empty(&content_type?));
        }
        let content = self.streams.get_mut(&name)?;
        if content.closed {
            return None;
        }
        content.append(&body)?;
        content.closed = closes;
        // What an earlier write named as the tail is no longer.
        if self.tails.iter().any(|(_, stream)| *stream == name) && !body.is_empty() {
            return None;
        }
        for (saved, from) in &spec.save {
            match from {
                SaveFrom::Header(header) if header.eq_ignore_ascii_case("Stream-Next-Offset") => {
                    self.tails.push((saved.clone(), name.clone()));
                }
                _ => return None,
            }
        }
        Some(())
    }
}

/// A write to a stream, and whether it creates it.
fn written(act: &Act) -> Option<(bool, &RequestSpec)> {
    match act {
        Act::Put(spec) => Some((true, spec)),
        Act::Post(spec) => Some((false, spec)),
        _ => None,
    }
}

fn only_reads(step: &Step) -> bool {
    match &step.value {
        Act::Get(spec) | Act::Head(spec) | Act::Options(spec) => {
            spec.accept.iter().flat_map(|choice| &choice.then).all(only_reads)
        }
        Act::FinishGet(finish) => finish.accept.iter().flat_map(|choice| &choice.then).all(only_reads),
        Act::Raw(raw) => ["GET ", "HEAD ", "OPTIONS "].iter().any(|read| raw.send.source().starts_with(read)),
        Act::AtOnce(at_once) => matches!(at_once.request, Act::Get(_) | Act::Head(_) | Act::Options(_)),
        Act::StartGet(_)
        | Act::StillWaiting(_)
        | Act::StartSse(_)
        | Act::AwaitSse(_)
        | Act::FinishSse(_)
        | Act::Quiet(_)
        | Act::Stop(_)
        | Act::Instant(_)
        | Act::WaitUntil(_) => true,
        Act::Put(_)
        | Act::Post(_)
        | Act::Delete(_)
        | Act::Emit(_)
        | Act::AwaitLogs(_)
        | Act::Receiver(_)
        | Act::AwaitDelivery(_)
        | Act::NoDelivery(_) => false,
    }
}

fn reads(step: &Step) -> bool {
    let then = |accept: &[super::Accept]| accept.iter().flat_map(|choice| &choice.then).any(reads);
    match &step.value {
        Act::Get(_) | Act::StartGet(_) | Act::StartSse(_) => true,
        Act::Put(spec) | Act::Post(spec) | Act::Head(spec) | Act::Delete(spec) | Act::Options(spec) => {
            then(&spec.accept)
        }
        Act::Raw(raw) => raw.send.source().starts_with("GET ") || then(&raw.accept),
        Act::AtOnce(at_once) => matches!(at_once.request, Act::Get(_)),
        _ => false,
    }
}

/// The bytes of a body that nothing but cells of the row goes into.
fn bytes(body: &BodySpec, row: &Row) -> Option<Vec<u8>> {
    Some(match body {
        BodySpec::Text(text) => literal(text, row)??.into_bytes(),
        BodySpec::Base64(text) => {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.decode(text).ok()?
        }
        BodySpec::Json(value) if !value.to_string().contains('$') => value.to_string().into_bytes(),
        BodySpec::Json(_) => return None,
        BodySpec::Filled(size) => filled(*size),
        BodySpec::Chunks { texts, .. } => {
            let texts: Option<Option<Vec<String>>> = texts.iter().map(|text| literal(text, row)).collect();
            texts??.concat().into_bytes()
        }
    })
}

/// The text, or nothing for a cell that leaves it out; none where a name stands in it that only a run gives a value.
fn literal(template: &Template, row: &Row) -> Option<Option<String>> {
    if let Some(None) = template.only_name().and_then(|name| row.get(name)) {
        return Some(None);
    }
    template.render(|name| row.get(name)?.clone()).ok().map(Some)
}
