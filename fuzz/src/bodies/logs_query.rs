//! Queries of the log stream: what is asked for is what is read, within its bounds.

use std::{collections::HashMap, sync::Arc};

use streamgauge_reference_server::logs::{Level, LogsQuery, Scope};
use url::form_urlencoded;

const NAMES: [&str; 5] = ["scope", "job_id", "step", "level", "limit"];
const LONGEST_NAME: usize = 512;

pub fn run(data: &[u8]) {
    let Ok(raw) = std::str::from_utf8(data) else { return };
    let parsed = LogsQuery::parse(raw).ok();
    let read = parsed.clone().map(|query| Meant {
        scope: query.scope,
        level: query.filter.level,
        step: query.filter.step,
        limit: query.limit,
    });
    assert_eq!(read, meant_by(raw), "{raw:?}");
    if let Some(query) = parsed {
        assert_eq!(LogsQuery::parse(&print(&query)).as_ref(), Ok(&query), "what it prints is what it is");
    }
}

#[derive(Debug, PartialEq)]
struct Meant {
    scope: Scope,
    level: Level,
    step: Option<Arc<str>>,
    limit: usize,
}

fn meant_by(raw: &str) -> Option<Meant> {
    let mut given: HashMap<String, String> = HashMap::new();
    for (name, value) in form_urlencoded::parse(raw.as_bytes()) {
        if NAMES.contains(&&*name) && given.insert(name.into_owned(), value.into_owned()).is_some() {
            return None;
        }
    }
    let get = |name: &str| given.get(name).map(String::as_str);
    let named = |name: &str| get(name).filter(|value| !value.is_empty());
    let fits = |name: &str| get(name).is_none_or(|value| value.len() <= LONGEST_NAME);
    if !fits("job_id") || !fits("step") {
        return None;
    }
    let (scope, step, most) = match get("scope")? {
        "service" => (Scope::Service, None, 500),
        "job" => (Scope::Job(named("job_id")?.into()), named("step"), 5000),
        _ => return None,
    };
    let level = match get("level").unwrap_or("info").to_ascii_lowercase().as_str() {
        "debug" | "dbg" => Level::Debug,
        "info" | "inf" => Level::Info,
        "warn" | "wrn" => Level::Warn,
        "error" | "err" => Level::Error,
        _ => return None,
    };
    let limit = count(get("limit").unwrap_or("100"))?.min(most);
    Some(Meant { scope, level, step: step.map(Arc::from), limit })
}

/// Digits that are not all zero; a number too large is as good as any above the bound.
fn count(digits: &str) -> Option<usize> {
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    let significant = digits.trim_start_matches('0');
    (is_number && !significant.is_empty()).then(|| significant.parse().unwrap_or(usize::MAX))
}

fn print(query: &LogsQuery) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    match &query.scope {
        Scope::Service => text.append_pair("scope", "service"),
        Scope::Job(id) => text.append_pair("scope", "job").append_pair("job_id", id),
    };
    if let Some(step) = &query.filter.step {
        text.append_pair("step", step);
    }
    let level = match query.filter.level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    };
    text.append_pair("level", level).append_pair("limit", &query.limit.to_string()).finish()
}
