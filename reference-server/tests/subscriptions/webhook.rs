//! Deliveries, their answers, callbacks and repeats.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use streamgauge_reference_server::subscriptions::{SubscriptionConfig, SubscriptionLimits};
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::client::{Client, quick, subscription};
use super::receiver::{Delivery, Receiver, Scripted};

fn done() -> Scripted {
    Scripted::Body(json!({ "done": true }).to_string())
}

async fn subscribe(client: &Client, receiver: &Receiver, lease: Duration) {
    let body = json!({
        "type": "webhook", "pattern": "events/*", "webhook": { "url": receiver.url },
        "lease_ttl_ms": u64::try_from(lease.as_millis()).unwrap(),
    });
    client.subscribe("s", &body).await;
}

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(200);

/// A server, a receiver, and a first event in `events/a`; gives the event's delivery too.
async fn woken(script: Vec<Scripted>, lease: Duration) -> (Client, Receiver, Delivery, String) {
    let client = Client::quick().await;
    let mut receiver = Receiver::start(script).await;
    subscribe(&client, &receiver, lease).await;
    client.create("events/a").await;
    let tail = client.append("events/a").await;
    let delivery = receiver.next().await;
    (client, receiver, delivery, tail)
}

#[tokio::test]
async fn a_delivery_is_a_signed_post() {
    let (client, _receiver, delivery, tail) = woken(vec![], LONG).await;
    assert_eq!((delivery.method.clone(), delivery.uri.path()), (Method::POST, "/hook"));
    assert_eq!(delivery.headers["content-type"], "application/json");
    let body = delivery.json();
    assert_eq!((&body["subscription_id"], &body["generation"]), (&json!("s"), &json!(1)));
    let streams = json!([{
        "path": "events/a", "link_type": "glob", "acked_offset": client.cursor("s", "events/a").await,
        "tail_offset": tail, "has_pending": true,
    }]);
    assert_eq!(body["streams"], streams);
    assert_eq!(body["callback_url"], format!("{}/__ds/subscriptions/s/callback", client.root));
    let (time, _, _) = delivery.signature();
    assert!((jiff::Timestamp::now().as_second() - time).abs() < 30);
    assert!(delivery.verifies(&client, &delivery.raw).await);
    let mut altered = delivery.raw.to_vec();
    altered[10] ^= 1;
    assert!(!delivery.verifies(&client, &altered).await);
}

#[tokio::test]
async fn a_put_with_a_body_wakes_and_one_without_does_not() {
    let client = Client::quick().await;
    let mut receiver = Receiver::start([done(), done()]).await;
    subscribe(&client, &receiver, LONG).await;
    client.create("events/empty").await;
    receiver.stays_quiet().await;
    let answer = client.call(Method::PUT, "events/full", &json!({ "event": 1 })).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let body = receiver.next().await.json();
    assert_eq!(body["streams"][0]["path"], "events/full");
    client
        .eventually("s", |shown| shown["streams"][0]["acked_offset"] == body["streams"][0]["tail_offset"])
        .await;
    receiver.stays_quiet().await;
}

#[tokio::test]
async fn done_acks_what_was_delivered_and_later_events_wake_again() {
    let script = vec![Scripted::DoneAfter(Duration::from_millis(400)), done()];
    let (client, mut receiver, first, tail) = woken(script, LONG).await;
    let later = client.append("events/a").await;
    let second = receiver.next().await;
    assert_eq!(second.json()["streams"][0]["acked_offset"], tail);
    assert_eq!(second.json()["streams"][0]["tail_offset"], later);
    assert_eq!(second.generation(), first.generation() + 1);
    assert_ne!(second.json()["wake_id"], first.json()["wake_id"]);
    client.eventually("s", |shown| shown["streams"][0]["acked_offset"] == later).await;
    receiver.stays_quiet().await;
}

