//! Paths that lead elsewhere, or nowhere.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn no_path_leads_to_another_stream() {
    let server = server(Config::default()).await;
    ask(&server, "PUT", "a", TEXT, "x").await;
    let long = "x".repeat(64 * 1024 - 100);
    let targets = [
        "/v1/stream/b/../a".as_bytes(),
        b"/v1/stream/b/..%2fa",
        b"/v1/stream/b%2f%2e%2e%2fa",
        b"/v1/stream/b/%252e%252e/a/..",
        b"/v1/stream/..%c0%afa",
        b"/v1/stream/a%00",
        b"/v1/stream/%00a",
        b"/v1/stream/a%00.txt",
        b"/v1/stream/\xff\xfe",
        b"/v1/stream/%ff%fe",
        b"/v1/stream/%ed%a0%80",
        b"/v1/stream/%f8%88%80%80%80",
        b"/v1/stream/%",
        b"/v1/stream/%zz",
        b"/v1/stream/a\\..\\a",
        b"/v1/stream/a%0d%0aX-Injected:%20y",
        b"/v1/stream/a%0aX-Injected:y",
        b"/v1/stream/__ds/../a",
        b"/v1/stream/_%5fds/jwks.json/..",
        b"//v1/stream/a",
        b"/v1//stream/a",
        b"*",
        b"a",
    ];
    let longest = format!("/v1/stream/{long}");
    for target in targets.into_iter().chain([longest.as_bytes()]) {
        for method in ["GET", "PUT", "POST", "DELETE", "HEAD"] {
            let head =
                [method.as_bytes(), b" ", target, b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"].concat();
            let request = [&head[..], TEXT.as_bytes(), b"Content-Length: 1\r\n\r\ny"].concat();
            let answer = raw(server.addr, &request).await;
            let shown = String::from_utf8_lossy(&target[..target.len().min(60)]);
            let answered = statuses(&answer);
            assert!(answered.len() <= 1, "{method} {shown}: {answered:?}");
            assert!(
                answered.iter().all(|status| (400..500).contains(status)),
                "{method} {shown}: {answered:?}"
            );
            let (head, _) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
            assert!(!head.to_lowercase().contains("\nx-injected"), "{method} {shown}: {answer}");
        }
    }
    assert_eq!(server.census().streams, 1);
    assert!(ask(&server, "GET", "a?offset=-1", "", "").await.1.ends_with("\r\n\r\nx"));
}
