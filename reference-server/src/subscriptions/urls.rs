//! The URLs of control routes as receivers are told them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but the characters that no URL encodes (RFC 3986, section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) struct ControlUrls {
    stream_root: String,
}

impl ControlUrls {
    pub(super) fn new(stream_root: &str) -> Self {
        Self { stream_root: stream_root.trim_end_matches('/').to_owned() }
    }

    pub(super) fn jwks(&self) -> String {
        format!("{}/__ds/jwks.json", self.stream_root)
    }

    pub(super) fn callback(&self, subscription: &str) -> String {
        let id = utf8_percent_encode(subscription, ENCODED);
        format!("{}/__ds/subscriptions/{id}/callback", self.stream_root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_encoded_and_the_root_keeps_its_prefix() {
        let urls = ControlUrls::new("http://127.0.0.1:4437/v1/stream/");
        assert_eq!(urls.jwks(), "http://127.0.0.1:4437/v1/stream/__ds/jwks.json");
        assert_eq!(
            urls.callback("a/b c-é"),
            "http://127.0.0.1:4437/v1/stream/__ds/subscriptions/a%2Fb%20c-%C3%A9/callback"
        );
    }
}
