//! The key set that receivers verify deliveries with.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::json;
use streamgauge_reference_server::subscriptions::SubscriptionConfig;
use tokio::time::sleep;

use super::client::{Client, quick};
use super::receiver::Receiver;

#[tokio::test]
async fn the_set_holds_public_keys_only() {
    let client = Client::quick().await;
    let answer = client.get("__ds/jwks.json").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["content-type"], "application/jwk-set+json");
    assert_eq!(answer.headers["cache-control"], "public, max-age=300");
    let set = answer.json();
    let [key] = &set["keys"].as_array().unwrap()[..] else { panic!("not one key: {set}") };
    let names: Vec<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x"]);
    assert_eq!((&key["kty"], &key["crv"]), (&json!("OKP"), &json!("Ed25519")));
    assert_eq!((&key["use"], &key["alg"]), (&json!("sig"), &json!("EdDSA")));
    assert_eq!(URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap().len(), 32);
    assert_eq!(client.get("__ds/jwks.json").await.json(), set);
}

#[tokio::test]
async fn a_given_seed_makes_the_same_key_after_a_restart() {
    let config = || SubscriptionConfig { signing_seed: Some([9; 32]), ..quick() };
    let first = Client::of(config()).await.get("__ds/jwks.json").await.json();
    let second = Client::of(config()).await.get("__ds/jwks.json").await.json();
    assert_eq!(first, second);
    assert_ne!(Client::quick().await.get("__ds/jwks.json").await.json(), first);
}

#[tokio::test]
async fn a_delivery_still_verifies_after_the_key_was_replaced() {
    let lifetime = Some(Duration::from_millis(400));
    let client = Client::of(SubscriptionConfig { signing_key_lifetime: lifetime, ..quick() }).await;
    let mut receiver = Receiver::start([]).await;
    let body = json!({ "type": "webhook", "pattern": "a", "webhook": { "url": receiver.url } });
    let shown = client.subscribe("s", &body).await;
    client.create("a").await;
    client.append("a").await;
    let delivery = receiver.next().await;
    sleep(Duration::from_millis(900)).await;
    let signing = client.show("s").await["webhook"]["signing"].clone();
    assert_ne!(signing["kid"], shown["webhook"]["signing"]["kid"]);
    assert_ne!(signing["kid"], *delivery.signature().1);
    assert!(delivery.verifies(&client, &delivery.raw).await);
}
