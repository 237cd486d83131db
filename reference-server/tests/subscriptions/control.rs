//! The control routes: what they take, show and refuse.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use streamgauge_reference_server::Config;
use streamgauge_reference_server::subscriptions::{SubscriptionConfig, SubscriptionLimits};

use super::client::{Client, subscription};

fn pull(pattern: &str) -> Value {
    json!({ "type": "pull-wake", "pattern": pattern, "wake_stream": "wake/pool" })
}

#[tokio::test]
async fn the_control_space_holds_no_streams() {
    let client = Client::quick().await;
    for path in
        ["__ds", "__ds/", "__ds/x", "__ds/subscriptions", "__ds/subscriptions/a/unknown", "%5f%5fds/x"]
    {
        for method in [Method::PUT, Method::POST, Method::GET, Method::DELETE] {
            let answer = client.call(method, path, &json!({ "a": 1 })).await;
            answer.refused(StatusCode::NOT_FOUND, "NOT_FOUND");
        }
    }
    for path in ["a/__ds/b", "__dsx"] {
        client.create(path).await;
        assert_eq!(client.get(path).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_subscription_is_shown_as_it_was_made() {
    let client = Client::quick().await;
    client.create("events/a").await;
    let tail = client.append("events/a").await;
    let body = json!({
        "type": "pull-wake", "pattern": "events/*", "streams": ["/manual/b/"], "wake_stream": "wake/pool",
        "lease_ttl_ms": 1500, "description": "processes events",
    });
    let created = client.subscribe("s%201%2F%C3%A9", &body).await;
    assert_eq!(client.show("s%201%2F%C3%A9").await, created);
    let created_at = created["created_at"].as_str().unwrap();
    let instant: jiff::Timestamp = created_at.parse().unwrap();
    assert!(instant.duration_until(jiff::Timestamp::now()).as_secs() < 60, "{created_at}");
    let links = json!([
        { "path": "events/a", "link_type": "glob", "acked_offset": tail },
        { "path": "manual/b", "link_type": "explicit", "acked_offset": "-1" },
    ]);
    let expected = json!({
        "id": "s 1/é", "subscription_id": "s 1/é", "type": "pull-wake", "pattern": "events/*", "streams": links,
        "webhook": null, "wake_stream": "wake/pool", "lease_ttl_ms": 1500, "created_at": created_at,
        "status": "active", "description": "processes events",
    });
    assert_eq!(created, expected);
}

#[tokio::test]
async fn putting_again_confirms_or_conflicts() {
    let client = Client::quick().await;
    let created = client.subscribe("s", &pull("events/*")).await;
    let again = client.call(Method::PUT, &subscription("s"), &pull("events/*")).await;
    assert_eq!((again.status, again.json()), (StatusCode::OK, created.clone()));
    let mut other = pull("events/*");
    other["description"] = json!("another one");
    let answer = client.call(Method::PUT, &subscription("s"), &other).await;
    answer.refused(StatusCode::CONFLICT, "SUBSCRIPTION_ALREADY_EXISTS");
    assert_eq!(client.show("s").await, created);
}

#[tokio::test]
async fn what_is_no_configuration_creates_nothing() {
    let client = Client::quick().await;
    for body in [
        Value::Null,
        json!([]),
        json!({}),
        json!({ "type": "push", "pattern": "a" }),
        json!({ "type": "pull-wake", "wake_stream": "w" }),
        json!({ "type": "pull-wake", "wake_stream": "w", "streams": [] }),
        json!({ "type": "pull-wake", "wake_stream": "w", "streams": ["__ds/jwks.json"] }),
        json!({ "type": "pull-wake", "wake_stream": "__ds/x", "streams": ["a"] }),
        json!({ "type": "pull-wake", "wake_stream": "w", "pattern": "ev*" }),
        json!({ "type": "pull-wake", "wake_stream": "w", "pattern": "a", "lease_ttl_ms": 600_001 }),
        json!({ "type": "webhook", "pattern": "a" }),
        json!({ "type": "webhook", "pattern": "a", "webhook": { "url": 1 } }),
    ] {
        let answer = client.call(Method::PUT, &subscription("s"), &body).await;
        answer.refused(StatusCode::BAD_REQUEST, "INVALID_REQUEST");
    }
    client.get(&subscription("s")).await.refused(StatusCode::NOT_FOUND, "SUBSCRIPTION_NOT_FOUND");
}

#[tokio::test]
async fn methods_are_refused_with_those_that_work() {
    let client = Client::quick().await;
    for (path, allowed) in [
        ("__ds/jwks.json", "GET, HEAD"),
        ("__ds/subscriptions/s", "PUT, GET, HEAD, DELETE"),
        ("__ds/subscriptions/s/streams", "POST"),
        ("__ds/subscriptions/s/streams/a", "DELETE"),
        ("__ds/subscriptions/s/claim", "POST"),
    ] {
        let answer = client.call(Method::PATCH, path, &Value::Null).await;
        answer.refused(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED");
        assert_eq!(answer.headers["allow"], allowed);
    }
    client.subscribe("s", &pull("a")).await;
    let head = client.call(Method::HEAD, &subscription("s"), &Value::Null).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
}

#[tokio::test]
async fn deleting_is_final_and_repeatable() {
    let client = Client::quick().await;
    client.subscribe("s", &pull("events/*")).await;
    for _ in 0..2 {
        let answer = client.call(Method::DELETE, &subscription("s"), &Value::Null).await;
        assert_eq!((answer.status, answer.body.len()), (StatusCode::NO_CONTENT, 0));
        client.get(&subscription("s")).await.refused(StatusCode::NOT_FOUND, "SUBSCRIPTION_NOT_FOUND");
    }
}

#[tokio::test]
async fn links_come_and_go() {
    let client = Client::quick().await;
    client.create("events/x").await;
    let tail = client.append("events/x").await;
    client.subscribe("s", &pull("other/*")).await;
    let links = format!("{}/streams", subscription("s"));
    let paths = json!({ "streams": ["events/x", "events/y", "events/z"] });
    let answer = client.call(Method::POST, &links, &paths).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(client.cursor("s", "events/x").await, tail);
    for removed in ["events/y", "events%2Fz", "never/linked"] {
        let answer = client.call(Method::DELETE, &format!("{links}/{removed}"), &Value::Null).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
    }
    let link = json!({ "path": "events/x", "link_type": "explicit", "acked_offset": tail });
    assert_eq!(client.show("s").await["streams"], json!([link]));
    for wrong in [json!({}), json!({ "streams": "a" }), json!({ "streams": [""] })] {
        let answer = client.call(Method::POST, &links, &wrong).await;
        answer.refused(StatusCode::BAD_REQUEST, "INVALID_REQUEST");
    }
    let unknown = client.call(Method::POST, "__ds/subscriptions/unknown/streams", &paths).await;
    unknown.refused(StatusCode::NOT_FOUND, "SUBSCRIPTION_NOT_FOUND");
}

#[tokio::test]
async fn what_is_too_much_is_refused() {
    let limits =
        SubscriptionLimits { subscriptions: 1, request_body_bytes: 400, ..SubscriptionLimits::default() };
    let client = Client::of(SubscriptionConfig { limits, ..SubscriptionConfig::default() }).await;
    client.subscribe("s", &pull("a")).await;
    let answer = client.call(Method::PUT, &subscription("t"), &pull("a")).await;
    answer.refused(StatusCode::INSUFFICIENT_STORAGE, "LIMIT_EXCEEDED");
    let answer = client.call(Method::PUT, &subscription("t"), &pull(&"a".repeat(400))).await;
    answer.refused(StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LONG");
}

#[tokio::test]
async fn the_stream_root_can_be_the_servers_own() {
    let client = Client::of_server(Config { root: "/".to_owned(), ..Config::default() }).await;
    let body = json!({ "type": "webhook", "pattern": "a", "webhook": { "url": "https://worker.example/" } });
    let shown = client.subscribe("s", &body).await;
    assert_eq!(shown["webhook"]["signing"]["jwks_url"], format!("{}/__ds/jwks.json", client.root));
    client.create("a/__ds/b").await;
}
