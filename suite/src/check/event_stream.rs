//! An event stream against an expectation.

use std::{collections::BTreeMap, time::Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{BodyRender, Finding, Names, SeenValue, body, check_value, value::compare_integers};
use crate::case::{BodyExpect, Ended, EventExpect, EventStreamExpect, Matchers, Unbound};

/// What an event stream has carried so far.
#[derive(Clone, Debug, Default)]
pub struct EventLog {
    pub events: Vec<SeenEvent>,
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

    fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a SeenEvent> {
        self.events.iter().filter(move |event| event.name == name)
    }

    fn names(&self) -> String {
        match self.events.as_slice() {
            [] => "no event".to_owned(),
            events => events.iter().map(|event| event.name.as_str()).collect::<Vec<_>>().join(", "),
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
        findings.push(Finding::new("event stream", "the grammar of server-sent events", why.clone()));
    }
    if let Some(wanted) = &expect.data {
        findings.extend(data(wanted, log.named("data"), log, names)?);
    }
    if let Some(wanted) = &expect.names {
        let seen: Vec<&str> = log.events.iter().map(|event| event.name.as_str()).collect();
        if seen != wanted.iter().map(String::as_str).collect::<Vec<_>>() {
            findings.push(Finding::new("events", wanted.join(", "), log.names()));
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
    let controls = log.controls();
    if let Some(fields) = &expect.first_control {
        findings.extend(control("first control event", fields, controls.first(), names)?);
    }
    if let Some(fields) = &expect.last_control {
        findings.extend(control("last control event", fields, controls.last(), names)?);
    }
    if let Some(fields) = &expect.every_control {
        if controls.is_empty() {
            findings.push(Finding::new("control events", "at least one", "none"));
        }
        for (index, seen) in controls.iter().enumerate() {
            findings.extend(control(&format!("control event {}", index + 1), fields, Some(seen), names)?);
        }
    }
    for field in &expect.never_falls {
        findings.extend(never_falls(field, &controls));
    }
    match (expect.ended, &log.end) {
        (None, _) | (Some(Ended::Cleanly), LogEnd::Cleanly) | (Some(Ended::Open), LogEnd::Open) => {}
        (Some(wanted), end) => {
            findings.push(Finding::new("connection", wanted.description(), end.description()))
        }
    }
    Ok(findings)
}

fn only_known_names(known: &[String], log: &EventLog) -> Option<Finding> {
    let right = !log.events.is_empty() && log.events.iter().all(|event| known.contains(&event.name));
    (!right).then(|| Finding::new("events", format!("none but {}", known.join(", ")), log.names()))
}

/// A client learns from the control event how far the data before it reached.
fn pairs(log: &EventLog) -> Option<Finding> {
    let follower = |index: usize| log.events.get(index + 1).map(|event| event.name.as_str());
    let mut data = log.events.iter().enumerate().filter(|(_, event)| event.name == "data").peekable();
    let right = data.peek().is_some() && data.all(|(index, _)| follower(index) == Some("control"));
    (!right).then(|| Finding::new("events", "data events, each with a control event behind it", log.names()))
}

fn never_falls(field: &str, controls: &[BTreeMap<String, Value>]) -> Option<Finding> {
    let finding = |actual: String| {
        Some(Finding::new(format!("control events: {field}"), "integers that never fall", actual))
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
        let wanted: Vec<&str> = wanted.iter().map(name).collect();
        return Ok(vec![Finding::new("events", wanted.join(", "), log.names())]);
    }
    let mut findings = Vec::new();
    for (index, (wanted, seen)) in wanted.iter().zip(&log.events).enumerate() {
        match wanted {
            EventExpect::Data(body) => findings.extend(data(body, std::iter::once(seen), log, names)?),
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
    let joined = if log.base64 {
        decode_base64(&payloads)
    } else if matches!(wanted, BodyExpect::Json(_) | BodyExpect::JsonIncludes(_) | BodyExpect::JsonText(_)) {
        join_arrays(&payloads)
    } else {
        Ok(payloads.concat().into_bytes())
    };
    let seen = match joined {
        Ok(seen) => seen,
        Err(why) => return Ok(Some(Finding::new(SUBJECT, "payloads that decode", why))),
    };
    match wanted {
        // Server-sent events know one line end only, so what was CR or CRLF comes back as LF.
        BodyExpect::Text(text) if !log.base64 => {
            let wanted = one_line_end(&names.render(text)?);
            let same = wanted.as_bytes() == seen;
            Ok((!same).then(|| {
                Finding::new(
                    SUBJECT,
                    BodyRender(wanted.as_bytes()).to_string(),
                    BodyRender(&seen).to_string(),
                )
            }))
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
        }
    }
}
