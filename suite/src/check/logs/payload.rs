//! What the payloads of a log stream's events have to have.

use serde_json::{Map, Value};

use super::logs_events;
use crate::{
    case::LogScope,
    check::{BodyRender, EventLog, Finding, SeenEvent},
};

type Object = Map<String, Value>;

/// Names that no event of a log stream may have, and payloads that are not one line of JSON.
pub fn ill_formed(log: &EventLog) -> Option<Finding> {
    if log.events.is_empty() {
        return Some(Finding::new("events", "at least one", "none"));
    }
    log.events.iter().enumerate().find_map(|(index, event)| {
        let subject = format!("event {} ({})", index + 1, event.name);
        let wrong = |expected: &str, actual: String| {
            Some(Finding::new(subject.clone(), expected, actual).lasting_if(true))
        };
        if !matches!(event.name.as_str(), "logs" | "status" | "ping") {
            return wrong("logs, status or ping", event.name.clone());
        }
        if event.data.contains('\n') {
            return wrong("one line of data", format!("{} lines", event.data.lines().count()));
        }
        match object(event) {
            Some(_) => None,
            None => wrong("a JSON object", BodyRender(event.data.as_bytes()).to_string()),
        }
    })
}

/// The first thing that a `logs` payload lacks.
pub(super) fn incomplete(log: &EventLog, scope: LogScope) -> Option<Finding> {
    let mut lines = 0;
    for (index, event) in logs_events(log).enumerate() {
        let Some(payload) = object(event) else {
            let actual = BodyRender(event.data.as_bytes()).to_string();
            return Some(lasting(index, "payload", "a JSON object", actual));
        };
        match look_at(&payload, scope, index) {
            Ok(count) => lines += count,
            Err(finding) => return Some(finding),
        }
    }
    (lines == 0).then(|| Finding::new("logs events", "at least one line", "none"))
}

/// How many lines the payload of the logs event with that index has, or what it lacks.
fn look_at(payload: &Object, scope: LogScope, index: usize) -> Result<usize, Finding> {
    let wrong = |what: &str, expected: &str, actual: Option<&Value>| {
        Err(lasting(index, what, expected, shown(actual)))
    };
    let Some(entries) = payload.get("logs").and_then(Value::as_array) else {
        return wrong("logs", "a list", payload.get("logs"));
    };
    let Some(meta) = payload.get("meta").and_then(Value::as_object) else {
        return wrong("meta", "an object", payload.get("meta"));
    };
    let number = |field: &str| meta.get(field).and_then(Value::as_u64);
    let Some(total) = number("total_count") else {
        return wrong("meta.total_count", "a whole number", meta.get("total_count"));
    };
    let displayed = number("displayed_count");
    if displayed != Some(entries.len() as u64) {
        let expected = format!("{}, as many as there are logs", entries.len());
        return wrong("meta.displayed_count", &expected, meta.get("displayed_count"));
    }
    let Some(has_more) = meta.get("has_more").and_then(Value::as_bool) else {
        return wrong("meta.has_more", "true or false", meta.get("has_more"));
    };
    // Only the first batch says how much there is; what comes live has nothing before it that is left out.
    let is_more = total > entries.len() as u64;
    if index == 0 && total < entries.len() as u64 {
        return wrong(
            "meta.total_count",
            &format!("at least displayed_count, {}", entries.len()),
            meta.get("total_count"),
        );
    }
    if index == 0 && has_more != is_more {
        let expected = format!("{is_more}, as total_count is {total} and displayed_count {}", entries.len());
        return wrong("meta.has_more", &expected, meta.get("has_more"));
    }
    for (number, entry) in entries.iter().enumerate() {
        if let Some((field, expected)) = odd_field(entry, scope) {
            return wrong(&format!("logs[{number}].{field}"), expected, entry.get(field));
        }
    }
    Ok(entries.len())
}

/// The first field of an entry that is not as it has to be, and how it has to be.
fn odd_field(entry: &Value, scope: LogScope) -> Option<(&'static str, &'static str)> {
    let text = |field: &str| entry.get(field).and_then(Value::as_str);
    let is_whole = |field: &str| entry.get(field).is_some_and(Value::is_u64);
    if !text("timestamp").is_some_and(has_time_of_day) {
        return Some(("timestamp", "a text with a time of day such as 10:30:45"));
    }
    if !text("level").is_some_and(is_level) {
        return Some(("level", "debug, info, warn or error"));
    }
    if text("message").is_none() {
        return Some(("message", "a text"));
    }
    match scope {
        LogScope::Service => None,
        LogScope::Job if text("job_id").is_none() => Some(("job_id", "a text")),
        LogScope::Job if text("step_name").is_none() => Some(("step_name", "a text")),
        LogScope::Job if !is_whole("line_number") => Some(("line_number", "a whole number")),
        LogScope::Job => None,
    }
}

/// Whether a text has `10:30:45` in it; a date may stand before it, a fraction or an offset behind it.
fn has_time_of_day(text: &str) -> bool {
    text.as_bytes().windows(8).any(|part| {
        part.iter().enumerate().all(|(index, byte)| match index {
            2 | 5 => *byte == b':',
            _ => byte.is_ascii_digit(),
        })
    })
}

/// Levels are known in any letter case, and by the three letters that log frames print.
fn is_level(text: &str) -> bool {
    const LEVELS: [&str; 8] = ["debug", "info", "warn", "error", "dbg", "inf", "wrn", "err"];
    LEVELS.contains(&text.to_ascii_lowercase().as_str())
}

/// What a `ping` payload lacks.
pub fn odd_ping(event: &SeenEvent) -> Option<Finding> {
    let timestamp = object(event).and_then(|payload| payload.get("timestamp").cloned());
    let text = timestamp.as_ref().and_then(Value::as_str);
    let is_instant = text.is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok());
    (!is_instant).then(|| {
        let wanted = "an instant as RFC 3339 writes it";
        Finding::new("ping event: timestamp", wanted, shown(timestamp.as_ref())).lasting_if(true)
    })
}

/// What a `status` payload lacks: its job, or in the steps that it may have.
pub(super) fn odd_status(data: &str) -> Option<Finding> {
    let payload: Value = serde_json::from_str(data).unwrap_or_default();
    let lacks = |holder: Option<&Value>, fields: &[&'static str]| {
        fields
            .iter()
            .copied()
            .find(|field| !holder.and_then(|holder| holder.get(field)).is_some_and(Value::is_string))
    };
    let wrong = |what: String, actual: Option<&Value>| {
        Some(Finding::new(format!("last status event: {what}"), "a text", shown(actual)))
    };
    if let Some(field) = lacks(payload.get("job"), &["id", "status"]) {
        return wrong(format!("job.{field}"), payload.pointer(&format!("/job/{field}")));
    }
    match payload.get("steps") {
        None | Some(Value::Null) => None,
        Some(Value::Array(steps)) => steps.iter().enumerate().find_map(|(index, step)| {
            let field = lacks(Some(step), &["id", "name", "status"])?;
            wrong(format!("steps[{index}].{field}"), step.get(field))
        }),
        other => Some(Finding::new("last status event: steps", "a list", shown(other.as_ref().copied()))),
    }
}

fn object(event: &SeenEvent) -> Option<Object> {
    match serde_json::from_str(&event.data) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}

fn lasting(index: usize, what: &str, expected: &str, actual: String) -> Finding {
    Finding::new(format!("logs event {}: {what}", index + 1), expected, actual).lasting_if(true)
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None => "absent".to_owned(),
        Some(value) => BodyRender(value.to_string().as_bytes()).to_string(),
    }
}