#[tokio::test]
async fn other_answers_ack_nothing() {
    for body in ["", "{}", "[]", "no json", r#"{"done": false}"#, r#"{"done": "true"}"#, r#"{"done": 1}"#] {
        let (client, mut receiver, delivery, _) = woken(vec![Scripted::Body(body.to_owned())], LONG).await;
        receiver.stays_quiet().await;
        assert_eq!(client.cursor("s", "events/a").await, delivery.json()["streams"][0]["acked_offset"]);
        assert_eq!(client.show("s").await["status"], "active", "{body}");
    }
}

#[tokio::test]
async fn an_unfinished_wake_is_delivered_anew_after_its_lease() {
    let (client, mut receiver, first, tail) = woken(vec![], SHORT).await;
    let second = receiver.next().await;
    assert_eq!(second.generation(), first.generation() + 1);
    let acks = json!([{ "stream": "events/a", "offset": tail }]);
    first.call_back(&client, &acks, true).await.refused(StatusCode::CONFLICT, "FENCED");
    assert_ne!(client.cursor("s", "events/a").await, tail);
}

#[tokio::test]
async fn callbacks_ack_extend_the_lease_and_end_the_wake() {
    let (client, mut receiver, delivery, tail) = woken(vec![], Duration::from_millis(600)).await;
    for _ in 0..4 {
        sleep(Duration::from_millis(300)).await;
        let answer = delivery.call_back(&client, &Value::Null, false).await;
        assert_eq!(
            (answer.status, answer.json()),
            (StatusCode::OK, json!({ "ok": true, "next_wake": false }))
        );
    }
    let later = client.append("events/a").await;
    let acks = json!([{ "stream": "events/a", "offset": tail }]);
    let answer = delivery.call_back(&client, &acks, true).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({ "ok": true, "next_wake": true })));
    let next = receiver.next().await;
    assert_eq!(next.generation(), 2);
    let acks = json!([{ "stream": "events/a", "offset": later }]);
    assert_eq!(next.call_back(&client, &acks, true).await.json(), json!({ "ok": true, "next_wake": false }));
    next.call_back(&client, &acks, true).await.refused(StatusCode::CONFLICT, "FENCED");
    assert_eq!(client.cursor("s", "events/a").await, later);
}

