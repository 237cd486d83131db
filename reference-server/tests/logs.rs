//! The log-stream endpoint as a client sees it. Time is virtual: it jumps to the next timer
//! whenever nothing else is left to do.

mod support;

use std::time::Duration;

use axum::Router;
use http::{Request, StatusCode, header};
use serde_json::{Value, json};
use streamgauge_reference_server::logs::{self, LogsConfig};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use support::{Events, get, json_of, messages, post_json, put_json, send};

fn router() -> Router {
    router_with(LogsConfig::default())
}

fn router_with(config: LogsConfig) -> Router {
    logs::router(config, CancellationToken::new())
}

async fn log(router: &Router, entries: Value) {
    let response = post_json(router, "/api/logs", entries.to_string()).await;
    assert_eq!(response.status(), StatusCode::OK, "{entries}");
}

fn numbered(from: usize, to: usize, job: Option<&str>) -> Value {
    let entry = |n: usize| match job {
        Some(id) => json!({"level": "info", "message": n.to_string(), "job_id": id}),
        None => json!({"level": "info", "message": n.to_string()}),
    };
    (from..to).map(entry).collect()
}

fn numbers(from: usize, to: usize) -> Vec<String> {
    (from..to).map(|n| n.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn headers_and_an_empty_first_batch_come_at_once() {
    let router = router();
    for query in ["scope=service", "scope=job&job_id=7"] {
        let opened = Instant::now();
        let response = get(&router, &format!("/api/logs/stream?{query}")).await;
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-cache");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        let first = Events::open(&router, query).await.next().await.unwrap();
        assert_eq!(first.name, "logs");
        assert_eq!(
            first.data,
            json!({"logs": [], "meta":
                {"total_count": 0, "displayed_count": 0, "has_more": false, "dropped": 0}})
        );
        assert_eq!(opened.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn nonsense_is_refused_with_a_problem() {
    let router = router();
    for query in [
        "",
        "scope=",
        "scope=all",
        "scope=job",
        "scope=job&job_id=",
        "scope=service&level=loud",
        "scope=service&limit=0",
        "scope=service&limit=-1",
        "scope=service&limit=ten",
    ] {
        for path in ["/api/logs/stream", "/api/logs"] {
            let response = get(&router, &format!("{path}?{query}")).await;
            assert_problem(response, StatusCode::BAD_REQUEST, query).await;
        }
    }
    for body in [
        "",
        "nonsense",
        "7",
        "{}",
        "[7]",
        r#"{"level":"info"}"#,
        r#"{"message":"x"}"#,
        r#"{"level":"loud","message":"x"}"#,
        r#"{"level":"info","message":7}"#,
        r#"{"level":"info","message":"x","job_id":""}"#,
        r#"{"level":"info","message":"x","step_name":"build"}"#,
        r#"{"level":"info","message":"x","mesage":"y"}"#,
        r#"[{"level":"info","message":"taken?"},{"level":"loud","message":"x"}]"#,
        "[{\"level\":\"info\",\"message\":\"\u{fffd}",
        "{\"level\":\"info\",\"message\":\"a\nb\"}",
    ] {
        let response = post_json(&router, "/api/logs", body).await;
        assert_problem(response, StatusCode::BAD_REQUEST, body).await;
    }
    for body in ["", "{}", r#"{"status":""}"#, r#"{"status":"x","steps":[{"id":"1"}]}"#] {
        let response = put_json(&router, "/api/jobs/1/status", body).await;
        assert_problem(response, StatusCode::BAD_REQUEST, body).await;
    }
    let untyped = Request::post("/api/logs").body(r#"{"level":"info","message":"x"}"#.into());
    let response = send(&router, untyped).await;
    assert_problem(response, StatusCode::UNSUPPORTED_MEDIA_TYPE, "no content type").await;
    assert_problem(get(&router, "/api/jobs/1/status").await, StatusCode::NOT_FOUND, "").await;
    let nothing = json_of(get(&router, "/api/logs?scope=service&level=debug").await).await;
    assert_eq!(nothing["logs"], json!([]), "an array with a bad entry is not taken in part");
}

async fn assert_problem(response: axum::response::Response, status: StatusCode, of: &str) {
    assert_eq!(response.status(), status, "{of}");
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json", "{of}");
    let problem = json_of(response).await;
    assert_eq!(problem["status"], status.as_u16(), "{of}");
    assert!(problem["detail"].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
}

#[tokio::test(start_paused = true)]
async fn too_much_at_once_is_refused() {
    let router = router_with(LogsConfig { max_body_bytes: 100, max_readers: 1, ..LogsConfig::default() });
    let response = post_json(&router, "/api/logs", " ".repeat(101)).await;
    assert_problem(response, StatusCode::PAYLOAD_TOO_LARGE, "body").await;
    let reader = Events::open(&router, "scope=service").await;
    let response = get(&router, "/api/logs/stream?scope=service").await;
    assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    assert_problem(response, StatusCode::SERVICE_UNAVAILABLE, "readers").await;
    drop(reader);
    Events::open(&router, "scope=service").await;
}

#[tokio::test(start_paused = true)]
async fn the_first_batch_is_the_newest_within_the_limit_and_live_entries_follow() {
    let router = router();
    log(&router, numbered(0, 600, None)).await;
    log(&router, numbered(0, 5_100, Some("7"))).await;
    for (scope, limit, count, total) in [
        ("scope=service", "", 100, 600),
        ("scope=service", "&limit=10", 10, 600),
        ("scope=service", "&limit=99999", 500, 600),
        ("scope=job&job_id=7", "", 100, 5_100),
        ("scope=job&job_id=7", "&limit=99999", 5_000, 5_100),
    ] {
        let query = format!("{scope}{limit}");
        let first = Events::open(&router, &query).await.next().await.unwrap().data;
        assert_eq!(messages(&first), numbers(total - count, total), "{query}");
        let meta = json!({"total_count": total, "displayed_count": count, "has_more": true, "dropped": 0});
        assert_eq!(first["meta"], meta, "{query}");
        let polled = json_of(get(&router, &format!("/api/logs?{query}")).await).await;
        assert_eq!(polled, first, "{query}");
    }
    let mut reader = Events::open(&router, "scope=service&limit=1").await;
    assert_eq!(reader.next_messages().await, ["599"]);
    log(&router, numbered(600, 650, None)).await;
    assert_eq!(reader.next_messages().await, numbers(600, 650));
}

#[tokio::test(start_paused = true)]
async fn entries_of_a_job_have_its_fields_and_those_of_the_service_do_not() {
    let router = router();
    log(
        &router,
        json!({"level": "WRN", "message": "<b>\nevent: logs", "job_id": "7",
        "step_name": "build", "line_number": 41}),
    )
    .await;
    log(&router, json!({"level": "info", "message": "ready"})).await;
    let of_job = Events::open(&router, "scope=job&job_id=7").await.next().await.unwrap().data;
    let entry = &of_job["logs"][0];
    assert_eq!(entry["level"], "warn");
    assert_eq!(entry["message"], "<b>\nevent: logs");
    assert_eq!(entry["job_id"], "7");
    assert_eq!(entry["step_name"], "build");
    assert_eq!(entry["line_number"], 41);
    let time = entry["timestamp"].as_str().unwrap();
    assert!(jiff::civil::Time::strptime("%H:%M:%S", time).is_ok() && time.len() == 8, "{time}");
    let of_service = Events::open(&router, "scope=service").await.next().await.unwrap().data;
    let mut fields: Vec<_> = of_service["logs"][0].as_object().unwrap().keys().collect();
    fields.sort();
    assert_eq!(fields, ["level", "message", "sequence", "timestamp"]);
}

#[tokio::test(start_paused = true)]
async fn levels_are_thresholds_and_steps_are_exact_at_first_and_live() {
    let router = router();
    let entries = || -> Value {
        let of = |(level, step)| json!({"level": level, "message": level, "job_id": "7", "step_name": step});
        let levels = [("debug", "a"), ("info", "b"), ("warn", "a"), ("error", "ab")];
        levels.map(of).into_iter().collect()
    };
    log(&router, entries()).await;
    for (filter, expected) in [
        ("", vec!["info", "warn", "error"]),
        ("&level=debug", vec!["debug", "info", "warn", "error"]),
        ("&level=INF", vec!["info", "warn", "error"]),
        ("&level=warn", vec!["warn", "error"]),
        ("&level=Error", vec!["error"]),
        ("&level=debug&step=a", vec!["debug", "warn"]),
        ("&step=ab", vec!["error"]),
    ] {
        let mut reader = Events::open(&router, &format!("scope=job&job_id=7{filter}")).await;
        assert_eq!(reader.next_messages().await[..expected.len()], expected, "first {filter}");
        log(&router, entries()).await;
        assert_eq!(reader.next_messages().await, expected, "live {filter}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_single_entry_waits_150_ms_and_a_burst_is_one_event() {
    let router = router();
    let mut reader = Events::open(&router, "scope=service").await;
    reader.next().await;
    let started = Instant::now();
    log(&router, numbered(0, 1, None)).await;
    assert_eq!(reader.next_messages().await, ["0"]);
    assert!((150..160).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    for n in 0..50 {
        log(&router, numbered(n, n + 1, None)).await;
    }
    assert_eq!(reader.next_messages().await, numbers(0, 50));
}

#[tokio::test(start_paused = true)]
async fn a_steady_load_gives_at_most_seven_events_a_second() {
    let router = router();
    let mut reader = Events::open(&router, "scope=service").await;
    reader.next().await;
    let writer = router.clone();
    let writing = tokio::spawn(async move {
        for n in 0..400 {
            log(&writer, numbered(n, n + 1, None)).await;
            sleep(Duration::from_millis(5)).await;
        }
    });
    let started = Instant::now();
    let (mut seen, mut events) = (Vec::new(), 0);
    while seen.len() < 400 {
        seen.extend(reader.next_messages().await);
        events += 1;
    }
    writing.await.unwrap();
    assert_eq!(seen, numbers(0, 400));
    let seconds = started.elapsed().as_secs_f64();
    assert!(f64::from(events) / seconds <= 7.0, "{events} in {seconds} s");
    assert!(f64::from(events) / seconds >= 6.0, "{events} in {seconds} s");
}

#[tokio::test(start_paused = true)]
async fn a_ping_comes_every_5_s_whatever_else_is_sent() {
    let router = router();
    for query in ["scope=service&level=debug", "scope=job&job_id=7"] {
        let opened = Instant::now();
        let mut reader = Events::open(&router, query).await;
        let writer = router.clone();
        let writing = tokio::spawn(async move {
            for n in 0..100 {
                log(&writer, numbered(n, n + 1, None)).await;
                sleep(Duration::from_millis(170)).await;
            }
        });
        for beat in 1..=3 {
            let ping = loop {
                let event = reader.next().await.unwrap();
                if event.name == "ping" {
                    break event;
                }
            };
            let timestamp = ping.data["timestamp"].as_str().unwrap();
            assert!(timestamp.parse::<jiff::Timestamp>().is_ok(), "{timestamp}");
            let late = opened.elapsed() - Duration::from_secs(5 * beat);
            assert!(late < Duration::from_millis(20), "{late:?}");
        }
        writing.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_state_is_told_to_its_job_after_the_entries_before_it() {
    let router = router();
    let mut reader = Events::open(&router, "scope=job&job_id=a%2Fb").await;
    let mut service = Events::open(&router, "scope=service").await;
    reader.next().await;
    service.next().await;
    log(&router, json!({"level": "info", "message": "last words", "job_id": "a/b"})).await;
    let steps = json!([{"id": "s1", "name": "build", "status": "done"}]);
    let state = json!({"status": "done", "steps": steps}).to_string();
    let answer = put_json(&router, "/api/jobs/a%2Fb/status", state).await;
    let expected = json!({"job": {"id": "a/b", "status": "done"}, "steps": steps});
    assert_eq!(json_of(answer).await, expected);
    let started = Instant::now();
    assert_eq!(reader.next_messages().await, ["last words"]);
    let status = reader.next().await.unwrap();
    assert_eq!((status.name.as_str(), &status.data), ("status", &expected));
    assert_eq!(started.elapsed(), Duration::ZERO, "a state does not wait for a batch");
    assert_eq!(json_of(get(&router, "/api/jobs/a%2Fb/status").await).await, expected);
    let quiet = timeout(Duration::from_secs(4), service.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");
}

#[tokio::test(start_paused = true)]
async fn shutdown_sends_what_waits_and_ends_the_stream() {
    let ending = CancellationToken::new();
    let router = logs::router(LogsConfig::default(), ending.clone());
    let mut reader = Events::open(&router, "scope=service").await;
    reader.next().await;
    log(&router, numbered(0, 3, None)).await;
    ending.cancel();
    assert_eq!(reader.next_messages().await, numbers(0, 3));
    assert!(reader.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn intervals_are_settings() {
    let router = router_with(LogsConfig {
        batch_interval: Duration::from_millis(20),
        heartbeat: Duration::from_millis(100),
        ..LogsConfig::default()
    });
    let started = Instant::now();
    let mut reader = Events::open(&router, "scope=service").await;
    reader.next().await;
    log(&router, numbered(0, 1, None)).await;
    reader.next_messages().await;
    assert!((20..30).contains(&started.elapsed().as_millis()));
    assert_eq!(reader.next().await.unwrap().name, "ping");
    assert!((100..110).contains(&started.elapsed().as_millis()));
}
