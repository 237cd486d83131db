//! A log stream against an expectation.

mod payload;

pub use payload::{ill_formed, odd_ping};

use std::time::Instant;

use serde_json::Value;

use super::{BodyRender, EventLog, Finding, LogEnd, Names, SeenEvent, body};
use crate::case::{LogsExpect, Template, Unbound};

/// A line of the case, as a log stream carried it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenLine {
    /// The message, without the case's mark.
    pub message: String,
    /// Which of the `logs` events carried it, from 0.
    pub event: usize,
    pub at: Instant,
}

/// The `logs` events of an event stream, in order.
pub fn logs_events(log: &EventLog) -> impl Iterator<Item = &SeenEvent> {
    log.named("logs")
}

/// The case's own lines, in order: those whose message begins with its mark.
pub fn own_lines(log: &EventLog, mark: &str) -> Vec<SeenLine> {
    let mut lines = Vec::new();
    for (index, event) in logs_events(log).enumerate() {
        let payload: Value = serde_json::from_str(&event.data).unwrap_or_default();
        for entry in payload.get("logs").and_then(Value::as_array).into_iter().flatten() {
            let message = entry.get("message").and_then(Value::as_str);
            if let Some(message) = message.and_then(|message| own_message(message, mark)) {
                lines.push(SeenLine { message: message.to_owned(), event: index, at: event.at });
            }
        }
    }
    lines
}

/// The message as the case wrote it, where it is one of the case's.
fn own_message<'a>(message: &'a str, mark: &str) -> Option<&'a str> {
    message.strip_prefix(mark)?.strip_prefix(' ')
}

/// Everything that the expectation demands and the log stream lacks so far. `cells` knows the cells of the case's
/// table that are left out.
pub fn logs(
    expect: &LogsExpect,
    log: &EventLog,
    mark: &str,
    names: &dyn Names,
    is_left_out: impl Fn(&Template) -> bool,
) -> Result<Vec<Finding>, Unbound> {
    let lines = own_lines(log, mark);
    let render = |templates: &[Template]| -> Result<Vec<String>, Unbound> {
        let wanted = templates.iter().filter(|template| !is_left_out(template));
        wanted.map(|template| names.render(template)).collect()
    };
    let mut findings = Vec::new();
    if expect.well_formed {
        findings.extend(ill_formed(log));
    }
    if let LogEnd::Malformed(why) = &log.end {
        let finding = Finding::new("event stream", "the grammar of server-sent events", why.clone());
        findings.push(finding.lasting_if(true));
    }
    if let Some(scope) = expect.payloads {
        findings.extend(payload::incomplete(log, scope));
    }
    if let Some(wanted) = &expect.lines {
        let seen: Vec<&str> = lines.iter().map(|line| line.message.as_str()).collect();
        findings.extend(same_lines("lines", &render(wanted)?, &seen, false));
    }
    if let Some(wanted) = &expect.last_line {
        let wanted = names.render(wanted)?;
        let seen = lines.last().map(|line| line.message.as_str());
        let finding = || Finding::new("last line", listed(&[&wanted]), listed(seen.as_slice()));
        findings.extend((seen != Some(wanted.as_str())).then(finding));
    }
    if let Some(wanted) = &expect.first_lines {
        let seen: Vec<&str> =
            lines.iter().filter(|line| line.event == 0).map(|line| line.message.as_str()).collect();
        let has_begun = logs_events(log).next().is_some();
        findings.extend(same_lines("lines of the first logs event", &render(wanted)?, &seen, has_begun));
    }
    if let Some(wanted) = &expect.first_count {
        findings.extend(first_count(&names.render(wanted)?, log));
    }
    if let Some(wanted) = expect.statuses {
        let seen = statuses(log).count();
        let finding = || Finding::new("status events", wanted.to_string(), seen.to_string());
        findings.extend((seen != wanted).then(|| finding().lasting_if(seen > wanted)));
    }
    if let Some(wanted) = &expect.last_status {
        match statuses(log).last() {
            Some(event) => {
                findings.extend(payload::odd_status(&event.data));
                findings.extend(body::body("last status event", wanted, event.data.as_bytes(), names)?);
            }
            None => findings.push(Finding::new("last status event", "one", "none")),
        }
    }
    Ok(findings)
}

fn statuses(log: &EventLog) -> impl Iterator<Item = &SeenEvent> {
    log.named("status")
}

fn same_lines(subject: &str, wanted: &[String], seen: &[&str], is_whole: bool) -> Option<Finding> {
    let differs = wanted.len() != seen.len() || wanted.iter().zip(seen).any(|(wanted, seen)| wanted != seen);
    let may_become_right = !is_whole
        && wanted.len() >= seen.len()
        && seen.iter().zip(wanted).all(|(seen, wanted)| seen == wanted);
    differs.then(|| Finding::new(subject, listed(wanted), listed(seen)).lasting_if(!may_become_right))
}

fn first_count(wanted: &str, log: &EventLog) -> Option<Finding> {
    const SUBJECT: &str = "number of lines in the first logs event";
    let Some(first) = logs_events(log).next() else {
        return Some(Finding::new(SUBJECT, wanted, "no logs event"));
    };
    let payload: Value = serde_json::from_str(&first.data).unwrap_or_default();
    let seen = match payload.get("logs").and_then(Value::as_array) {
        Some(lines) => lines.len().to_string(),
        None => format!("no list of logs in {}", BodyRender(first.data.as_bytes())),
    };
    (seen != wanted).then(|| Finding::new(SUBJECT, wanted, seen).lasting_if(true))
}

/// A list for people, shortened where it is long.
fn listed<T: AsRef<str>>(lines: &[T]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<String> =
        lines.iter().take(SHOWN).map(|line| BodyRender(line.as_ref().as_bytes()).to_string()).collect();
    match lines.len() {
        0 => "none".to_owned(),
        many if many > SHOWN => format!("{}, ... ({many} in all)", shown.join(", ")),
        _ => shown.join(", "),
    }
}

#[cfg(test)]
mod tests;
