//! Which receivers a server lets itself be sent to.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use streamgauge_reference_server::subscriptions::SubscriptionConfig;

use super::client::{Client, subscription};

fn webhook(url: &str) -> Value {
    json!({ "type": "webhook", "pattern": "never/appended/to", "webhook": { "url": url } })
}

#[tokio::test]
async fn local_and_insecure_targets_are_refused() {
    let client = Client::quick().await;
    for url in [
        "http://example.com/h",
        "ftp://example.com/h",
        "file:///etc/passwd",
        "worker.example/h",
        "http://10.0.0.1/h",
        "https://10.0.0.1/h",
        "https://172.16.0.1/h",
        "https://172.31.255.1/h",
        "https://192.168.1.1/h",
        "https://169.254.169.254/h",
        "https://0.0.0.0/h",
        "https://127.0.0.1/h",
        "https://localhost/h",
        "https://localhost./h",
        "https://2130706433/h",
        "http://2130706433/h",
        "https://0x7f000001/h",
        "https://user@10.0.0.1/h",
        "https://10.0.0.1./h",
        "http://[::1]/h",
        "https://[::1]/h",
        "https://[fe80::1]/h",
        "https://[fd00::1]/h",
        "https://[::ffff:10.0.0.1]/h",
    ] {
        let answer = client.call(Method::PUT, &subscription("s"), &webhook(url)).await;
        answer.refused(StatusCode::BAD_REQUEST, "WEBHOOK_URL_REJECTED");
        assert_eq!(client.get(&subscription("s")).await.status, StatusCode::NOT_FOUND, "{url}");
    }
}

#[tokio::test]
async fn public_targets_and_plain_localhost_are_taken() {
    let client = Client::quick().await;
    let urls =
        ["https://worker.example/h", "https://172.32.0.1/h", "http://localhost:9/h", "http://127.0.0.1:9/h"];
    for (number, url) in urls.into_iter().enumerate() {
        let shown = client.subscribe(&number.to_string(), &webhook(url)).await;
        assert_eq!(shown["webhook"]["url"], url);
    }
}

#[tokio::test]
async fn production_knows_no_exception() {
    let client = Client::of(SubscriptionConfig { development: false, ..SubscriptionConfig::default() }).await;
    for url in ["http://localhost:9/h", "http://127.0.0.1:9/h"] {
        let answer = client.call(Method::PUT, &subscription("s"), &webhook(url)).await;
        answer.refused(StatusCode::BAD_REQUEST, "WEBHOOK_URL_REJECTED");
    }
    client.subscribe("s", &webhook("https://worker.example/h")).await;
}
