//! A response against an expectation.

use std::time::Duration;

use bytes::Bytes;
use url::Url;

use super::{Finding, Names, SeenValue, body, check_value, value::media_type};
use crate::{
    case::{Expect, Matcher, Matchers, StatusExpect, Unbound},
    wire::{Ending, Headers},
};

/// A response as a check needs it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub status: u16,
    pub headers: Headers,
    pub body: Bytes,
    pub ending: Ending,
    /// From the sending of the request to the end of the body, or to the head of an event stream.
    pub elapsed: Duration,
    /// What the request asked for, to resolve references against.
    pub url: Option<Url>,
}

impl Seen {
    /// Whether the response is of a JSON stream.
    pub fn is_json(&self) -> bool {
        self.headers.text("Content-Type").is_some_and(|text| media_type(&text) == "application/json")
    }

    /// Whether the response is an event stream, which has no end to wait for.
    pub fn is_event_stream(&self) -> bool {
        self.headers.text("Content-Type").is_some_and(|text| media_type(&text) == "text/event-stream")
    }
}

/// Everything that the expectation demands and the response lacks.
pub fn response(expect: &Expect, seen: &Seen, names: &dyn Names) -> Result<Vec<Finding>, Unbound> {
    let mut findings = Vec::new();
    if let Some(status) = &expect.status {
        let wanted = match status.resolve(|template| names.render(template)) {
            Ok(wanted) => wanted,
            Err(_) => StatusExpect::OneOf(Vec::new()),
        };
        if !wanted.accepts(seen.status) {
            findings.push(Finding::new("status", wanted.to_string(), seen.status.to_string()));
        }
    }
    for (name, matchers) in &expect.headers {
        let values = header(seen, name);
        findings.extend(check_value(&format!("header {name}"), matchers, &values, seen.url.as_ref(), names)?);
    }
    for name in &expect.present {
        findings.extend(demand(seen, name, Matcher::Present, names)?);
    }
    for name in &expect.absent {
        findings.extend(demand(seen, name, Matcher::Absent, names)?);
    }
    if let Some(wanted) = &expect.media_type {
        findings.extend(demand(seen, "Content-Type", Matcher::MediaType(wanted.clone()), names)?);
    }
    findings.extend(body_findings(expect, seen, names)?);
    if let Some(within) = expect.within
        && seen.elapsed > within.0
    {
        let mut late =
            Finding::new("time to answer", format!("within {:?}", within.0), format!("{:.0?}", seen.elapsed));
        // A wrong answer that also came late is wrong; only a right one can be excused by slowness.
        late.late = findings.is_empty();
        findings.push(late);
    }
    Ok(findings)
}

fn body_findings(expect: &Expect, seen: &Seen, names: &dyn Names) -> Result<Option<Finding>, Unbound> {
    let whole = seen.ending.is_clean();
    match &expect.body {
        Some(wanted) if whole => body::body("body", wanted, &seen.body, names),
        Some(_) => Ok(Some(Finding::new("body", "a whole body", seen.ending.to_string()))),
        None if whole || seen.is_event_stream() => Ok(None),
        None => Ok(Some(Finding::new("response", "a whole response", seen.ending.to_string()))),
    }
}

fn demand(seen: &Seen, name: &str, matcher: Matcher, names: &dyn Names) -> Result<Vec<Finding>, Unbound> {
    check_value(
        &format!("header {name}"),
        &Matchers(vec![matcher]),
        &header(seen, name),
        seen.url.as_ref(),
        names,
    )
}

fn header(seen: &Seen, name: &str) -> Vec<SeenValue> {
    seen.headers.all(name).map(|value| SeenValue::Text(String::from_utf8_lossy(value).into_owned())).collect()
}
