//! Runs made by hand, on which the reports are tried.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::{
    event::{CaseResult, CaseVerdict, Event, Mismatch, RuleResult, RuleVerdict, RunResult, SkipReason},
    fixture::Place,
    rule::{Judgement, RuleId},
    wire::{Exchange, Outcome, RecordedBody, RecordedHeader, RecordedRequest, RecordedResponse},
};

use super::{standard::Standard, write::Context};

const ROOT: &str = "http://127.0.0.1:4437/v1/stream";

/// The usual measure.
pub(crate) fn standard() -> Standard<'static> {
    Standard { fail_on: Judgement::Error, known: None }
}

/// The usual measure, and the beginning of the epoch for an end.
pub(crate) fn context() -> Context<'static> {
    Context { standard: standard(), finished_at: jiff::Timestamp::UNIX_EPOCH }
}

/// A measure by which warnings fail, too.
pub(crate) fn strict() -> Standard<'static> {
    Standard { fail_on: Judgement::Warning, known: None }
}

/// One rule broken in three cases, another in one of them; a warning, a note, and every way not to be checked.
pub(crate) fn troubled() -> RunResult {
    run(
        vec![
            broken_status("creates-a-stream", 12, 2_100),
            broken_twice(),
            broken_status("create-with-a-body", 40, 1_800),
            torn_event_stream(),
            warned(),
            noted(),
            passed("head-tells-the-tail", "head.next-offset", 9),
            blocked("fork-at-the-tail", "fork.new-201", 1),
            blocked("fork-at-zero", "fork.new-201", 14),
            blocked("fork-of-a-fork", "fork.new-201", 29),
            blocked("fork-twice", "fork.new-201", 41),
            stage_of_its_own(),
            skipped("log-levels", "logs.levels", SkipReason::NotClaimed("logs".to_owned())),
            skipped(
                "an-hour-of-silence",
                "ttl.expires-404",
                SkipReason::TooSlow("it needs 65 s, --max-wait is 40 s".to_owned()),
            ),
            skipped("reads-in-pages", "read.pages", SkipReason::Filtered),
            errored(),
        ],
        vec![
            rule("closure.append-409", Judgement::Error, RuleVerdict::NotChecked, &["close-stays-closed"]),
            rule(
                "create.location-201",
                Judgement::Warning,
                RuleVerdict::Warned,
                &["location-of-a-new-stream"],
            ),
            rule(
                "create.new-201",
                Judgement::Error,
                RuleVerdict::Broken,
                &["create-with-a-body", "creates-a-stream", "put-names-the-tail"],
            ),
            rule(
                "create.response-next-offset",
                Judgement::Error,
                RuleVerdict::Broken,
                &["put-names-the-tail"],
            ),
            rule(
                "fork.new-201",
                Judgement::Error,
                RuleVerdict::NotChecked,
                &["fork-at-the-tail", "fork-at-zero", "fork-of-a-fork", "fork-twice"],
            ),
            in_part(rule(
                "head.next-offset",
                Judgement::Error,
                RuleVerdict::Proven,
                &["close-stays-closed", "head-tells-the-tail"],
            )),
            rule("logs.levels", Judgement::Error, RuleVerdict::NotClaimed, &["log-levels"]),
            rule("offset.opaque", Judgement::Error, RuleVerdict::NotObservable, &[]),
            rule("read.pages", Judgement::Error, RuleVerdict::NotChecked, &["reads-in-pages"]),
            rule("read.page-size", Judgement::Note, RuleVerdict::Warned, &["pages-have-a-size"]),
            rule(
                "sse.close-final-control",
                Judgement::Error,
                RuleVerdict::Broken,
                &["the-last-event-says-closed"],
            ),
            rule("ttl.expires-404", Judgement::Error, RuleVerdict::NotChecked, &["an-hour-of-silence"]),
        ],
    )
}

/// Everything passed.
pub(crate) fn clean() -> RunResult {
    run(
        vec![
            passed("creates-a-stream", "create.new-201", 12),
            passed("head-tells-the-tail", "head.next-offset", 9),
        ],
        vec![
            rule("create.new-201", Judgement::Error, RuleVerdict::Proven, &["creates-a-stream"]),
            rule("head.next-offset", Judgement::Error, RuleVerdict::Proven, &["head-tells-the-tail"]),
        ],
    )
}

/// One warning, and nothing worse.
pub(crate) fn warned_only() -> RunResult {
    run(
        vec![warned()],
        vec![rule(
            "create.location-201",
            Judgement::Warning,
            RuleVerdict::Warned,
            &["location-of-a-new-stream"],
        )],
    )
}