#[tokio::test]
async fn a_callback_needs_its_token_in_the_authorization_header() {
    let (client, _receiver, delivery, tail) = woken(vec![], LONG).await;
    let body = delivery.json();
    let token = body["callback_token"].as_str().unwrap();
    let report = json!({
        "wake_id": body["wake_id"], "generation": body["generation"], "done": true, "token": token,
        "acks": [{ "stream": "events/a", "offset": tail }],
    });
    let path = format!("{}/callback", subscription("s"));
    let with_query = format!("{path}?token={token}&access_token={token}");
    let answer = client.call(Method::POST, &with_query, &report).await;
    answer.refused(StatusCode::UNAUTHORIZED, "TOKEN_INVALID");
    assert_eq!(answer.headers["www-authenticate"], "Bearer");
    let cut = &token[..token.len() - 1];
    for wrong in ["", "x", cut, &format!("{token}A")] {
        let answer = client.call_with(Method::POST, &path, &report, Some(wrong)).await;
        answer.refused(StatusCode::UNAUTHORIZED, "TOKEN_INVALID");
    }
    assert_ne!(client.cursor("s", "events/a").await, tail);
    let answer = client.call_with(Method::POST, &path, &report, Some(token)).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_failed_delivery_is_repeated_and_shown_as_failed() {
    let script = vec![Scripted::Status(500), Scripted::Status(404), Scripted::Status(500), done()];
    let (client, mut receiver, first, tail) = woken(script, LONG).await;
    client.eventually("s", |shown| shown["status"] == "failed").await;
    for _ in 0..3 {
        let repeat = receiver.next().await;
        for field in ["wake_id", "generation", "streams"] {
            assert_eq!(repeat.json()[field], first.json()[field], "a repeat is of the same wake");
        }
        assert!(repeat.verifies(&client, &repeat.raw).await);
    }
    client.eventually("s", |shown| shown["status"] == "active").await;
    client.eventually("s", |shown| shown["streams"][0]["acked_offset"] == tail).await;
    receiver.stays_quiet().await;
}

#[tokio::test]
async fn redirects_are_failures_and_not_followed() {
    let script = vec![Scripted::Redirect("/elsewhere"), done()];
    let (_client, mut receiver, _, _) = woken(script, LONG).await;
    assert_eq!(receiver.next().await.uri.path(), "/hook");
    receiver.stays_quiet().await;
}

#[tokio::test]
async fn a_receiver_that_is_not_there_yet_is_reached_later() {
    let client = Client::quick().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let body = json!({
        "type": "webhook", "pattern": "events/*", "webhook": { "url": format!("http://{address}/hook") },
    });
    client.subscribe("s", &body).await;
    client.create("events/a").await;
    client.append("events/a").await;
    client.eventually("s", |shown| shown["status"] == "failed").await;
    let mut receiver = Receiver::on(TcpListener::bind(address).await.unwrap(), [done()]);
    receiver.next().await;
    client.eventually("s", |shown| shown["status"] == "active").await;
}

#[tokio::test]
async fn a_receiver_that_hangs_is_given_up() {
    let config = SubscriptionConfig { delivery_timeout: SHORT, ..quick() };
    let client = Client::of(config).await;
    let mut receiver = Receiver::start([Scripted::Never, done()]).await;
    subscribe(&client, &receiver, LONG).await;
    client.create("events/a").await;
    let tail = client.append("events/a").await;
    assert_eq!(receiver.next().await.generation(), 1);
    assert_eq!(receiver.next().await.generation(), 1);
    client.eventually("s", |shown| shown["streams"][0]["acked_offset"] == tail).await;
}

#[tokio::test]
async fn an_answer_that_stalls_after_its_status_has_arrived() {
    let client = Client::of(SubscriptionConfig { delivery_timeout: SHORT, ..quick() }).await;
    let mut receiver = Receiver::start([Scripted::Stalled]).await;
    subscribe(&client, &receiver, LONG).await;
    client.create("events/a").await;
    client.append("events/a").await;
    receiver.next().await;
    sleep(2 * SHORT).await;
    receiver.stays_quiet().await;
    assert_eq!(client.show("s").await["status"], "active");
}

#[tokio::test]
async fn an_answer_beyond_the_bound_is_taken_without_its_body() {
    let limits = SubscriptionLimits { response_body_bytes: 1000, ..SubscriptionLimits::default() };
    let client = Client::of(SubscriptionConfig { limits, ..quick() }).await;
    let long = format!(r#"{{"done": true{}}}"#, " ".repeat(1000));
    let mut receiver = Receiver::start([Scripted::Body(long)]).await;
    subscribe(&client, &receiver, SHORT).await;
    client.create("events/a").await;
    client.append("events/a").await;
    receiver.next().await;
    receiver.then(done());
    assert_eq!(receiver.next().await.generation(), 2);
}

#[tokio::test]
async fn a_deleted_subscription_delivers_nothing_more() {
    let (client, mut receiver, delivery, tail) = woken(vec![], SHORT).await;
    client.call(Method::DELETE, &subscription("s"), &Value::Null).await;
    client.append("events/a").await;
    receiver.stays_quiet().await;
    let acks = json!([{ "stream": "events/a", "offset": tail }]);
    let late = delivery.call_back(&client, &acks, true).await;
    late.refused(StatusCode::NOT_FOUND, "SUBSCRIPTION_NOT_FOUND");
}

#[tokio::test]
async fn one_slow_receiver_does_not_hold_up_another() {
    let client = Client::quick().await;
    let mut slow = Receiver::start([Scripted::Never]).await;
    let mut quick = Receiver::start([]).await;
    for (id, url) in [("slow", &slow.url), ("quick", &quick.url)] {
        let body = json!({ "type": "webhook", "streams": [id], "webhook": { "url": url } });
        client.subscribe(id, &body).await;
        client.create(id).await;
        client.append(id).await;
    }
    slow.next().await;
    quick.next().await;
}
