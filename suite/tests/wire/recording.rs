use std::time::Instant;

use bytes::Bytes;
use serde_json::json;
use streamgauge::wire::{
    Body, Client, ClientOptions, Exchange, Headers, RecordedRequest, Request, Standing, Target, WireError,
    raw::{AnswerTo, Script},
};

use crate::server::{AMPLE, Server};

#[tokio::test]
async fn an_exchange_is_plain_data_without_secrets() {
    let server =
        Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 11\r\nX: caf\u{e9}\r\n\r\nhello world").await;
    let standing = Standing {
        endpoint: server.target.endpoint.clone(),
        headers: Headers::from([("Authorization", "Bearer secret")]),
    };
    let client = Client::new(ClientOptions { standing: vec![standing], ..ClientOptions::default() }).unwrap();
    let target = server.target.with_path_and_query("/a?x=%20");
    let request = Request::new("POST", target).header("User-Agent", "u").header("Accept", "a");
    let request = request.body(Body::Bytes(Bytes::from_static(b"\xff\xfe")));
    let epoch = Instant::now();
    let result = client.fetch(&request, AMPLE).await;
    let exchange = Exchange::record(&client, &request, &result, epoch, epoch, 5);
    let mut found = serde_json::to_value(&exchange).unwrap();
    assert!(found["duration_ms"].as_f64().unwrap() > 0.0);
    assert!(found["outcome"]["response"]["to_head_ms"].as_f64().unwrap() > 0.0);
    found["duration_ms"] = json!(1);
    found["outcome"]["response"]["to_head_ms"] = json!(1);
    let authority = server.target.endpoint.authority();
    let expected = json!({
        "started_at_ms": 0.0,
        "duration_ms": 1,
        "request": {
            "method": "POST",
            "url": format!("http://{authority}/a?x=%20"),
            "headers": [
                { "name": "Host", "value": authority },
                { "name": "Authorization", "value": "[withheld]" },
                { "name": "User-Agent", "value": "u" },
                { "name": "Accept", "value": "a" },
                { "name": "Content-Length", "value": "2" },
            ],
            "body": { "size": 2, "shown": 2, "base64": "//4=" },
        },
        "outcome": { "response": {
            "version": "HTTP/1.1",
            "status": 200,
            "headers": [{ "name": "Content-Length", "value": "11" }, { "name": "X", "value": "café" }],
            "body": { "size": 11, "shown": 5, "text": "hello" },
            "complete": true,
            "ending": "ended as announced",
            "to_head_ms": 1,
        } },
    });
    assert_eq!(found, expected);
}

#[test]
fn a_failure_is_recorded_in_words() {
    let client = Client::new(ClientOptions::default()).unwrap();
    let request = Request::new("GET", Target::parse("http://h/").unwrap());
    let result = Err(WireError::Refused { endpoint: "http://h".to_owned() });
    let now = Instant::now();
    let found = serde_json::to_value(Exchange::record(&client, &request, &result, now, now, 10)).unwrap();
    let expected = json!({ "failure": "nothing listens on http://h: the connection was refused" });
    assert_eq!(found["outcome"], expected);
}

#[test]
fn bytes_sent_as_they_are_are_all_body() {
    let target = Target::parse("http://h:1/x").unwrap();
    let script = Script::simple("GET /\r\n\r\n", AnswerTo::Other);
    let request = RecordedRequest::of_script(&target.endpoint, &script, 100);
    assert_eq!((request.method.as_str(), request.url.as_str()), ("", "http://h:1"));
    assert_eq!(request.body.text.as_deref(), Some("GET /\r\n\r\n"));
}
