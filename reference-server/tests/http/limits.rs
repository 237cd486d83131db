use super::*;
use streamgauge_reference_server::core::limits::Limits;

#[tokio::test]
async fn a_large_body_is_refused_whole() {
    let Lab { client, server: _server } = Lab::with(Config { max_body: 1000, ..Config::default() }).await;
    client.put("a", &[TEXT], "one").await;
    assert_eq!(client.post("a", &[TEXT], &"x".repeat(1000)).await.status, 204);
    let before = client.send("HEAD", "a", &[], "").await;
    for size in [1001, 1 << 20, 8 << 20] {
        assert_eq!(client.post("a", &[TEXT], &"x".repeat(size)).await.status, 413, "{size}");
    }
    assert_eq!(client.put("b", &[TEXT], &"x".repeat(1001)).await.status, 413);
    assert_eq!(client.send("HEAD", "a", &[], "").await.tail(), before.tail());
    assert_eq!(client.send("HEAD", "b", &[], "").await.status, 404);
}

#[tokio::test]
async fn a_full_server_says_so_and_recovers() {
    let limits = Limits { streams: 2, memory: 100, ..Limits::default() };
    let Lab { client, server: _server } = Lab::with(Config { limits, ..Config::default() }).await;
    client.put("a", &[TEXT], "").await;
    client.put("b", &[TEXT], "").await;
    assert_eq!(client.put("c", &[TEXT], "").await.status, 507);
    assert_eq!(client.post("a", &[TEXT], &"x".repeat(60)).await.status, 204);
    assert_eq!(client.post("b", &[TEXT], &"x".repeat(60)).await.status, 507);
    client.send("DELETE", "a", &[], "").await;
    assert_eq!(client.post("b", &[TEXT], &"x".repeat(60)).await.status, 204);
    assert_eq!(client.put("c", &[TEXT], "").await.status, 201);
}

#[tokio::test]
async fn a_large_append_is_kept_exactly() {
    let Lab { client, server: _server } = Lab::start().await;
    client.put("a", &[], "").await;
    let octets = ("content-type", "application/octet-stream");
    let body: Vec<u8> = (0..10 << 20).map(|number: u32| (number % 251) as u8).collect();
    assert_eq!(client.send("POST", "a", &[octets], body.clone()).await.status, 204);
    let every_byte: Vec<u8> = (0..=255).collect();
    client.send("POST", "a", &[octets], every_byte.clone()).await;
    let mut read = Vec::new();
    let mut offset = "-1".to_owned();
    while read.len() < body.len() + every_byte.len() {
        let page = client.get(&format!("a?offset={offset}"), &[]).await;
        read.extend_from_slice(&page.body);
        page.tail().clone_into(&mut offset);
    }
    assert!(read == [body, every_byte].concat());
}

#[tokio::test]
async fn expired_streams_vanish_unasked() {
    let limits = Limits { streams: 1, ..Limits::default() };
    let config = Config { limits, sweep_interval: Duration::from_millis(20), ..Config::default() };
    let Lab { client, server: _server } = Lab::with(config).await;
    client.put("a", &[TEXT, ("stream-ttl", "1")], "x").await;
    assert_eq!(client.put("b", &[TEXT], "").await.status, 507);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(client.put("b", &[TEXT], "").await.status, 201);
}
