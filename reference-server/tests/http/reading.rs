use super::*;
use streamgauge_reference_server::core::limits::Limits;

#[tokio::test]
async fn the_tail_is_empty_and_up_to_date() {
    let Lab { client, server: _server } = Lab::start().await;
    let tail = client.put("a", &[TEXT], "one").await.tail().to_owned();
    client.put("j", &[JSON], "").await;
    for path in ["a?offset=now", &format!("a?offset={tail}")] {
        let answer = client.get(path, &[]).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (200, ""));
        assert_eq!(answer.tail(), tail);
        assert_eq!(answer.header("stream-up-to-date"), Some("true"));
    }
    for path in ["j", "j?offset=now", "j?offset=-1"] {
        assert_eq!(client.get(path, &[]).await.text(), "[]");
    }
    let now = client.get("a?offset=now", &[("if-none-match", "*")]).await;
    assert_eq!(now.status, 200);
    assert_eq!(now.header("etag"), None);
    assert_eq!(now.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_known_answer_is_not_sent_again() {
    let Lab { client, server: _server } = Lab::start().await;
    client.put("a", &[TEXT], "one").await;
    let tag = client.get("a", &[]).await.header("etag").unwrap().to_owned();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
        let answer = client.get("a", &[("if-none-match", &known)]).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (304, 0), "{known}");
        assert_eq!(answer.header("etag"), Some(tag.as_str()));
    }
    client.post("a", &[CLOSE], "").await;
    let closed = client.get("a", &[("if-none-match", &tag)]).await;
    assert_eq!((closed.status.as_u16(), closed.header("stream-closed")), (200, Some("true")));
    client.send("DELETE", "a", &[], "").await;
    client.put("a", &[TEXT, CLOSE], "two").await;
    let tag = closed.header("etag").unwrap();
    assert_eq!(client.get("a", &[("if-none-match", tag)]).await.text(), "two");
}

#[tokio::test]
async fn pages_lead_to_the_tail() {
    let limits = Limits { page: 1000, ..Limits::default() };
    let Lab { client, server: _server } = Lab::with(Config { limits, ..Config::default() }).await;
    client.put("a", &[JSON], "").await;
    for number in 0..100 {
        client.post("a", &[JSON], &format!("[{number}, \"{}\"]", ".".repeat(40))).await;
    }
    client.post("a", &[CLOSE], "").await;
    let mut messages: Vec<serde_json::Value> = Vec::new();
    let mut offset = "-1".to_owned();
    for page in 0.. {
        let answer = client.get(&format!("a?offset={offset}"), &[]).await;
        messages.append(&mut serde_json::from_str(answer.text()).unwrap());
        let last = answer.header("stream-up-to-date").is_some();
        assert_eq!(answer.header("stream-closed").is_some(), last);
        if last {
            assert!(page > 2);
            break;
        }
        assert!(answer.tail() > offset.as_str());
        answer.tail().clone_into(&mut offset);
    }
    assert_eq!(messages.len(), 200);
}

#[tokio::test]
async fn a_page_that_was_the_tail_is_another_answer_when_more_follows() {
    let limits = Limits { page: 3, ..Limits::default() };
    let Lab { client, server: _server } = Lab::with(Config { limits, ..Config::default() }).await;
    client.put("a", &[TEXT], "one").await;
    let tag = client.get("a", &[]).await.header("etag").unwrap().to_owned();
    client.post("a", &[TEXT], "two").await;
    let answer = client.get("a", &[("if-none-match", &tag)]).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "one"));
    assert_eq!(answer.header("stream-up-to-date"), None);
}

#[tokio::test]
async fn malformed_reads_are_refused_in_every_mode() {
    let Lab { client, server: _server } = Lab::start().await;
    client.put("a", &[TEXT], "one").await;
    for query in [
        "offset=",
        "offset=0,1",
        "offset=0%201",
        "offset=../x",
        "offset=-1&offset=-1",
        "offset=9999999999999999_9999999999999999",
        "offset=0000000000000000_0000000000000004",
    ] {
        for live in ["", "&live=long-poll", "&live=sse"] {
            let answer = client.get(&format!("a?{query}{live}"), &[]).await;
            assert_eq!(answer.status, 400, "{query}{live}");
            assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        }
    }
    for query in ["live=sse", "live=long-poll", "offset=-1&live=bogus"] {
        assert_eq!(client.get(&format!("a?{query}"), &[]).await.status, 400, "{query}");
    }
    for query in ["", "?offset=now", "?offset=-1&live=sse", "?offset=now&live=long-poll"] {
        assert_eq!(client.get(&format!("missing{query}"), &[]).await.status, 404, "{query}");
    }
}
