//! A page to watch streams and logs in a browser.
//!
//! It is one document without anything from outside; its parts are in `page/`.

use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderName, header};
use sha2::{Digest, Sha256};

const DOCUMENT: &str = include_str!("../page/index.html");
const STYLE: &str = include_str!("../page/page.css");
const SCRIPT: &str = concat!(
    include_str!("../page/lines.js"),
    include_str!("../page/events.js"),
    include_str!("../page/stream.js"),
    include_str!("../page/log.js"),
    include_str!("../page/session.js"),
    include_str!("../page/form.js"),
);

/// `GET /`: the page, which finds streams below `stream_root` (a path such as `/v1/stream`).
pub fn router(stream_root: &str) -> Router {
    let page = Arc::new(Page::new(stream_root));
    Router::new().route("/", get(move || async move { page.response() }))
}

#[derive(Debug)]
struct Page {
    document: String,
    policy: String,
}

impl Page {
    fn new(stream_root: &str) -> Self {
        let root = escape_attribute(stream_root.trim_end_matches('/'));
        // The root comes first: what it says is not searched for the other marks.
        let (before, after) = DOCUMENT.split_once("{{stream-root}}").expect("the document has a root");
        let after = after.replacen("{{style}}", STYLE, 1).replacen("{{script}}", SCRIPT, 1);
        Self { document: format!("{before}{root}{after}"), policy: content_security_policy() }
    }

    fn response(&self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CACHE_CONTROL, "no-cache"),
            (header::CONTENT_SECURITY_POLICY, &self.policy),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
            (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        ];
        (headers, self.document.clone()).into_response()
    }
}

/// Only this script and this style run, by their hashes: streams share the page's origin, so
/// 'self' would let a stream of type text/javascript be one of its scripts.
fn content_security_policy() -> String {
    let script = source_hash(SCRIPT);
    let style = source_hash(STYLE);
    format!(
        "default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'"
    )
}

fn source_hash(source: &str) -> String {
    format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(source)))
}

fn escape_attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_whole_and_has_nothing_from_outside() {
        let page = Page::new("/a\"&<b>{{script}}/");
        assert!(page.document.contains(r#"content="/a&quot;&amp;&lt;b>{{script}}""#));
        assert_eq!(page.document.matches("{{").count(), 1, "only the one in the root is left");
        assert_eq!(page.document.matches("<script").count(), 1);
        assert_eq!(page.document.matches("<style").count(), 1);
        for outside in ["src=", "https://", "href=\"/", "href=\"http", "@import", "import("] {
            assert!(!page.document.contains(outside), "{outside}");
        }
        assert!(!STYLE.contains("url("));
    }

    #[test]
    fn the_policy_names_what_stands_in_the_document() {
        let page = Page::new("/v1/stream");
        let between = |start: &str, end: &str| {
            let (_, after) = page.document.split_once(start).unwrap();
            source_hash(after.split_once(end).unwrap().0)
        };
        assert!(page.policy.contains(&between("<script>", "</script>")));
        assert!(page.policy.contains(&between("<style>", "</style>")));
        assert!(!page.policy.contains("unsafe"));
    }
}
