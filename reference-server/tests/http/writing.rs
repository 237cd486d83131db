use super::*;

#[tokio::test]
async fn a_stream_from_beginning_to_end() {
    let Lab { client, server } = Lab::start().await;
    let created = client.put("a/b%20c", &[TEXT], "one").await;
    assert_eq!(created.status, 201);
    assert_eq!(created.header("location"), Some(format!("{}/a/b%20c", server.root_url).as_str()));
    assert_eq!(created.header("content-type"), Some("text/plain"));
    assert_eq!(client.put("a/b%20c", &[TEXT], "one").await.status, 200);
    assert_eq!(client.put("a/b%20c", &[JSON], "").await.status, 409);

    let appended = client.post("a/b%20c", &[TEXT], "two").await;
    assert_eq!(appended.status, 204);
    assert!(appended.tail() > created.tail());
    assert_eq!(appended.header("stream-closed"), None);

    let head = client.send("HEAD", "a/b%20c", &[], "").await;
    assert_eq!(head.status, 200);
    assert_eq!(head.tail(), appended.tail());
    assert_eq!(head.header("cache-control"), Some("no-store"));
    assert_eq!(client.get("a/b%20c", &[]).await.text(), "onetwo");

    let closed = client.post("a/b%20c", &[CLOSE], "").await;
    assert_eq!((closed.status.as_u16(), closed.header("stream-closed")), (204, Some("true")));
    let refused = client.post("a/b%20c", &[TEXT], "three").await;
    assert_eq!((refused.status.as_u16(), refused.header("stream-closed")), (409, Some("true")));
    assert_eq!(refused.tail(), appended.tail());
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));

    assert_eq!(client.send("DELETE", "a/b%20c", &[], "").await.status, 204);
    for method in ["GET", "HEAD", "POST", "DELETE"] {
        assert_eq!(client.send(method, "a/b%20c", &[TEXT], "x").await.status, 404, "{method}");
    }
}

#[tokio::test]
async fn producers_are_answered_by_status_and_headers() {
    let Lab { client, server: _server } = Lab::start().await;
    client.put("a", &[TEXT], "").await;
    let send = async |epoch: &str, seq: &str| {
        let producer = [TEXT, ("producer-id", "p"), ("producer-epoch", epoch), ("Producer-Seq", seq)];
        client.post("a", &producer, "x").await
    };
    let new = send("1", "0").await;
    assert_eq!(new.status, 200);
    assert_eq!((new.header("producer-epoch"), new.header("producer-seq")), (Some("1"), Some("0")));
    assert_eq!(send("1", "1").await.status, 200);
    let duplicate = send("1", "0").await;
    assert_eq!((duplicate.status.as_u16(), duplicate.header("producer-seq")), (204, Some("1")));
    let stale = send("0", "0").await;
    assert_eq!((stale.status.as_u16(), stale.header("producer-epoch")), (403, Some("1")));
    let gap = send("1", "5").await;
    assert_eq!(gap.status, 409);
    assert_eq!(gap.header("producer-expected-seq"), Some("2"));
    assert_eq!(gap.header("producer-received-seq"), Some("5"));
    assert_eq!(send("2", "1").await.status, 400);
    let incomplete = [TEXT, ("producer-id", "p")];
    assert_eq!(client.post("a", &incomplete, "x").await.status, 400);
    assert_eq!(client.get("a", &[]).await.text(), "xx");
}

#[tokio::test]
async fn forks_over_http() {
    let Lab { client, server: _server } = Lab::start().await;
    let first = client.put("a", &[TEXT, ("stream-ttl", "3600")], "one").await;
    client.post("a", &[TEXT], "two").await;
    let from = [("stream-forked-from", "/v1/stream/a"), ("stream-fork-offset", first.tail())];
    let fork = client.put("f", &from, "!").await;
    assert_eq!((fork.status.as_u16(), fork.header("content-type")), (201, Some("text/plain")));
    assert_eq!(client.put("f", &from, "").await.status, 200);
    assert_eq!(client.get("f", &[]).await.text(), "one!");
    assert_eq!(client.send("HEAD", "f", &[], "").await.header("stream-ttl"), Some("3600"));
    assert_eq!(client.send("DELETE", "a", &[], "").await.status, 204);
    assert_eq!(client.get("a", &[]).await.status, 410);
    assert_eq!(client.put("a", &[TEXT], "").await.status, 409);
    for (source, status) in [
        ("/v1/stream/missing", 404),
        ("/elsewhere/a", 404),
        ("/v1/stream/__ds/a", 404),
        ("/v1/stream/../a", 400),
        ("a", 400),
        ("http://other.example/v1/stream/a", 400),
        ("/v1/stream/a", 409),
    ] {
        let answer = client.put("g", &[("stream-forked-from", source)], "").await;
        assert_eq!(answer.status, status, "{source}");
    }
}

