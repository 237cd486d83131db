//! Requests whose end can be read in two ways, by which one request is smuggled behind another.

use super::*;

/// Would be carried out if what stands before it ended where the smuggler wants it to.
const SMUGGLED: &str = "DELETE /v1/stream/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_smuggled() {
    let server = server(Config::default()).await;
    ask(&server, "PUT", "a", TEXT, "").await;
    let smuggled = SMUGGLED.len();
    for (name, headers, body) in [
        (
            "both lengths",
            format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", smuggled + 5),
            format!("0\r\n\r\n{SMUGGLED}"),
        ),
        (
            "both, the other way round",
            format!("Transfer-Encoding: chunked\r\nContent-Length: {}\r\n", smuggled + 5),
            format!("0\r\n\r\n{SMUGGLED}"),
        ),
        (
            "two lengths",
            format!("Content-Length: 1\r\nContent-Length: {}\r\n", smuggled + 1),
            format!("x{SMUGGLED}"),
        ),
        ("a list of lengths", format!("Content-Length: 1, {}\r\n", smuggled + 1), format!("x{SMUGGLED}")),
        ("a negative length", "Content-Length: -1\r\n".to_owned(), SMUGGLED.to_owned()),
        ("a length with a sign", "Content-Length: +1\r\n".to_owned(), format!("x{SMUGGLED}")),
        ("a length in hexadecimal", "Content-Length: 0x1\r\n".to_owned(), format!("x{SMUGGLED}")),
        (
            "a length beyond all numbers",
            "Content-Length: 99999999999999999999999\r\n".to_owned(),
            format!("x{SMUGGLED}"),
        ),
        (
            "a coding that is not known",
            "Transfer-Encoding: xchunked\r\n".to_owned(),
            format!("0\r\n\r\n{SMUGGLED}"),
        ),
        (
            "a coding after chunked",
            "Transfer-Encoding: chunked, identity\r\n".to_owned(),
            format!("0\r\n\r\n{SMUGGLED}"),
        ),
        (
            "a blank before the colon",
            "Transfer-Encoding : chunked\r\n".to_owned(),
            format!("0\r\n\r\n{SMUGGLED}"),
        ),
        (
            "a folded header",
            "X: y\r\n Transfer-Encoding: chunked\r\n".to_owned(),
            format!("0\r\n\r\n{SMUGGLED}"),
        ),
        (
            "a chunk size in words",
            "Transfer-Encoding: chunked\r\n".to_owned(),
            format!("one\r\nx\r\n0\r\n\r\n{SMUGGLED}"),
        ),
        (
            "a negative chunk",
            "Transfer-Encoding: chunked\r\n".to_owned(),
            format!("-1\r\nx\r\n0\r\n\r\n{SMUGGLED}"),
        ),
        (
            "a chunk beyond all numbers",
            "Transfer-Encoding: chunked\r\n".to_owned(),
            format!("fffffffffffffffff\r\nx\r\n0\r\n\r\n{SMUGGLED}"),
        ),
        (
            "a chunk with more in it",
            "Transfer-Encoding: chunked\r\n".to_owned(),
            format!("1\r\nxyz\r\n0\r\n\r\n{SMUGGLED}"),
        ),
        (
            "a chunk ended by LF",
            "Transfer-Encoding: chunked\r\n".to_owned(),
            format!("1\r\nx\n0\r\n\r\n{SMUGGLED}"),
        ),
    ] {
        let request = format!("POST /v1/stream/a HTTP/1.1\r\nHost: x\r\n{TEXT}{headers}\r\n{body}");
        let answered = statuses(&raw(server.addr, request.as_bytes()).await);
        assert!(answered.len() <= 1, "{name}: {answered:?}");
        assert!(answered.iter().all(|status| (400..500).contains(status)), "{name}: {answered:?}");
        let (status, stream) = ask(&server, "GET", "a?offset=-1", "", "").await;
        assert_eq!((status, stream.ends_with("\r\n\r\n")), (200, true), "{name}: {stream}");
    }
    others_are_served(&server).await;
    comes_to_rest(&server, 1, 0).await;
}

/// A bare LF ends a line for some and not for others. Here it does, everywhere, and so hides nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_bare_line_feed_means_the_same_everywhere() {
    let server = server(Config::default()).await;
    ask(&server, "PUT", "a", TEXT, "").await;
    let request = "POST /v1/stream/a HTTP/1.1\nHost: x\nContent-Type: text/plain\nConnection: close\nContent-Length: 1\n\nx";
    let answered = statuses(&raw(server.addr, request.as_bytes()).await);
    assert!(matches!(answered[..], [204] | [400]), "{answered:?}");
    let (_, stream) = ask(&server, "GET", "a?offset=-1", "", "").await;
    assert_eq!(stream.ends_with("\r\n\r\nx"), answered == [204], "{stream}");
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_beyond_all_bounds_are_refused() {
    let server = server(Config::default()).await;
    ask(&server, "PUT", "a", TEXT, "").await;
    let large = "x".repeat(1 << 20);
    for head in [
        format!("GET /v1/stream/a HTTP/1.1\r\nHost: x\r\nX: {large}\r\n\r\n"),
        format!("GET /v1/stream/a HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: y\r\n".repeat(10_000)),
        format!("GET /v1/stream/a?offset={large} HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("{large} /v1/stream/a HTTP/1.1\r\nHost: x\r\n\r\n"),
        "GET /v1/stream/a HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n".to_owned(),
        "GET /v1/stream/a HTTP/1.1\r\nHost: x\r\nX: \u{1b}[2J\r\n\r\n".to_owned(),
    ] {
        let answered = statuses(&raw(server.addr, head.as_bytes()).await);
        let is_refusal = |status: &u16| (400..500).contains(status);
        assert!(answered.len() <= 1 && answered.iter().all(is_refusal), "{}: {answered:?}", &head[..40]);
    }
    others_are_served(&server).await;
    comes_to_rest(&server, 1, 0).await;
}