/// Nobody answered.
pub(crate) fn unusable() -> RunResult {
    let mut run = run(vec![], vec![rule("create.new-201", Judgement::Error, RuleVerdict::NotChecked, &[])]);
    run.unusable = Some("nothing listens on http://127.0.0.1:4437: the connection was refused".to_owned());
    run
}

/// A target that tries to reach through the report.
pub(crate) fn hostile() -> RunResult {
    let mut case = broken_status("creates-a-stream", 12, 2_100);
    let evil = "\u{1b}[2J\u{1b}]0;owned\u{7}</script><script>alert(1)</script>\u{202e}]]>`|@";
    case.mismatches[0].actual = evil.to_owned();
    let exchange = &mut case.exchanges[0];
    exchange.request.headers.push(header("X-Echo", "it's \u{1b}[31m $(reboot)"));
    exchange.outcome = Outcome::Response(RecordedResponse {
        headers: vec![header("X-Evil", evil)],
        body: text(&format!("{evil}\nsecond line\r\n::error::third\nnot ok 1\n")),
        ..response(200, 900)
    });
    run(
        vec![case],
        vec![rule("create.new-201", Judgement::Error, RuleVerdict::Broken, &["creates-a-stream"])],
    )
}

/// The story of [`troubled`].
pub(crate) fn events() -> Vec<Event> {
    let run = troubled();
    let mut events =
        vec![Event::RunStarted { target: run.target.clone(), cases: run.cases.len(), seed: run.seed }];
    events.push(Event::Remark("HTTP/2 was asked for; the target answered with HTTP/1.1".to_owned()));
    for case in &run.cases {
        events.push(Event::CaseStarted { id: case.id.clone() });
        events.push(Event::CaseFinished(Box::new(case.clone())));
    }
    events.push(Event::RunFinished(Box::new(run)));
    events
}

fn run(cases: Vec<CaseResult>, rules: Vec<RuleResult>) -> RunResult {
    RunResult {
        target: ROOT.to_owned(),
        seed: 42,
        duration: Duration::from_millis(4_130),
        cases,
        elsewhere: vec![],
        rules,
        unusable: None,
        shard: None,
        repeats: None,
    }
}

fn rule(id: &str, judged: Judgement, verdict: RuleVerdict, cases: &[&str]) -> RuleResult {
    let (statement, section) = match id {
        "create.new-201" => ("PUT to an unused URL creates the stream and answers 201.", "5.1"),
        "create.response-next-offset" => {
            ("201 and 200 carry Stream-Next-Offset, the tail after any initial content.", "5.1")
        }
        "create.location-201" => ("201 should carry a Location equal to the stream URL.", "5.1"),
        "sse.close-final-control" => (
            "When the stream is closed and all data was sent, the last event is a control event with \
             streamClosed true & no streamCursor; <after> it the server ends the connection.",
            "5.8",
        ),
        _ => ("A rule that this sample needs no words for.", "4"),
    };
    let reason = match verdict {
        RuleVerdict::NotClaimed => Some("not claimed: logs".to_owned()),
        RuleVerdict::NotChecked => Some("no case of it came to a verdict".to_owned()),
        RuleVerdict::NotObservable => Some("nothing on the wire tells of it".to_owned()),
        _ => None,
    };
    RuleResult {
        id: RuleId::new(id),
        section: section.to_owned(),
        level: if judged == Judgement::Error { "MUST" } else { "SHOULD" }.to_owned(),
        judged,
        statement: statement.to_owned(),
        verdict,
        reason,
        cases: cases.iter().map(|&id| id.to_owned()).collect(),
        cases_not_checked: if verdict == RuleVerdict::NotChecked { cases.len() } else { 0 },
    }
}

/// Proven by one of two cases.
fn in_part(mut rule: RuleResult) -> RuleResult {
    rule.reason = Some("1 of its 2 cases was not checked: blocked: the stage could not be set".to_owned());
    rule.cases_not_checked = 1;
    rule
}

fn case(id: &str, title: &str, proves: &str, line: u64, verdict: CaseVerdict) -> CaseResult {
    let area = proves.split('.').next().unwrap_or_default();
    CaseResult {
        id: id.to_owned(),
        title: title.to_owned(),
        place: place(area, line),
        proves: vec![RuleId::new(proves)],
        verdict,
        duration: Duration::from_micros(3_400),
        reason: None,
        blocked_by: None,
        skip: None,
        mismatches: vec![],
        exchanges: vec![],
        attempts: 1,
        waited_for: None,
    }
}

fn broken_status(id: &str, line: u64, micros: u64) -> CaseResult {
    let mut case =
        case(id, "A PUT to an unused URL is answered 201.", "create.new-201", line, CaseVerdict::Failed);
    case.mismatches = vec![mismatch(&["create.new-201"], line + 5, "status", "201", "200", Some(0))];
    case.exchanges = vec![Exchange {
        request: request("PUT", "/8f1c", &[("Content-Type", "text/plain")], text("hello")),
        outcome: Outcome::Response(RecordedResponse {
            headers: vec![header("content-type", "text/plain"), header("Stream-Next-Offset", "0000_0005")],
            ..response(200, micros)
        }),
        ..exchange(120, micros)
    }];
    case
}

