//! HTTP Archive 1.2 of the exchanges of cases that failed or warned: one page for each case.

use std::{
    io::{self, Write},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    event::{CaseResult, CaseVerdict, RunResult},
    wire::{Exchange, Outcome, RecordedBody, RecordedHeader, RecordedRequest, RecordedResponse},
};

use super::{message, transcript::is_raw, visible, write::Context};

/// Writes the archive.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write(out: &mut dyn Write, run: &RunResult, context: Context<'_>) -> io::Result<()> {
    let began = context.finished_at - saturating(run.duration);
    let told: Vec<_> = run
        .cases
        .iter()
        .filter(|case| {
            matches!(case.verdict, CaseVerdict::Failed | CaseVerdict::Warned) && !case.exchanges.is_empty()
        })
        .collect();
    let archive = json!({
        "log": {
            "version": "1.2",
            "creator": { "name": "streamgauge", "version": env!("CARGO_PKG_VERSION") },
            "pages": told.iter().map(|case| page(case, began)).collect::<Vec<_>>(),
            "entries": told.iter().flat_map(|case| entries(case, began)).collect::<Vec<_>>(),
        }
    });
    visible::write_json(out, &archive)?;
    writeln!(out)
}

fn page(case: &CaseResult, began: Timestamp) -> Value {
    let first = case.exchanges.iter().map(|exchange| exchange.started_at).min().unwrap_or_default();
    json!({
        "id": case.id,
        "title": case.title,
        "startedDateTime": (began + saturating(first)).to_string(),
        "pageTimings": { "onLoad": milliseconds(case.duration) },
        "comment": format!("{}: {}", message::case_verdict(case.verdict), message::case_in_short(case)),
    })
}

fn entries(case: &CaseResult, began: Timestamp) -> impl Iterator<Item = Value> {
    case.exchanges.iter().map(move |exchange| entry(case, exchange, began))
}

fn entry(case: &CaseResult, exchange: &Exchange, began: Timestamp) -> Value {
    let (answer, to_head) = match &exchange.outcome {
        Outcome::Response(answer) => (response(answer), answer.to_head.min(exchange.duration)),
        Outcome::Failure(sentence) => (no_response(sentence), exchange.duration),
    };
    let version = match &exchange.outcome {
        Outcome::Response(answer) => answer.version.as_str(),
        Outcome::Failure(_) => "unknown",
    };
    json!({
        "pageref": case.id,
        "startedDateTime": (began + saturating(exchange.started_at)).to_string(),
        "time": milliseconds(exchange.duration),
        "request": request(&exchange.request, version),
        "response": answer,
        "cache": {},
        "timings": {
            "send": 0,
            "wait": milliseconds(to_head),
            "receive": milliseconds(exchange.duration - to_head),
        },
    })
}

fn request(request: &RecordedRequest, version: &str) -> Value {
    let mut shown = json!({
        "method": if is_raw(request) { message::RAW } else { &request.method },
        "url": request.url,
        "httpVersion": version,
        "cookies": [],
        "headers": headers(&request.headers),
        "queryString": query(&request.url),
        "headersSize": -1,
        "bodySize": request.body.size,
    });
    if request.body.size > 0 {
        shown["postData"] = json!({
            "mimeType": first(&request.headers, "content-type").unwrap_or_default(),
            "text": request.body.text.as_ref().or(request.body.base64.as_ref()),
            "params": [],
            "comment": body_comment(&request.body, true),
        });
    }
    shown
}

fn response(response: &RecordedResponse) -> Value {
    let mut content = json!({
        "size": response.body.size,
        "mimeType": first(&response.headers, "content-type").unwrap_or_default(),
        "comment": body_comment(&response.body, false),
    });
    if let Some(text) = &response.body.text {
        content["text"] = json!(text);
    } else if let Some(base64) = &response.body.base64 {
        content["text"] = json!(base64);
        content["encoding"] = json!("base64");
    }
    json!({
        "status": response.status,
        "statusText": "",
        "httpVersion": response.version,
        "cookies": [],
        "headers": headers(&response.headers),
        "content": content,
        "redirectURL": first(&response.headers, "location").unwrap_or_default(),
        "headersSize": -1,
        "bodySize": response.body.size,
        "comment": format!("body {}", response.ending),
    })
}

/// As browsers record a request that was never answered.
fn no_response(sentence: &str) -> Value {
    json!({
        "status": 0,
        "statusText": "",
        "httpVersion": "unknown",
        "cookies": [],
        "headers": [],
        "content": { "size": 0, "mimeType": "x-unknown" },
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
        "comment": sentence,
    })
}

fn headers(headers: &[RecordedHeader]) -> Value {
    headers.iter().map(|RecordedHeader { name, value }| json!({ "name": name, "value": value })).collect()
}

fn first<'a>(headers: &'a [RecordedHeader], name: &str) -> Option<&'a str> {
    headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.as_str())
}

fn query(url: &str) -> Value {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    url::form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect()
}

/// What a reader has to know of a body: requests have no field for an encoding, and bodies may be cut.
fn body_comment(body: &RecordedBody, name_encoding: bool) -> String {
    let encoding = (name_encoding && body.base64.is_some()).then(|| "in base64".to_owned());
    let cut = (body.shown < body.size).then(|| message::body_cut(body.shown, body.size));
    encoding.into_iter().chain(cut).collect::<Vec<_>>().join("; ")
}

fn saturating(duration: Duration) -> jiff::SignedDuration {
    jiff::SignedDuration::try_from(duration).unwrap_or(jiff::SignedDuration::ZERO)
}

/// With three decimals.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn archive(run: &RunResult) -> Value {
        let mut out = Vec::new();
        write(&mut out, run, sample::context()).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn every_exchange_of_a_failed_case_has_its_entry() {
        let archive = archive(&sample::troubled());
        let log = &archive["log"];
        let count = |list: &str| log[list].as_array().unwrap().len();
        assert_eq!((count("pages"), count("entries")), (5, 8));
        for entry in log["entries"].as_array().unwrap() {
            let timings = &entry["timings"];
            let sum: f64 =
                ["send", "wait", "receive"].iter().map(|part| timings[part].as_f64().unwrap()).sum();
            assert!((sum - entry["time"].as_f64().unwrap()).abs() < 0.002, "{entry}");
        }
    }

    #[test]
    fn an_entry_in_full() {
        let mut archive = archive(&sample::troubled());
        archive["log"]["creator"]["version"] = json!("VERSION");
        for list in ["pages", "entries"] {
            archive["log"][list].as_array_mut().unwrap().truncate(1);
        }
        insta::assert_snapshot!(serde_json::to_string_pretty(&archive).unwrap());
    }
}
