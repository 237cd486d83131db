//! The vectors of `fixtures/vectors` against the parsers of this server. Fuzzers begin with the same inputs.

use std::{fmt::Debug, net::SocketAddr, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body_util::Full;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use streamgauge_fixtures::{Folder, files};
use streamgauge_reference_server::{
    Config, SocketlessServer,
    core::{
        content_type::{ContentType, Format},
        cursor::{self, Intervals},
        entity_tag,
        fork::ForkHeaders,
        json_messages::flatten,
        offset::Offset,
        producer::ProducerHeaders,
        ttl::{ExpiresAt, Ttl},
    },
    logs::{LogsQuery, Scope},
    sabotage::Switches,
    subscriptions::{pattern::Pattern, webhook_url::WebhookUrl},
};
use tower::ServiceExt as _;

/// An input, and what it gives or why it is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    base64: Option<String>,
    #[serde(default)]
    gives: Value,
    #[serde(default)]
    refused: Option<String>,
}

impl Vector {
    fn bytes(&self) -> Vec<u8> {
        match (&self.text, &self.base64) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(base64)) => STANDARD.decode(base64).unwrap(),
            _ => panic!("a vector has either text or base64"),
        }
    }
}

fn vectors(name: &str) -> Vec<Vector> {
    let path = format!("fixtures/vectors/{name}.yaml");
    let file = files(Folder::Vectors).into_iter().find(|file| file.path == path);
    let text = std::str::from_utf8(file.unwrap_or_else(|| panic!("{path} is missing")).contents).unwrap();
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every vector of the file gives what it says, or is refused as it says; some do either.
fn hold<E: Debug>(name: &str, parse: impl Fn(&str) -> Result<Value, E>) {
    hold_bytes(name, |bytes| parse(std::str::from_utf8(bytes).unwrap()));
}

fn hold_bytes<E: Debug>(name: &str, parse: impl Fn(&[u8]) -> Result<Value, E>) {
    let vectors = vectors(name);
    assert!(vectors.len() > 5, "{name}");
    for vector in vectors {
        let bytes = vector.bytes();
        let shown = bytes.escape_ascii();
        match (parse(&bytes), vector.refused) {
            (Ok(given), None) => assert_eq!(given, vector.gives, "{name}: {shown}"),
            (Ok(given), Some(why)) => panic!("{name}: {shown} is to be refused ({why}), and gives {given}"),
            (Err(error), None) => panic!("{name}: {shown} is refused: {error:?}"),
            (Err(_), Some(_)) => {}
        }
    }
}

fn headers(text: &str) -> HeaderMap {
    let mut map = HeaderMap::new();
    for line in text.lines() {
        let (name, value) = line.split_once(": ").expect("name and value");
        let name: HeaderName = name.parse().unwrap();
        map.append(name, HeaderValue::from_str(value).unwrap());
    }
    map
}

#[test]
fn offsets() {
    hold("offset", |text| Offset::parse(text).map(|offset| json!(offset.position())));
}

#[test]
fn windows() {
    hold("ttl", |text| Ttl::parse(text.as_bytes()).map(|ttl| json!(ttl.seconds())));
}

#[test]
fn instants() {
    hold("expires_at", |text| {
        ExpiresAt::parse(text).map(|at| json!(at.instant().as_nanosecond().to_string()))
    });
}

#[test]
fn cursors() {
    let intervals = Intervals { length: Duration::from_secs(20), ..Intervals::default() };
    let now: Timestamp = intervals.epoch + SignedDuration::from_secs(3600);
    hold("cursor", |text| {
        let next = cursor::next(Some(text), &intervals, now, 60, Switches::NONE);
        Ok::<_, ()>(json!(next.to_string()))
    });
}

#[test]
fn producers() {
    hold("producer_headers", |text| {
        let parsed = ProducerHeaders::parse(&headers(text), Switches::NONE)?;
        let show = |producer: ProducerHeaders| {
            json!([String::from_utf8_lossy(&producer.id), producer.epoch, producer.seq])
        };
        Ok::<_, streamgauge_reference_server::core::error::Malformed>(parsed.map_or(Value::Null, show))
    });
}

#[test]
fn forks() {
    hold("fork_headers", |text| {
        let parsed = ForkHeaders::parse(&headers(text))?;
        let show =
            |fork: ForkHeaders| json!([fork.source, fork.offset.map(Offset::position), fork.sub_offset]);
        Ok::<_, streamgauge_reference_server::core::error::Malformed>(parsed.map_or(Value::Null, show))
    });
}

#[test]
fn content_types() {
    hold("content_type", |text| {
        ContentType::parse(text, Switches::NONE).map(|parsed| match parsed.format() {
            Format::Json => json!("json"),
            Format::Text => json!("text"),
            Format::Binary => json!("binary"),
        })
    });
}

#[test]
fn entity_tags() {
    hold("etag_if_none_match", |text| {
        let (opaque, header) = text.split_once('\n').expect("two lines");
        Ok::<_, ()>(json!(entity_tag::matches(header, &format!("\"{opaque}\""))))
    });
}

#[test]
fn patterns() {
    hold("glob", |text| {
        let mut lines = text.split('\n');
        let pattern = Pattern::parse(lines.next().unwrap_or_default())?;
        let matches: Vec<bool> = lines.map(|path| pattern.matches(path, Switches::NONE)).collect();
        Ok::<_, streamgauge_reference_server::subscriptions::pattern::PatternError>(json!(matches))
    });
}

#[test]
fn webhook_urls() {
    hold("webhook_url", |text| {
        WebhookUrl::parse(text, true).map(|_| match WebhookUrl::parse(text, false) {
            Ok(_) => json!("everywhere"),
            Err(_) => json!("in development"),
        })
    });
}

#[test]
fn queries_of_logs() {
    hold("logs_query", |text| {
        LogsQuery::parse(text).map(|query| {
            let scope = match &query.scope {
                Scope::Service => "service".to_owned(),
                Scope::Job(id) => format!("job:{id}"),
            };
            json!([scope, query.filter.step.as_deref(), query.filter.level, query.limit])
        })
    });
}

#[test]
fn json_bodies() {
    hold_bytes("json_body", |bytes| flatten(bytes).map(|messages| json!(messages)));
}

#[tokio::test]
async fn requests() {
    let config =
        Config { long_poll_timeout: Duration::ZERO, sse_lifetime: Duration::ZERO, ..Config::default() };
    for vector in vectors("http_request") {
        let text = vector.text.expect("requests are text");
        let server = SocketlessServer::new(config.clone(), SocketAddr::from(([127, 0, 0, 1], 4437)));
        let mut statuses = Vec::new();
        for request in text.split("\n%%\n") {
            let answer = server.service.clone().oneshot(parsed(request)).await.unwrap();
            statuses.push(answer.status().as_u16());
        }
        server.shutdown().await;
        assert_eq!(json!(statuses), vector.gives, "{text}");
    }
}

fn parsed(text: &str) -> Request<Full<Bytes>> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let (line, fields) = head.split_once('\n').unwrap_or((head, ""));
    let (method, target) = line.split_once(' ').expect("a request line");
    let mut request = Request::new(Full::from(body.to_owned()));
    *request.method_mut() = method.parse().unwrap();
    *request.uri_mut() = target.parse().unwrap();
    *request.headers_mut() = headers(fields);
    request
}
