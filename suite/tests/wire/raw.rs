use std::time::{Duration, Instant};

use bytes::Bytes;
use streamgauge::wire::{
    Ending, Phase, WireError,
    raw::{Afterwards, AnswerTo, Cue, Piece, Script, Transcript},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::server::{AMPLE, Server, client, read_request};

async fn exchange(server: &Server, script: &Script) -> Result<Transcript, WireError> {
    client().raw(&server.target.endpoint, script, AMPLE).await
}

fn get(answer: AnswerTo) -> Script {
    Script::simple("GET / HTTP/1.1\r\nHost: x\r\n\r\n", answer)
}

#[tokio::test]
async fn bytes_after_an_answer_without_a_body_are_seen() {
    for (status, answer) in [(204, AnswerTo::Other), (304, AnswerTo::Other), (200, AnswerTo::Head)] {
        let server = Server::new(move |mut stream, _| async move {
            read_request(&mut stream).await;
            let head = format!("HTTP/1.1 {status} X\r\nContent-Length: 4\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
            stream.write_all(b"body").await.unwrap();
            tokio::time::sleep(AMPLE).await;
        })
        .await;
        let transcript = exchange(&server, &get(answer)).await.unwrap();
        assert_eq!(transcript.responses[0].status(), status);
        assert!(transcript.responses[0].body.is_empty());
        assert_eq!(&transcript.surplus[..], b"body");
        assert_eq!(transcript.afterwards, Some(Afterwards::Open));
    }
}

#[tokio::test]
async fn nothing_after_an_answer_is_nothing() {
    let server = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await;
    let transcript = exchange(&server, &get(AnswerTo::Other)).await.unwrap();
    assert_eq!(&transcript.responses[0].body[..], b"hello");
    assert!(transcript.surplus.is_empty());
    assert_eq!(transcript.afterwards, Some(Afterwards::Closed));
    assert!(transcript.responses[0].timing.sent.is_some());
}

#[tokio::test]
async fn any_bytes_can_be_sent_in_pieces() {
    let (server, seen) = Server::keeping(b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n").await;
    let pieces = [
        &b"GET /a b HTTP/1.1\r\nBad Name: \x00\r\nCont"[..],
        b"ent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    ];
    let cue = Cue::After(Duration::from_millis(50));
    let pieces = pieces.map(|bytes| Piece { cue, bytes: Bytes::from_static(bytes) });
    let script = Script { pieces: pieces.to_vec(), answers: vec![AnswerTo::Other], ..Script::default() };
    let began = Instant::now();
    let transcript = exchange(&server, &script).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(100));
    assert_eq!(transcript.responses[0].status(), 400);
    let expected = "GET /a b HTTP/1.1\r\nBad Name: \0\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc";
    assert_eq!(seen.lock().unwrap()[0], expected);
}

#[tokio::test]
async fn pipelined_requests_get_their_answers_in_order() {
    let server = Server::new(|mut stream, _| async move {
        for body in ["one", "two"] {
            read_request(&mut stream).await.unwrap();
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        read_request(&mut stream).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n").await.unwrap();
    })
    .await;
    let requests = "GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(3);
    let answers = vec![AnswerTo::Other, AnswerTo::Other, AnswerTo::Head, AnswerTo::Other];
    let script = Script { answers, ..Script::simple(requests, AnswerTo::Other) };
    let transcript = exchange(&server, &script).await.unwrap();
    let bodies: Vec<_> = transcript.responses.iter().map(|response| &response.body[..]).collect();
    assert_eq!(bodies, [&b"one"[..], b"two", b""]);
    assert_eq!(transcript.failure, Some(WireError::Closed { received: 0 }));
    assert_eq!(transcript.afterwards, None);
}

#[tokio::test]
async fn the_body_can_wait_for_100_continue() {
    const HEAD: &[u8] = b"PUT / HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    let server = Server::new(|mut stream, _| async move {
        stream.read_exact(&mut [0; HEAD.len()]).await.unwrap();
        let early = tokio::time::timeout(Duration::from_millis(100), stream.read_u8()).await;
        assert!(early.is_err(), "the body did not wait");
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
        let mut body = [0; 5];
        stream.read_exact(&mut body).await.unwrap();
        let answer = [&b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"[..], &body].concat();
        stream.write_all(&answer).await.unwrap();
    })
    .await;
    let pieces = vec![
        Piece { cue: Cue::AtOnce, bytes: Bytes::from_static(HEAD) },
        Piece { cue: Cue::OnInterim, bytes: Bytes::from_static(b"hello") },
    ];
    let script = Script { pieces, answers: vec![AnswerTo::Other], ..Script::default() };
    let transcript = exchange(&server, &script).await.unwrap();
    assert_eq!(transcript.responses[0].interim[0].status, 100);
    assert_eq!(&transcript.responses[0].body[..], b"hello");
}

#[tokio::test]
async fn a_half_closed_request_can_still_be_answered() {
    let server = Server::new(|mut stream, _| async move {
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        let answer = format!("HTTP/1.1 400 Bad\r\nContent-Length: 2\r\n\r\n{:02}", all.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let script = Script { half_close: true, ..Script::simple("PUT / HTTP/1.1\r\nContent", AnswerTo::Other) };
    let transcript = exchange(&server, &script).await.unwrap();
    assert_eq!(&transcript.responses[0].body[..], b"23");
}

#[tokio::test]
async fn an_answer_that_is_not_whole_ends_the_reading() {
    let server = Server::answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel").await;
    let script = Script { answers: vec![AnswerTo::Other; 2], ..get(AnswerTo::Other) };
    let transcript = exchange(&server, &script).await.unwrap();
    assert_eq!(transcript.responses.len(), 1);
    assert!(matches!(transcript.responses[0].ending, Ending::Torn(_)));
    assert_eq!((transcript.failure, transcript.afterwards), (None, None));
}

#[tokio::test]
async fn surplus_is_bounded() {
    let server = Server::new(|mut stream, _| async move {
        read_request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 204 No\r\n\r\n").await;
        while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
    })
    .await;
    let transcript = exchange(&server, &get(AnswerTo::Other)).await.unwrap();
    assert_eq!(transcript.surplus.len(), 64 * 1024);
}

#[tokio::test]
async fn silence_meets_the_deadline() {
    let server = Server::new(|stream, _| async move {
        tokio::time::sleep(AMPLE).await;
        drop(stream);
    })
    .await;
    let time = Duration::from_millis(150);
    let began = Instant::now();
    let error = client().raw(&server.target.endpoint, &get(AnswerTo::Other), time).await.unwrap_err();
    assert!(matches!(error, WireError::NoAnswer { phase: Phase::Head, .. }), "{error:?}");
    assert!(began.elapsed() < 3 * time);
}
