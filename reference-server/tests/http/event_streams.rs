use serde_json::json;

use super::{client::Event, *};

#[tokio::test]
async fn what_is_there_and_then_what_comes() {
    let Lab { client, server: _server } = Lab::patient().await;
    client.put("a", &[TEXT], "one\n two").await;
    let mut events = client.events("a?offset=-1&live=sse").await;
    let (data, control) = events.pair().await;
    assert_eq!(data, "one\n two");
    assert_eq!(control["upToDate"], json!(true));
    assert!(control["streamCursor"].is_string() && control.get("streamClosed").is_none());
    let tail = client.post("a", &[TEXT], "three").await.tail().to_owned();
    let (data, control) = events.pair().await;
    assert_eq!((data.as_str(), &control["streamNextOffset"]), ("three", &json!(tail)));
    client.post("a", &[TEXT, CLOSE], "last").await;
    let (data, control) = events.pair().await;
    assert_eq!((data.as_str(), &control["streamClosed"]), ("last", &json!(true)));
    assert!(control.get("streamCursor").is_none());
    events.end().await;
}

#[tokio::test]
async fn nothing_is_lost_between_backlog_and_live() {
    let Lab { client, server: _server } = Lab::patient().await;
    client.put("a", &[JSON], "").await;
    let writer = tokio::spawn({
        let client = client.clone();
        async move {
            for number in 0..200 {
                client.post("a", &[JSON], &number.to_string()).await;
            }
            client.post("a", &[CLOSE], "").await;
        }
    });
    let mut numbers: Vec<u32> = Vec::new();
    let mut offset = "-1".to_owned();
    let mut closed = false;
    while !closed {
        // Reconnecting now and then: the last control event says where.
        let mut events = client.events(&format!("a?offset={offset}&live=sse")).await;
        let mut controls = 0;
        while !closed && controls < 10 {
            match events.next().await {
                Some(Event::Data(data)) => numbers.append(&mut serde_json::from_str(&data).unwrap()),
                Some(Event::Control(control)) => {
                    control["streamNextOffset"].as_str().unwrap().clone_into(&mut offset);
                    closed = control["streamClosed"] == json!(true);
                    controls += 1;
                }
                other => panic!("{other:?}"),
            }
        }
    }
    writer.await.unwrap();
    assert!(numbers.into_iter().eq(0..200));
}

#[tokio::test]
async fn the_tail_is_told_at_once() {
    let Lab { client, server: _server } = Lab::patient().await;
    let tail = client.put("a", &[TEXT], "").await.tail().to_owned();
    for offset in ["-1", "now"] {
        let control = client.events(&format!("a?offset={offset}&live=sse")).await.control().await;
        assert_eq!((&control["streamNextOffset"], &control["upToDate"]), (&json!(tail), &json!(true)));
    }
    client.post("a", &[CLOSE], "").await;
    for offset in ["-1", "now", &tail] {
        let mut events = client.events(&format!("a?offset={offset}&live=sse")).await;
        let control = events.control().await;
        let expected = json!({"streamNextOffset": tail, "upToDate": true, "streamClosed": true});
        assert_eq!(control, expected);
        events.end().await;
    }
}

#[tokio::test]
async fn binary_streams_are_base64() {
    let Lab { client, server: _server } = Lab::patient().await;
    client.send("PUT", "a", &[("content-type", "image/png")], vec![0xfb, 0xff, 0x00]).await;
    let response = client.open("GET", "a?offset=-1&live=sse", &[], "").await;
    assert_eq!(response.headers()["stream-sse-data-encoding"], "base64");
    assert_eq!(response.headers()["cache-control"], "no-cache");
    assert!(response.headers().get("content-length").is_none());
    let (data, _) = client.events("a?offset=-1&live=sse").await.pair().await;
    assert_eq!(data, "+/8A");
    client.put("t", &[TEXT], "").await;
    let text = client.open("GET", "t?offset=-1&live=sse", &[], "").await;
    assert!(text.headers().get("stream-sse-data-encoding").is_none());
}

#[tokio::test]
async fn idle_connections_are_kept_alive_and_end_in_time() {
    let config = Config {
        sse_keep_alive: Duration::from_millis(50),
        sse_lifetime: Duration::from_millis(500),
        ..Config::default()
    };
    let Lab { client, server: _server } = Lab::with(config).await;
    client.put("a", &[TEXT], "").await;
    let mut events = client.events("a?offset=-1&live=sse").await;
    events.control().await;
    let mut comments = 0;
    while let Some(event) = events.next().await {
        assert_eq!(event, Event::Comment);
        comments += 1;
    }
    assert!((3..=10).contains(&comments), "{comments}");
}

#[tokio::test]
async fn deletion_ends_the_stream() {
    let Lab { client, server: _server } = Lab::patient().await;
    client.put("a", &[TEXT], "").await;
    let mut events = client.events("a?offset=-1&live=sse").await;
    events.control().await;
    client.send("DELETE", "a", &[], "").await;
    client.put("a", &[TEXT], "of another stream").await;
    events.end().await;
}

#[tokio::test]
async fn cursors_of_a_connection_never_fall() {
    let Lab { client, server: _server } = Lab::patient().await;
    client.put("a", &[TEXT], "x").await;
    let cursor =
        |control: serde_json::Value| -> u64 { control["streamCursor"].as_str().unwrap().parse().unwrap() };
    let (_, control) = client.events("a?offset=-1&live=sse").await.pair().await;
    let mut last = cursor(control);
    let mut events = client.events(&format!("a?offset=-1&live=sse&cursor={last}")).await;
    let (_, control) = events.pair().await;
    assert!(cursor(control.clone()) > last);
    last = cursor(control);
    for _ in 0..12 {
        client.post("a", &[TEXT], "x").await;
        let (_, control) = events.pair().await;
        let next = cursor(control);
        assert!(next >= last);
        last = next;
    }
}

#[tokio::test]
async fn a_reader_that_does_not_read_holds_nobody_up() {
    let Lab { client, server: _server } = Lab::patient().await;
    client.put("a", &[TEXT], "").await;
    let idle = client.open("GET", "a?offset=-1&live=sse", &[], "").await;
    let body = "x".repeat(1 << 20);
    for _ in 0..40 {
        assert_eq!(client.post("a", &[TEXT], &body).await.status, 204);
    }
    client.post("a", &[CLOSE], "").await;
    drop(idle);
    let mut events = client.events("a?offset=-1&live=sse").await;
    let mut received = 0;
    while let Some(event) = events.next().await {
        if let Event::Data(data) = event {
            received += data.len();
        }
    }
    assert_eq!(received, 40 << 20);
}
