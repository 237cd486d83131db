use tokio::{spawn, task::JoinHandle, time::sleep};

use super::{client::Answer, *};

fn poll(client: &Client, path: &str) -> JoinHandle<Answer> {
    let (client, path) = (client.clone(), path.to_owned());
    spawn(async move { client.get(&format!("{path}&live=long-poll"), &[]).await })
}

/// Long enough for a request to arrive and begin to wait.
async fn settle() {
    sleep(Duration::from_millis(80)).await;
}

#[tokio::test]
async fn an_append_answers_all_who_wait() {
    let Lab { client, server: _server } = Lab::patient().await;
    client.put("a", &[TEXT], "old").await;
    let waiting: Vec<_> = (0..10).map(|_| poll(&client, "a?offset=now")).collect();
    settle().await;
    assert!(waiting.iter().all(|waiter| !waiter.is_finished()));
    let tail = client.post("a", &[TEXT], "new").await.tail().to_owned();
    for waiter in waiting {
        let answer = waiter.await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.text()), (200, "new"));
        assert_eq!(answer.tail(), tail);
        assert_eq!(answer.header("stream-up-to-date"), Some("true"));
        assert!(answer.header("stream-cursor").is_some() && answer.header("etag").is_some());
    }
}

#[tokio::test]
async fn what_is_there_is_answered_at_once() {
    let Lab { client, server: _server } = Lab::patient().await;
    client.put("a", &[TEXT], "one").await;
    assert_eq!(poll(&client, "a?offset=-1").await.unwrap().text(), "one");
}

#[tokio::test]
async fn no_append_is_slept_through() {
    let Lab { client, server: _server } = Lab::patient().await;
    let mut tail = client.put("a", &[TEXT], "").await.tail().to_owned();
    for round in 0..200 {
        let waiter = poll(&client, &format!("a?offset={tail}"));
        sleep(Duration::from_micros(round * 20)).await;
        client.post("a", &[TEXT], "x").await.tail().clone_into(&mut tail);
        assert_eq!(waiter.await.unwrap().text(), "x");
    }
}

#[tokio::test]
async fn time_runs_out_at_the_tail() {
    let Lab { client, server: _server } = Lab::start().await;
    let tail = client.put("a", &[TEXT], "one").await.tail().to_owned();
    let answer = poll(&client, &format!("a?offset={tail}")).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
    assert_eq!(answer.tail(), tail);
    assert_eq!(answer.header("stream-up-to-date"), Some("true"));
    assert_eq!(answer.header("stream-closed"), None);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn an_empty_stream_is_waited_for() {
    let Lab { client, server: _server } = Lab::patient().await;
    client.put("a", &[TEXT], "").await;
    let waiter = poll(&client, "a?offset=-1");
    settle().await;
    client.post("a", &[TEXT], "one").await;
    assert_eq!(waiter.await.unwrap().text(), "one");
}

#[tokio::test]
async fn closure_answers_and_says_so() {
    let Lab { client, server: _server } = Lab::patient().await;
    client.put("a", &[TEXT], "one").await;
    client.put("b", &[TEXT], "one").await;
    let (bare, last) = (poll(&client, "a?offset=now"), poll(&client, "b?offset=now"));
    settle().await;
    client.post("a", &[CLOSE], "").await;
    client.post("b", &[TEXT, CLOSE], "two").await;
    let (bare, last) = (bare.await.unwrap(), last.await.unwrap());
    assert_eq!((bare.status.as_u16(), bare.header("stream-closed")), (204, Some("true")));
    assert_eq!(bare.header("stream-up-to-date"), Some("true"));
    assert_eq!((last.status.as_u16(), last.text()), (200, "two"));
    assert_eq!(last.header("stream-closed"), Some("true"));
    let again = poll(&client, "a?offset=now").await.unwrap();
    assert_eq!((again.status.as_u16(), again.header("stream-closed")), (204, Some("true")));
}

#[tokio::test]
async fn deletion_ends_the_wait() {
    let Lab { client, server: _server } = Lab::patient().await;
    client.put("a", &[TEXT], "").await;
    client.put("b", &[TEXT], "").await;
    client.put("fork", &[("stream-forked-from", "/v1/stream/b")], "").await;
    let (deleted, softly) = (poll(&client, "a?offset=-1"), poll(&client, "b?offset=-1"));
    settle().await;
    client.send("DELETE", "a", &[], "").await;
    client.send("DELETE", "b", &[], "").await;
    assert_eq!(deleted.await.unwrap().status, 404);
    assert_eq!(softly.await.unwrap().status, 410);
}

#[tokio::test]
async fn cursors_lead_on() {
    let Lab { client, server: _server } = Lab::start().await;
    client.put("a", &[TEXT], "one").await;
    let cursor = async |client_cursor: &str| -> u64 {
        let answer = poll(&client, &format!("a?offset=-1&cursor={client_cursor}")).await.unwrap();
        answer.header("stream-cursor").unwrap().parse().unwrap()
    };
    let current = cursor("").await;
    assert_eq!(cursor("abc").await.abs_diff(current), 0);
    let mut last = current;
    for _ in 0..10 {
        let next = cursor(&last.to_string()).await;
        assert!((1..=180).contains(&(next - last)), "{last} {next}");
        last = next;
    }
}

#[tokio::test]
async fn a_fork_wakes_for_its_own_appends_only() {
    let Lab { client, server: _server } = Lab::patient().await;
    client.put("a", &[TEXT], "one").await;
    client.put("f", &[("stream-forked-from", "/v1/stream/a")], "").await;
    let waiter = poll(&client, "f?offset=now");
    settle().await;
    client.post("a", &[TEXT], "source").await;
    settle().await;
    assert!(!waiter.is_finished());
    client.post("f", &[TEXT], "fork").await;
    assert_eq!(waiter.await.unwrap().text(), "fork");
}
