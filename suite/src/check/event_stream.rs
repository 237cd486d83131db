//! An event stream against an expectation.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{BodyRender, Finding, Names, SeenValue, body, check_value, value::compare_integers};
use crate::case::{BodyExpect, Ended, EventExpect, EventStreamExpect, Matchers, Unbound};

/// How many names of events are told where their order is wrong.
const SHOWN: usize = 20;

/// What an event stream has carried so far.
#[derive(Clone, Debug, Default)]
pub struct EventLog {
    pub events: Vec<Arc<SeenEvent>>,
    /// The response said that data events are base64.
    pub base64: bool,
    pub end: LogEnd,
}

/// One event.
#[derive(Clone, Debug)]
pub struct SeenEvent {
    pub name: String,
    pub data: String,
    pub at: Instant,
}

/// How an event stream stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LogEnd {
    #[default]
    Open,
    /// The body ended as HTTP says, after a whole event.
    Cleanly,
    /// It broke off; the text says how.
    Torn(String),
    /// It is no event stream; the text says where the grammar is left.
    Malformed(String),
    /// The suite read no further, for a bound of its own; the text names it.
    Cut(String),
}

impl EventLog {
    /// The payloads of the control events, parsed. Not an object: an error for `sse.control-fields` to tell of.
    pub fn controls(&self) -> Vec<BTreeMap<String, Value>> {
        self.named("control").map(|event| serde_json::from_str(&event.data).unwrap_or_default()).collect()
    }

    /// What tells that something happened: idle servers repeat their last control event with another cursor.
    pub fn progress(&self) -> (usize, BTreeMap<String, Value>) {
        let mut last = self.controls().pop().unwrap_or_default();
        last.remove("streamCursor");
        (self.events.iter().filter(|event| event.name != "control").count(), last)
    }

    /// The data events, in order.
    pub fn data_events(&self) -> impl Iterator<Item = &SeenEvent> {
        self.named("data")
    }

    /// What the data events carry, decoded as a client would and joined: the bytes, or one array of all messages.
    ///
    /// # Errors
    ///
    /// Why a payload does not decode.
    pub fn content(&self, is_json: bool) -> Result<Vec<u8>, String> {
        self.joined(&self.data_events().map(|event| event.data.as_str()).collect::<Vec<_>>(), is_json)
    }

    /// What the data events before the one at `end`, an index into all events, carry.
    ///
    /// # Errors
    ///
    /// Why a payload does not decode.
    pub fn content_before(&self, end: usize, is_json: bool) -> Result<Vec<u8>, String> {
        let before = self.events.iter().take(end).filter(|event| event.name == "data");
        self.joined(&before.map(|event| event.data.as_str()).collect::<Vec<_>>(), is_json)
    }

    fn joined(&self, payloads: &[&str], is_json: bool) -> Result<Vec<u8>, String> {
        match (self.base64, is_json) {
            (true, _) => decode_base64(payloads),
            (false, true) => join_arrays(payloads),
            (false, false) => Ok(payloads.concat().into_bytes()),
        }
    }

    /// The events of that name, in order.
    pub(super) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a SeenEvent> {
        self.events.iter().map(|event| &**event).filter(move |event| event.name == name)
    }

    fn names(&self) -> String {
        match self.events.as_slice() {
            [] => "no event".to_owned(),
            events => {
                let names: Vec<&str> = events.iter().take(SHOWN).map(|event| event.name.as_str()).collect();
                let more = match events.len() - names.len() {
                    0 => String::new(),
                    more => format!(", and {more} more"),
                };
                names.join(", ") + &more
            }
        }
    }
}