fn broken_twice() -> CaseResult {
    let mut case = broken_status("put-names-the-tail", 26, 2_400);
    case.title = "A PUT names the tail of the new stream.".to_owned();
    case.proves = vec![RuleId::new("create.response-next-offset")];
    case.mismatches.push(mismatch(
        &["create.response-next-offset"],
        33,
        "header Stream-Next-Offset",
        "the Stream-Next-Offset of the HEAD before",
        "0000_0005",
        Some(1),
    ));
    case.exchanges.push(Exchange {
        request: request("HEAD", "/8f1c?x=[1]", &[("Authorization", "[withheld]")], RecordedBody::default()),
        outcome: Outcome::Response(RecordedResponse { version: "HTTP/2".to_owned(), ..response(200, 700) }),
        ..exchange(124, 800)
    });
    case
}

fn torn_event_stream() -> CaseResult {
    let id = "the-last-event-says-closed";
    let mut case = case(
        id,
        "A closing append is delivered and announced, then the connection ends.",
        "sse.close-final-control",
        88,
        CaseVerdict::Failed,
    );
    case.attempts = 2;
    case.duration = Duration::from_millis(1_240);
    case.waited_for = Some("the end of the event stream".to_owned());
    case.mismatches = vec![
        mismatch(
            &["sse.close-final-control"],
            101,
            "last control",
            "streamClosed: true",
            "{\"streamNextOffset\":\"0000_0003\",\n \"upToDate\":true}",
            Some(2),
        ),
        mismatch(
            &["sse.close-final-control"],
            102,
            "end of the event stream",
            "a clean end within 1 s",
            "torn: the connection broke",
            None,
        ),
    ];
    let events = "event: data\r\ndata: bye\r\n\r\nevent: control\r\ndata: {\"streamNextOffset\":\"0000_0003\",\"upToDate\":true}\r\n\r\n";
    case.exchanges = vec![
        Exchange {
            request: request(
                "PUT",
                "/77aa",
                &[("Content-Type", "text/plain"), ("Content-Length", "0")],
                RecordedBody::default(),
            ),
            outcome: Outcome::Response(response(201, 900)),
            ..exchange(400, 950)
        },
        Exchange {
            request: request(
                "POST",
                "/77aa",
                &[("Content-Type", "text/plain"), ("Stream-Closed", "true"), ("X-Empty", "")],
                text("bye\n50% 'off'"),
            ),
            outcome: Outcome::Response(response(204, 800)),
            ..exchange(402, 850)
        },
        Exchange {
            request: request(
                "GET",
                "/77aa?offset=-1&live=sse",
                &[("Accept", "text/event-stream")],
                RecordedBody::default(),
            ),
            outcome: Outcome::Response(RecordedResponse {
                headers: vec![header("Content-Type", "text/event-stream")],
                body: text(events),
                complete: false,
                ending: "torn: the connection was closed inside a chunk".to_owned(),
                ..response(200, 1_100)
            }),
            ..exchange(401, 1_020_000)
        },
    ];
    case
}

fn warned() -> CaseResult {
    let mut case = case(
        "location-of-a-new-stream",
        "A 201 names the URL of the new stream.",
        "create.location-201",
        60,
        CaseVerdict::Warned,
    );
    case.mismatches = vec![Mismatch {
        weight: Judgement::Warning,
        ..mismatch(&["create.location-201"], 66, "header Location", "/v1/stream/9d0e", "absent", Some(0))
    }];
    case.exchanges = vec![Exchange {
        request: request("PUT", "/9d0e", &[], binary(&[0, 159, 146, 150, 10], 5)),
        outcome: Outcome::Response(response(201, 1_000)),
        ..exchange(130, 1_050)
    }];
    case
}

fn noted() -> CaseResult {
    let mut case =
        case("pages-have-a-size", "A long read comes in pages.", "read.page-size", 70, CaseVerdict::Passed);
    case.mismatches = vec![Mismatch {
        weight: Judgement::Note,
        ..mismatch(&["read.page-size"], 77, "body", "any size", "65536 bytes a page", Some(0))
    }];
    case.exchanges = vec![Exchange {
        request: request("GET", "/5b5b?offset=-1", &[], RecordedBody::default()),
        outcome: Outcome::Response(RecordedResponse {
            body: RecordedBody { size: 65_536, ..text(&"abcdefg\n".repeat(40)) },
            ..response(200, 1_500)
        }),
        ..exchange(133, 2_000)
    }];
    case
}

