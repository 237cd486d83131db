use super::{client::Answer, *};

fn assert_browser_headers(answer: &Answer, what: &str) {
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{what}");
    assert_eq!(answer.header("cross-origin-resource-policy"), Some("cross-origin"), "{what}");
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{what}");
    let exposed = answer.header("access-control-expose-headers").unwrap();
    for name in [
        "stream-next-offset",
        "stream-up-to-date",
        "stream-cursor",
        "stream-closed",
        "stream-ttl",
        "stream-expires-at",
        "stream-sse-data-encoding",
        "etag",
        "location",
        "producer-epoch",
        "producer-seq",
        "producer-expected-seq",
        "producer-received-seq",
    ] {
        assert!(exposed.split(", ").any(|exposed| exposed == name), "{what}: {name}");
    }
}

#[tokio::test]
async fn every_answer_carries_the_browser_headers() {
    let Lab { client, server: _server } = Lab::start().await;
    client.put("a", &[TEXT], "x").await;
    for (method, path, headers, status) in [
        ("PUT", "new", &[TEXT][..], 201),
        ("PUT", "a", &[TEXT], 200),
        ("PUT", "a", &[JSON], 409),
        ("POST", "a", &[TEXT], 204),
        ("POST", "missing", &[TEXT], 404),
        ("GET", "a", &[], 200),
        ("GET", "a", &[("if-none-match", "*")], 304),
        ("GET", "a?offset=", &[], 400),
        ("GET", "a?offset=now&live=long-poll", &[], 204),
        ("HEAD", "a", &[], 200),
        ("HEAD", "missing", &[], 404),
        ("PATCH", "a", &[], 405),
        ("POST", "a", &[TEXT, CLOSE], 204),
        ("POST", "a", &[TEXT], 409),
        ("GET", "a?offset=-1&live=sse", &[], 200),
        ("DELETE", "a", &[], 204),
    ] {
        let answer = client.send(method, path, headers, "x").await;
        let what = format!("{method} {path} {status}");
        assert_eq!(answer.status, status, "{what}");
        assert_browser_headers(&answer, &what);
    }
}

#[tokio::test]
async fn a_preflight_allows_the_protocol() {
    let Lab { client, server: _server } = Lab::start().await;
    let asked = [
        ("origin", "http://app.example"),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "if-none-match, stream-seq"),
    ];
    let answer = client.send("OPTIONS", "a", &asked, "").await;
    assert_eq!(answer.status, 204);
    let list = |name| answer.header(name).unwrap().split(", ").collect::<Vec<_>>();
    for method in ["GET", "HEAD", "PUT", "POST", "DELETE"] {
        assert!(list("access-control-allow-methods").contains(&method), "{method}");
    }
    for name in [
        "content-type",
        "authorization",
        "if-none-match",
        "stream-seq",
        "stream-closed",
        "stream-ttl",
        "stream-expires-at",
        "producer-id",
        "producer-epoch",
        "producer-seq",
        "stream-forked-from",
        "stream-fork-offset",
        "stream-fork-sub-offset",
    ] {
        assert!(list("access-control-allow-headers").contains(&name), "{name}");
    }
}
