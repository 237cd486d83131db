use streamgauge::wire::{Ending, Headers, Request, Version, WireError};
use tokio::io::AsyncWriteExt;

use crate::server::{AMPLE, Server, client, fetch, read_request};

#[tokio::test]
async fn headers_keep_case_order_duplicates_and_empty_values() {
    let head = "HTTP/1.1 200 Fine\r\nsTReam-oFFset: 1\r\nContent-Length: 2\r\nx-Empty:\r\nVary: a\r\nvary: B\r\n\r\n";
    let response = fetch(format!("{head}ok")).await.unwrap();
    let expected =
        [("sTReam-oFFset", "1"), ("Content-Length", "2"), ("x-Empty", ""), ("Vary", "a"), ("vary", "B")];
    assert_eq!(response.head.headers, Headers::from(expected));
    assert_eq!((response.status(), response.head.reason.as_str()), (200, "Fine"));
    assert_eq!(response.head.version, Version::Http11);
    assert_eq!(response.head.raw, head);
    assert_eq!(response.headers().all("VARY").collect::<Vec<_>>(), [b"a", b"B"]);
    assert_eq!(&response.body[..], b"ok");
    assert!(response.ending.is_clean());
}

#[tokio::test]
async fn values_need_not_be_utf8() {
    let response = fetch(&b"HTTP/1.1 204 No\r\nX: caf\xe9\r\n\r\n"[..]).await.unwrap();
    assert_eq!(response.headers().first("x"), Some(&b"caf\xe9"[..]));
}

#[tokio::test]
async fn chunks_are_joined_and_trailers_kept() {
    let answer =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: u\r\n\r\n";
    let response = fetch(answer).await.unwrap();
    assert_eq!(&response.body[..], b"abcde");
    assert_eq!(response.trailers, Headers::from([("T", "u")]));
    assert!(response.ending.is_clean());
}

#[tokio::test]
async fn a_body_may_be_ended_by_the_close() {
    for version in ["1.0", "1.1"] {
        let response = fetch(format!("HTTP/{version} 200 OK\r\n\r\nall of it")).await.unwrap();
        assert_eq!(&response.body[..], b"all of it");
        assert!(response.ending.is_clean());
    }
}

#[tokio::test]
async fn a_body_shorter_than_announced_is_torn() {
    let response = fetch("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello").await.unwrap();
    assert_eq!(&response.body[..], b"hello");
    assert_eq!(
        response.ending,
        Ending::Torn("the connection ended after 5 of 10 announced bytes".to_owned())
    );
    assert!(matches!(response.whole(), Err(WireError::Torn { .. })));
}

#[tokio::test]
async fn chunks_without_an_end_are_torn() {
    for cut in ["", "5", "5\r\n", "5\r\nhel", "5\r\nhello", "5\r\nhello\r\n", "5\r\nhello\r\n0\r\n"] {
        let answer = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{cut}");
        let response = fetch(answer).await.unwrap();
        assert!(matches!(response.ending, Ending::Torn(_)), "{cut:?}: {:?}", response.ending);
        assert!(b"hello".starts_with(&response.body));
    }
}

#[tokio::test]
async fn chunks_of_a_wrong_size_are_torn() {
    let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n";
    let response = fetch(answer).await.unwrap();
    assert_eq!(response.ending, Ending::Torn("a chunk is followed by \"lo\", not by CR LF".to_owned()));
    assert_eq!(&response.body[..], b"hel");
}

#[tokio::test]
async fn a_reset_inside_a_body_is_torn() {
    let server = Server::new(|mut stream, _| async move {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello").await.unwrap();
        stream.flush().await.unwrap();
        // Time for the bytes to be read, as a reset may overtake them.
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        reset(&stream);
    })
    .await;
    let response = client().fetch(&server.get(), AMPLE).await.unwrap();
    assert_eq!(&response.body[..], b"hello");
    let Ending::Torn(reason) = &response.ending else { panic!("{:?}", response.ending) };
    assert!(reason.contains("broke"), "{reason}");
}

#[tokio::test]
async fn a_reset_or_close_before_the_answer_is_an_error() {
    let resetting = Server::new(|mut stream, _| async move {
        read_request(&mut stream).await;
        reset(&stream);
    })
    .await;
    let error = client().fetch(&resetting.get(), AMPLE).await.unwrap_err();
    assert!(matches!(error, WireError::Broken { received: 0, .. }), "{error:?}");
    assert_eq!(fetch("").await.unwrap_err(), WireError::Closed { received: 0 });
    let error = fetch("HTTP/1.1 200 OK\r\nContent-").await.unwrap_err();
    assert_eq!(error, WireError::Closed { received: 25 });
    assert_eq!(error.to_string(), "the server closed the connection before it answered (25 bytes had come)");
}

/// Makes closing send RST instead of FIN.
fn reset(stream: &tokio::net::TcpStream) {
    stream.set_zero_linger().unwrap();
}

#[tokio::test]
async fn what_is_not_http_is_told_at_once() {
    let server = Server::new(|mut stream, _| async move {
        stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n").await.unwrap();
        tokio::time::sleep(AMPLE).await;
    })
    .await;
    let error = client().fetch(&server.get(), AMPLE).await.unwrap_err();
    assert_eq!(error.to_string(), r#"the answer is not HTTP: it begins with "SSH-2.0-OpenSSH_9.6\r\n""#);
}

#[tokio::test]
async fn lengths_that_contradict_each_other_are_malformed() {
    let error =
        fetch("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk").await.unwrap_err();
    assert_eq!(error.to_string(), "the answer is not HTTP: it has several different Content-Lengths");
}

#[tokio::test]
async fn interim_answers_come_before_the_final_one() {
    let answer =
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 204 No\r\n\r\n";
    let response = fetch(answer).await.unwrap();
    assert_eq!(response.status(), 204);
    assert_eq!(response.interim.iter().map(|head| head.status).collect::<Vec<_>>(), [103, 102]);
    assert_eq!(response.interim[0].headers, Headers::from([("Link", "x")]));
}

#[tokio::test]
async fn nothing_is_decompressed_and_no_redirect_is_followed() {
    let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03";
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", gzip.len());
    let response = fetch([head.as_bytes(), gzip].concat()).await.unwrap();
    assert_eq!(&response.body[..], gzip);

    let (server, seen) =
        Server::keeping(b"HTTP/1.1 307 Moved\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n").await;
    let response = client().fetch(&server.get(), AMPLE).await.unwrap();
    assert_eq!(response.status(), 307);
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_answer_to_head_has_no_body_and_bytes_that_follow_show() {
    let server = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await;
    let response = client().fetch(&Request::new("HEAD", server.target.clone()), AMPLE).await.unwrap();
    assert!(response.body.is_empty() && response.ending.is_clean());
    assert_eq!(&response.surplus[..], b"hello");
}