fn passed(id: &str, proves: &str, line: u64) -> CaseResult {
    let mut case = case(id, "All is as it should be.", proves, line, CaseVerdict::Passed);
    case.exchanges = vec![Exchange {
        request: request("HEAD", "/1c1c", &[], RecordedBody::default()),
        outcome: Outcome::Response(response(200, 600)),
        ..exchange(90, 640)
    }];
    case
}

fn blocked(id: &str, proves: &str, line: u64) -> CaseResult {
    CaseResult {
        reason: Some("the stage needs create.new-201: status: expected 201, got 200".to_owned()),
        blocked_by: Some(RuleId::new("create.new-201")),
        ..case(id, "A fork holds what its source held.", proves, line, CaseVerdict::Blocked)
    }
}

/// Blocked by a rule that no case accuses.
fn stage_of_its_own() -> CaseResult {
    let mut case = case(
        "close-stays-closed",
        "A closed stream takes nothing more.",
        "closure.append-409",
        5,
        CaseVerdict::Blocked,
    );
    case.reason = Some("the stage could not be set".to_owned());
    case.blocked_by = Some(RuleId::new("append.status-204"));
    case.mismatches = vec![mismatch(&["append.status-204"], 9, "status", "200 or 204", "no answer", Some(0))];
    case.exchanges = vec![Exchange {
        request: request(
            "POST",
            "/2e2e",
            &[("Content-Type", "text/plain")],
            RecordedBody { size: 1_048_576, ..text("aaaaaaaaaaaaaaaa") },
        ),
        outcome: Outcome::Failure("no answer within 5.000 s".to_owned()),
        ..exchange(200, 5_000_000)
    }];
    case
}

fn skipped(id: &str, proves: &str, skip: SkipReason) -> CaseResult {
    CaseResult {
        duration: Duration::ZERO,
        reason: Some("it was not run".to_owned()),
        skip: Some(skip),
        ..case(id, "This one was not run.", proves, 3, CaseVerdict::Skipped)
    }
}

fn errored() -> CaseResult {
    CaseResult {
        reason: Some("the webhook receiver could not be started: address in use".to_owned()),
        ..case("wakes-a-webhook", "An append wakes the webhook.", "webhook.wakes", 15, CaseVerdict::Errored)
    }
}

fn mismatch(
    rules: &[&str],
    line: u64,
    subject: &str,
    expected: &str,
    actual: &str,
    exchange: Option<usize>,
) -> Mismatch {
    Mismatch {
        rules: rules.iter().map(|&id| RuleId::new(id)).collect(),
        weight: Judgement::Error,
        place: place(rules[0].split('.').next().unwrap_or_default(), line),
        subject: subject.to_owned(),
        expected: expected.to_owned(),
        actual: actual.to_owned(),
        exchange,
    }
}

fn place(area: &str, line: u64) -> Place {
    Place { file: format!("fixtures/cases/{area}.yaml"), line }
}

fn exchange(started_ms: u64, micros: u64) -> Exchange {
    Exchange {
        started_at: Duration::from_millis(started_ms),
        duration: Duration::from_micros(micros),
        request: request("GET", "/", &[], RecordedBody::default()),
        outcome: Outcome::Failure("nothing came".to_owned()),
    }
}

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: RecordedBody) -> RecordedRequest {
    let mut all = vec![header("Host", "127.0.0.1:4437")];
    all.extend(headers.iter().map(|(name, value)| header(name, value)));
    all.push(header("User-Agent", "streamgauge/0.1.0"));
    if !headers.iter().any(|(name, _)| *name == "Accept") {
        all.push(header("Accept", "*/*"));
    }
    if body.size > 0 {
        all.push(header("Content-Length", &body.size.to_string()));
    }
    RecordedRequest { method: method.to_owned(), url: format!("{ROOT}{path}"), headers: all, body }
}

fn response(status: u16, micros_to_head: u64) -> RecordedResponse {
    RecordedResponse {
        version: "HTTP/1.1".to_owned(),
        status,
        headers: vec![header("Date", "Thu, 01 Jan 2026 00:00:00 GMT")],
        body: RecordedBody::default(),
        complete: true,
        ending: "ended as announced".to_owned(),
        to_head: Duration::from_micros(micros_to_head),
    }
}

fn header(name: &str, value: &str) -> RecordedHeader {
    RecordedHeader { name: name.to_owned(), value: value.to_owned() }
}

fn text(text: &str) -> RecordedBody {
    RecordedBody { size: text.len(), shown: text.len(), text: Some(text.to_owned()), base64: None }
}

fn binary(bytes: &[u8], size: usize) -> RecordedBody {
    RecordedBody { size, shown: bytes.len(), text: None, base64: Some(BASE64_STANDARD.encode(bytes)) }
}