/// Everything that the expectation demands and the event stream lacks so far.
pub fn event_stream(
    expect: &EventStreamExpect,
    log: &EventLog,
    names: &dyn Names,
) -> Result<Vec<Finding>, Unbound> {
    let mut findings = Vec::new();
    if let LogEnd::Malformed(why) = &log.end {
        let finding = Finding::new("event stream", "the grammar of server-sent events", why.clone());
        findings.push(finding.lasting_if(true));
    }
    if let Some(wanted) = &expect.data {
        findings.extend(data(wanted, log.named("data"), log, names)?);
    }
    if let Some(wanted) = &expect.names {
        let seen: Vec<&str> = log.events.iter().map(|event| event.name.as_str()).collect();
        if seen != wanted.iter().map(String::as_str).collect::<Vec<_>>() {
            let finding = Finding::new("events", wanted.join(", "), log.names());
            findings.push(finding.lasting_if(!starts_with(wanted, &seen)));
        }
    }
    if let Some(wanted) = &expect.events {
        findings.extend(exact_events(wanted, log, names)?);
    }
    if let Some(known) = &expect.names_among {
        findings.extend(only_known_names(known, log));
    }
    if expect.paired {
        findings.extend(pairs(log));
    }
    if expect.closed_is_last {
        findings.extend(events_behind_the_end(log));
    }
    let controls = log.controls();
    if let Some(fields) = &expect.first_control {
        let found = control("first control event", fields, controls.first(), names)?;
        findings.extend(found.into_iter().map(|finding| finding.lasting_if(!controls.is_empty())));
    }
    if let Some(fields) = &expect.last_control {
        findings.extend(control("last control event", fields, controls.last(), names)?);
    }
    if let Some(fields) = &expect.every_control {
        if controls.is_empty() {
            findings.push(Finding::new("control events", "at least one", "none"));
        }
        for (index, seen) in controls.iter().enumerate() {
            let found = control(&format!("control event {}", index + 1), fields, Some(seen), names)?;
            findings.extend(found.into_iter().map(|finding| finding.lasting_if(true)));
        }
    }
    for field in &expect.never_falls {
        findings.extend(never_falls(field, &controls));
    }
    if let (None, LogEnd::Torn(why), false) = (expect.ended, &log.end, findings.is_empty()) {
        findings.push(Finding::new("connection", "unbroken", format!("broken off: {why}")));
    }
    match (expect.ended, &log.end) {
        (None, _) | (Some(Ended::Cleanly), LogEnd::Cleanly) | (Some(Ended::Open), LogEnd::Open) => {}
        (Some(wanted), end) => {
            findings.push(Finding::new("connection", wanted.description(), end.description()));
        }
    }
    Ok(findings)
}

/// Whether what has come so far may still become what is wanted.
fn starts_with(wanted: &[String], seen: &[&str]) -> bool {
    seen.len() <= wanted.len() && wanted.iter().zip(seen).all(|(wanted, seen)| wanted == seen)
}

fn only_known_names(known: &[String], log: &EventLog) -> Option<Finding> {
    let has_stranger = log.events.iter().any(|event| !known.contains(&event.name));
    (has_stranger || log.events.is_empty()).then(|| {
        Finding::new("events", format!("none but {}", known.join(", ")), log.names()).lasting_if(has_stranger)
    })
}

/// A client learns from the control event how far the data before it reached.
fn pairs(log: &EventLog) -> Option<Finding> {
    let names: Vec<&str> = log.events.iter().map(|event| event.name.as_str()).collect();
    let is_torn_apart = names.windows(2).any(|pair| pair[0] == "data" && pair[1] != "control");
    let is_unfinished = !names.contains(&"data") || names.last() == Some(&"data");
    (is_torn_apart || is_unfinished).then(|| {
        let wanted = "data events, each with a control event behind it";
        Finding::new("events", wanted, log.names()).lasting_if(is_torn_apart)
    })
}

/// Whoever hears that a stream is closed stops listening.
fn events_behind_the_end(log: &EventLog) -> Option<Finding> {
    let says_closed = |event: &&SeenEvent| {
        let fields = serde_json::from_str::<Value>(&event.data).unwrap_or_default();
        event.name == "control" && fields["streamClosed"] == true
    };
    let behind: Vec<&str> = log
        .events
        .iter()
        .map(|event| &**event)
        .skip_while(|event| !says_closed(event))
        .skip(1)
        .map(|event| event.name.as_str())
        .collect();
    let finding = || Finding::new("events behind streamClosed", "none", behind.join(", ")).lasting_if(true);
    (!behind.is_empty()).then(finding)
}

fn never_falls(field: &str, controls: &[BTreeMap<String, Value>]) -> Option<Finding> {
    let finding = |actual: String| {
        let finding = Finding::new(format!("control events: {field}"), "integers that never fall", actual);
        Some(finding.lasting_if(!controls.is_empty()))
    };
    if controls.is_empty() {
        return finding("no control event".to_owned());
    }
    let mut highest: Option<String> = None;
    for (index, control) in controls.iter().enumerate() {
        let Some(value) = control.get(field).cloned() else {
            return finding(format!("absent from control event {}", index + 1));
        };
        let value = SeenValue::Json(value).text();
        let before = highest.as_deref().unwrap_or("0");
        match compare_integers(&value, before) {
            Some(order) if order.is_ge() => highest = Some(value),
            Some(_) => return finding(format!("{value} in control event {} after {before}", index + 1)),
            None => return finding(format!("{value} in control event {}, which is no integer", index + 1)),
        }
    }
    None
}

