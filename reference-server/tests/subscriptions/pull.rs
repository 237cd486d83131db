//! Wake events, claims, acks and releases.

use std::time::Duration;

use http::{Method, Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::client::{Answer, Client, PATIENCE, QUIET, subscription};

async fn subscribe(client: &Client, lease_ttl_ms: u64) {
    let body = json!({
        "type": "pull-wake", "pattern": "events/*", "wake_stream": "wake/pool", "lease_ttl_ms": lease_ttl_ms,
    });
    client.subscribe("s", &body).await;
}

/// A server with a wake stream and one event in `events/a`; gives the tail there too.
async fn woken(lease_ttl_ms: u64) -> (Client, String) {
    let client = Client::quick().await;
    client.create("wake/pool").await;
    subscribe(&client, lease_ttl_ms).await;
    client.create("events/a").await;
    let tail = client.append("events/a").await;
    (client, tail)
}

async fn wake_events(client: &Client) -> Vec<Value> {
    client.get("wake/pool").await.json().as_array().unwrap().clone()
}

/// Waits until the wake stream holds as many events.
async fn until_woken(client: &Client, times: usize) -> Vec<Value> {
    let wait = async {
        loop {
            let events = wake_events(client).await;
            if events.len() >= times {
                return events;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, wait).await.expect("no wake")
}

async fn claim(client: &Client, worker: &str) -> Answer {
    client.call(Method::POST, &format!("{}/claim", subscription("s")), &json!({ "worker": worker })).await
}

async fn claimed(client: &Client, worker: &str) -> Value {
    let answer = claim(client, worker).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()
}

async fn report(client: &Client, action: &str, claim: &Value, more: Value) -> Answer {
    let mut body = json!({ "wake_id": claim["wake_id"], "generation": claim["generation"] });
    if let Value::Object(more) = more {
        body.as_object_mut().unwrap().extend(more);
    }
    let path = format!("{}/{action}", subscription("s"));
    client.call_with(Method::POST, &path, &body, claim["token"].as_str()).await
}

fn acks(tail: &str, done: bool) -> Value {
    json!({ "acks": [{ "stream": "events/a", "offset": tail }], "done": done })
}

#[tokio::test]
async fn a_wake_is_one_event_in_the_wake_stream() {
    let (client, tail) = woken(30_000).await;
    for _ in 0..10 {
        client.append("events/a").await;
    }
    let events = until_woken(&client, 1).await;
    sleep(QUIET).await;
    assert_eq!(wake_events(&client).await.len(), 1);
    let ts = events[0]["ts"].as_i64().unwrap();
    assert!((jiff::Timestamp::now().as_millisecond() - ts).abs() < 30_000);
    let expected =
        json!({ "type": "wake", "subscription_id": "s", "stream": "events/a", "generation": 1, "ts": ts });
    assert_eq!(events[0], expected);
    let claim = claimed(&client, "w").await;
    assert_eq!(claim["generation"], 1);
    assert_eq!(claim["lease_ttl_ms"], 30_000);
    let status = &claim["streams"][0];
    assert_eq!((&status["path"], &status["link_type"]), (&json!("events/a"), &json!("glob")));
    assert!(status["tail_offset"].as_str().unwrap() > tail.as_str());
    assert_eq!(status["has_pending"], true);
}

#[tokio::test]
async fn a_wake_event_reaches_a_waiting_reader() {
    let client = Client::quick().await;
    client.create("wake/pool").await;
    subscribe(&client, 30_000).await;
    client.create("events/a").await;
    let read = client.get("wake/pool?offset=now&live=long-poll");
    let append = async {
        sleep(Duration::from_millis(100)).await;
        client.append("events/a").await;
    };
    let (read, ()) = tokio::join!(read, append);
    assert_eq!(read.status, StatusCode::OK);
    assert_eq!(read.json()[0]["subscription_id"], "s");
}

#[tokio::test]
async fn the_server_does_not_make_the_wake_stream() {
    let client = Client::quick().await;
    subscribe(&client, 30_000).await;
    client.create("events/a").await;
    client.append("events/a").await;
    sleep(QUIET).await;
    assert_eq!(client.get("wake/pool").await.status, StatusCode::NOT_FOUND);
    client.create("wake/pool").await;
    client.append("events/a").await;
    assert_eq!(until_woken(&client, 1).await[0]["generation"], 1);
}

#[tokio::test]
async fn a_wake_stream_may_hold_text() {
    let client = Client::quick().await;
    let request = Request::put(format!("{}/wake/pool", client.root)).header("content-type", "text/plain");
    client.send(request.body(Full::default()).unwrap()).await;
    subscribe(&client, 30_000).await;
    client.create("events/a").await;
    client.append("events/a").await;
    let wait = async {
        while client.get("wake/pool").await.body.is_empty() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, wait).await.unwrap();
    assert_eq!(client.get("wake/pool").await.json()["generation"], 1);
}

#[tokio::test]
async fn one_of_many_workers_wins() {
    let (client, _) = woken(30_000).await;
    let names: Vec<String> = (0..20).map(|number| format!("w{number}")).collect();
    let answers = futures_util::future::join_all(names.iter().map(|name| claim(&client, name))).await;
    let winners: Vec<usize> = (0..20).filter(|at| answers[*at].status == StatusCode::OK).collect();
    let [winner] = winners[..] else { panic!("{winners:?}") };
    for (at, answer) in answers.iter().enumerate().filter(|(at, _)| *at != winner) {
        answer.refused(StatusCode::CONFLICT, "ALREADY_CLAIMED");
        let error = &answer.json()["error"];
        assert_eq!(
            (&error["current_holder"], &error["generation"]),
            (&json!(names[winner]), &json!(1)),
            "{at}"
        );
    }
}

#[tokio::test]
async fn acks_move_cursors_and_done_ends_the_claim() {
    let (client, tail) = woken(30_000).await;
    let first = claimed(&client, "w").await;
    let later = client.append("events/a").await;
    let answer = report(&client, "ack", &first, acks(&tail, true)).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({ "ok": true, "next_wake": true })));
    assert_eq!(client.cursor("s", "events/a").await, tail);
    assert_eq!(until_woken(&client, 2).await[1]["generation"], 2);
    let second = claimed(&client, "w").await;
    assert_eq!(second["streams"][0]["acked_offset"], tail);
    let answer = report(&client, "ack", &second, acks(&later, true)).await;
    assert_eq!(answer.json(), json!({ "ok": true, "next_wake": false }));
    report(&client, "ack", &second, acks(&later, true)).await.refused(StatusCode::CONFLICT, "FENCED");
    claim(&client, "w").await.refused(StatusCode::CONFLICT, "NO_PENDING_WORK");
    sleep(QUIET).await;
    assert_eq!(wake_events(&client).await.len(), 2);
}

#[tokio::test]
async fn heartbeats_keep_rivals_out_until_they_stop() {
    let (client, tail) = woken(500).await;
    let first = claimed(&client, "w1").await;
    for _ in 0..6 {
        sleep(Duration::from_millis(200)).await;
        assert_eq!(report(&client, "ack", &first, json!({})).await.status, StatusCode::OK);
        claim(&client, "w2").await.refused(StatusCode::CONFLICT, "ALREADY_CLAIMED");
    }
    assert_eq!(until_woken(&client, 2).await[1]["generation"], 2);
    let second = claimed(&client, "w2").await;
    assert_eq!(second["generation"], 2);
    for action in ["ack", "release"] {
        report(&client, action, &first, acks(&tail, true)).await.refused(StatusCode::CONFLICT, "FENCED");
    }
    assert_ne!(client.cursor("s", "events/a").await, tail);
    assert_eq!(report(&client, "ack", &second, acks(&tail, true)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_release_hands_the_work_on() {
    let (client, tail) = woken(30_000).await;
    let first = claimed(&client, "w1").await;
    let answer = report(&client, "release", &first, Value::Null).await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::NO_CONTENT, 0));
    assert_ne!(client.cursor("s", "events/a").await, tail);
    assert_eq!(until_woken(&client, 2).await[1]["generation"], 2);
    assert_eq!(claimed(&client, "w2").await["generation"], 2);
}

#[tokio::test]
async fn a_claim_token_opens_nothing_else() {
    let (client, tail) = woken(30_000).await;
    let claim = claimed(&client, "w").await;
    report(&client, "callback", &claim, acks(&tail, true))
        .await
        .refused(StatusCode::UNAUTHORIZED, "TOKEN_INVALID");
    let bare = json!({ "wake_id": claim["wake_id"], "generation": claim["generation"] });
    for action in ["ack", "release"] {
        let path = format!("{}/{action}?token={}", subscription("s"), claim["token"].as_str().unwrap());
        client.call(Method::POST, &path, &bare).await.refused(StatusCode::UNAUTHORIZED, "TOKEN_INVALID");
    }
    for (key, value) in [("wake_id", json!("w_other")), ("generation", json!(2))] {
        let mut forged = claim.clone();
        forged[key] = value;
        report(&client, "ack", &forged, acks(&tail, true)).await.refused(StatusCode::CONFLICT, "FENCED");
    }
    for missing in [json!({ "wake_id": "w" }), json!({ "generation": 1 }), json!([])] {
        let path = format!("{}/ack", subscription("s"));
        let answer = client.call_with(Method::POST, &path, &missing, claim["token"].as_str()).await;
        answer.refused(StatusCode::BAD_REQUEST, "INVALID_REQUEST");
    }
    assert_ne!(client.cursor("s", "events/a").await, tail);
}

#[tokio::test]
async fn a_worker_must_have_a_name_and_a_pull_subscription() {
    let (client, _) = woken(30_000).await;
    let path = format!("{}/claim", subscription("s"));
    for body in [json!({}), json!({ "worker": "" }), json!({ "worker": 1 }), Value::Null] {
        client.call(Method::POST, &path, &body).await.refused(StatusCode::BAD_REQUEST, "INVALID_REQUEST");
    }
    let body = json!({ "type": "webhook", "pattern": "a", "webhook": { "url": "https://worker.example/" } });
    client.subscribe("hook", &body).await;
    let answer = client.call(Method::POST, "__ds/subscriptions/hook/claim", &json!({ "worker": "w" })).await;
    answer.refused(StatusCode::BAD_REQUEST, "INVALID_REQUEST");
}

#[tokio::test]
async fn a_stream_that_expires_is_forgotten() {
    let client = Client::quick().await;
    client.create("wake/pool").await;
    subscribe(&client, 30_000).await;
    let request = Request::put(format!("{}/events/brief", client.root))
        .header("content-type", "application/json")
        .header("stream-ttl", "1");
    let answer = client.send(request.body(Full::from("{\"event\":1}")).unwrap()).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    until_woken(&client, 1).await;
    client.eventually("s", |shown| shown["streams"] == json!([])).await;
    claim(&client, "w").await.refused(StatusCode::CONFLICT, "NO_PENDING_WORK");
}

#[tokio::test]
async fn closing_without_data_wakes_nobody() {
    let client = Client::quick().await;
    client.create("wake/pool").await;
    client.create("events/a").await;
    subscribe(&client, 30_000).await;
    let request = Request::post(format!("{}/events/a", client.root)).header("stream-closed", "true");
    assert!(client.send(request.body(Full::default()).unwrap()).await.status.is_success());
    sleep(QUIET).await;
    assert!(wake_events(&client).await.is_empty());
}