#[tokio::test]
async fn expiry_is_told_as_configured() {
    let Lab { client, server: _server } = Lab::start().await;
    client.put("ttl", &[("stream-ttl", "60")], "").await;
    client.put("at", &[("stream-expires-at", "2099-01-01T00:00:00+01:00")], "").await;
    assert_eq!(client.send("HEAD", "ttl", &[], "").await.header("stream-ttl"), Some("60"));
    let at = client.send("HEAD", "at", &[], "").await;
    assert_eq!(at.header("stream-expires-at"), Some("2099-01-01T00:00:00+01:00"));
    let cached = client.get("ttl", &[]).await;
    assert_eq!(cached.header("cache-control"), Some("public, max-age=60, stale-while-revalidate=0"));
    for bad in [("stream-ttl", "03"), ("stream-ttl", ""), ("stream-expires-at", "tomorrow")] {
        assert_eq!(client.put("bad", &[bad], "").await.status, 400, "{bad:?}");
    }
    let both = [("stream-ttl", "60"), ("stream-expires-at", "2099-01-01T00:00:00Z")];
    assert_eq!(client.put("bad", &both, "").await.status, 400);
    assert_eq!(client.send("HEAD", "bad", &[], "").await.status, 404);
}

#[tokio::test]
async fn concurrent_writers_lose_nothing() {
    let Lab { client, server: _server } = Lab::start().await;
    client.put("a", &[JSON], "").await;
    let writers = (0..50).map(|number| {
        let client = client.clone();
        tokio::spawn(async move { client.post("a", &[JSON], &number.to_string()).await.tail().to_owned() })
    });
    let mut tails = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        tails.push(writer.await.unwrap());
    }
    tails.sort();
    tails.dedup();
    assert_eq!(tails.len(), 50);
    let mut numbers: Vec<u32> = serde_json::from_str(client.get("a", &[]).await.text()).unwrap();
    numbers.sort();
    assert!(numbers.into_iter().eq(0..50));
}

#[tokio::test]
async fn concurrent_creations_make_one_stream() {
    let Lab { client, server: _server } = Lab::start().await;
    let creators = (0..20).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.put("a", &[TEXT], "body").await.status.as_u16() })
    });
    let mut new = 0;
    for creator in creators.collect::<Vec<_>>() {
        let status = creator.await.unwrap();
        assert!(status == 200 || status == 201, "{status}");
        new += u32::from(status == 201);
    }
    assert_eq!(new, 1);
    assert_eq!(client.get("a", &[]).await.text(), "body");
}

#[tokio::test]
async fn http2_is_spoken_with_prior_knowledge() {
    let Lab { server, .. } = Lab::start().await;
    let client = Client::http2(&server.root_url);
    let created = client.put("a", &[TEXT], "one").await;
    assert_eq!(created.status, 201);
    assert_eq!(created.header("location"), Some(format!("{}/a", server.root_url).as_str()));
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.get("a?offset=now&live=long-poll", &[]).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    client.post("a", &[TEXT], "two").await;
    assert_eq!(waiting.await.unwrap().text(), "two");
}

#[tokio::test]
async fn the_stream_root_may_be_anywhere() {
    for root in ["/", "/one/two/three"] {
        let Lab { client, server } = Lab::with(Config { root: root.to_owned(), ..Config::default() }).await;
        let created = client.put("a/b", &[TEXT], "x").await;
        assert_eq!(created.header("location"), Some(format!("{}/a/b", server.root_url).as_str()));
        assert_eq!(client.get("a/b", &[]).await.text(), "x");
    }
}