fn exact_events(wanted: &[EventExpect], log: &EventLog, names: &dyn Names) -> Result<Vec<Finding>, Unbound> {
    let name = |event: &EventExpect| match event {
        EventExpect::Data(_) => "data",
        EventExpect::Control(_) => "control",
    };
    let same_names = wanted.len() == log.events.len()
        && wanted.iter().zip(&log.events).all(|(wanted, seen)| name(wanted) == seen.name);
    if !same_names {
        let wanted: Vec<String> = wanted.iter().map(|event| name(event).to_owned()).collect();
        let seen: Vec<&str> = log.events.iter().map(|event| event.name.as_str()).collect();
        let finding = Finding::new("events", wanted.join(", "), log.names());
        return Ok(vec![finding.lasting_if(!starts_with(&wanted, &seen))]);
    }
    let mut findings = Vec::new();
    for (index, (wanted, seen)) in wanted.iter().zip(&log.events).enumerate() {
        match wanted {
            EventExpect::Data(body) => findings.extend(data(body, std::iter::once(&**seen), log, names)?),
            EventExpect::Control(fields) => {
                let seen = serde_json::from_str(&seen.data).unwrap_or_default();
                findings.extend(control(
                    &format!("event {} (control)", index + 1),
                    fields,
                    Some(&seen),
                    names,
                )?);
            }
        }
    }
    Ok(findings)
}

/// Decodes the payloads as a client would, joins them and compares.
fn data<'a>(
    wanted: &BodyExpect,
    events: impl Iterator<Item = &'a SeenEvent>,
    log: &EventLog,
    names: &dyn Names,
) -> Result<Option<Finding>, Unbound> {
    const SUBJECT: &str = "data events";
    let payloads: Vec<&str> = events.map(|event| event.data.as_str()).collect();
    let is_json = matches!(
        wanted,
        BodyExpect::Json(_)
            | BodyExpect::JsonIncludes(_)
            | BodyExpect::JsonHas(_)
            | BodyExpect::JsonLacks(_)
            | BodyExpect::Fields(_)
            | BodyExpect::JsonText(_)
    );
    let seen = match log.joined(&payloads, is_json) {
        Ok(seen) => seen,
        Err(why) => return Ok(Some(Finding::new(SUBJECT, "payloads that decode", why).lasting_if(true))),
    };
    match wanted {
        // Server-sent events know one line end only, so what was CR or CRLF comes back as LF.
        BodyExpect::Text(text) if !log.base64 => {
            let wanted = one_line_end(&names.render(text)?);
            let wanted = wanted.as_bytes();
            let finding =
                || Finding::new(SUBJECT, BodyRender(wanted).to_string(), BodyRender(&seen).to_string());
            Ok((wanted != seen).then(|| finding().lasting_if(!wanted.starts_with(&seen))))
        }
        BodyExpect::Empty => {
            let finding = body::body(SUBJECT, wanted, &seen, names)?;
            Ok(finding.map(|finding| finding.lasting_if(true)))
        }
        other => body::body(SUBJECT, other, &seen, names),
    }
}

fn one_line_end(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

fn decode_base64(payloads: &[&str]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for payload in payloads {
        let text: String = payload.chars().filter(|letter| !matches!(letter, '\n' | '\r')).collect();
        bytes.extend(STANDARD.decode(&text).map_err(|error| format!("{text:?} is not base64: {error}"))?);
    }
    Ok(bytes)
}

/// Every data event of a JSON stream is an array; joined, they are the array of a catch-up read.
fn join_arrays(payloads: &[&str]) -> Result<Vec<u8>, String> {
    let mut items: Vec<Box<serde_json::value::RawValue>> = Vec::new();
    for payload in payloads {
        let more: Vec<Box<serde_json::value::RawValue>> = serde_json::from_str(payload)
            .map_err(|_| format!("{} is no JSON array", BodyRender(payload.as_bytes())))?;
        items.extend(more);
    }
    serde_json::to_vec(&items).map_err(|error| error.to_string())
}

fn control(
    subject: &str,
    wanted: &BTreeMap<String, Matchers>,
    seen: Option<&BTreeMap<String, Value>>,
    names: &dyn Names,
) -> Result<Vec<Finding>, Unbound> {
    let Some(seen) = seen else {
        return Ok(vec![Finding::new(subject, "a control event", "none")]);
    };
    let mut findings = Vec::new();
    for (field, matchers) in wanted {
        let values: Vec<SeenValue> = seen.get(field).cloned().map(SeenValue::Json).into_iter().collect();
        findings.extend(check_value(&format!("{subject}: {field}"), matchers, &values, None, names)?);
    }
    Ok(findings)
}

impl Ended {
    const fn description(self) -> &'static str {
        match self {
            Self::Cleanly => "ended by the server, after a whole event",
            Self::Open => "still open",
        }
    }
}

impl LogEnd {
    fn description(&self) -> String {
        match self {
            Self::Open => "still open".to_owned(),
            Self::Cleanly => "ended by the server".to_owned(),
            Self::Torn(why) => format!("broken off: {why}"),
            Self::Malformed(why) => format!("no event stream: {why}"),
            Self::Cut(why) => format!("not read to its end: {why}"),
        }
    }
}

#[cfg(test)]
mod tests;
