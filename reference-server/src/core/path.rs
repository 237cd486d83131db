//! Stream paths: which URL paths name a stream, and how (sections 6 and 12.2).

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::error::Malformed;

/// The first path segment that belongs to the control API and to no stream.
pub const RESERVED_SEGMENT: &str = "__ds";

/// Longest acceptable path, in bytes as sent.
pub const LONGEST_PATH: usize = 4096;

/// The URL path under which all streams live, such as `/v1/stream` or `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamRoot(Box<str>);

impl StreamRoot {
    /// Takes a path with or without slashes at its ends; nothing or `/` is the root of the server.
    pub fn new(path: &str) -> Self {
        match path.trim_matches('/') {
            "" => Self("/".into()),
            inner => Self(format!("/{inner}/").into()),
        }
    }

    /// The root with a slash at both ends.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the root in a URL path, still percent-encoded.
    pub fn strip<'a>(&self, url_path: &'a str) -> Option<&'a str> {
        url_path.strip_prefix(&*self.0).filter(|rest| !rest.is_empty())
    }
}

/// The path of a stream below the root, percent-decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamPath<'a>(Cow<'a, str>);

impl<'a> StreamPath<'a> {
    /// Reads what follows the stream root in a URL path.
    ///
    /// # Errors
    /// Percent-encoding that is none; segments that are empty, that climb (`..`), or that hide a separator or a control character
    /// behind percent-encoding, so that no two layers can disagree about which stream is meant.
    pub fn parse(encoded: &'a str) -> Result<Self, Malformed> {
        if encoded.len() > LONGEST_PATH {
            return Err(Malformed::Path("too long"));
        }
        let path = decode(encoded)?;
        for segment in path.split('/') {
            match segment {
                "" => return Err(Malformed::Path("an empty segment")),
                "." | ".." => return Err(Malformed::Path("a dot segment")),
                _ => {}
            }
        }
        if path.contains(|character: char| character.is_control() || character == '\\') {
            return Err(Malformed::Path("a control character or a backslash"));
        }
        Ok(Self(path))
    }

    /// The decoded path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What follows `__ds/`, still percent-encoded, when the path belongs to the control API. Asked before
/// a stream path is parsed, since control paths may hold encoded slashes.
pub fn reserved(encoded: &str) -> Option<&str> {
    let (first, rest) = encoded.split_once('/').unwrap_or((encoded, ""));
    let is_reserved = percent_decode_str(first).eq(RESERVED_SEGMENT.bytes());
    is_reserved.then_some(rest)
}

fn decode(encoded: &str) -> Result<Cow<'_, str>, Malformed> {
    if !encoded.contains('%') {
        return Ok(Cow::Borrowed(encoded));
    }
    if encoded.to_ascii_lowercase().contains("%2f") {
        return Err(Malformed::Path("an encoded slash"));
    }
    let is_whole = |escape: &str| {
        escape.get(..2).is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
    };
    if !encoded.split('%').skip(1).all(is_whole) {
        return Err(Malformed::Path("a percent sign without two hexadecimal digits"));
    }
    percent_decode_str(encoded).decode_utf8().map_err(|_| Malformed::Path("not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_normalised() {
        for text in ["/v1/stream", "v1/stream", "/v1/stream/"] {
            assert_eq!(StreamRoot::new(text).as_str(), "/v1/stream/");
        }
        let root = StreamRoot::new("/v1/stream");
        assert_eq!(root.strip("/v1/stream/a/b"), Some("a/b"));
        assert_eq!(root.strip("/v1/stream"), None);
        assert_eq!(root.strip("/v1/stream/"), None);
        assert_eq!(root.strip("/v1/streams/a"), None);
        assert_eq!(StreamRoot::new("/").strip("/a"), Some("a"));
        assert_eq!(StreamRoot::new("").strip("/"), None);
    }

    #[test]
    fn paths_are_decoded_once() {
        let decoded = |encoded| StreamPath::parse(encoded).unwrap().as_str().to_owned();
        assert_eq!(decoded("a/b-c.d"), "a/b-c.d");
        assert_eq!(decoded("a%20b/%C3%A9"), "a b/é");
        assert_eq!(decoded("%252e%252e"), "%2e%2e");
        assert_eq!(decoded("..a"), "..a");
    }

    #[test]
    fn what_could_be_mistaken_is_refused() {
        for encoded in [
            "", "a//b", "a/", "/a", "..", "a/../b", ".", "%2e%2e/a", "%2E", "a%2fb", "a%2Fb", "a%00", "a\\b",
            "a%5cb", "a%0a", "%ff", "a%7f",
        ] {
            assert!(StreamPath::parse(encoded).is_err(), "{encoded:?}");
        }
        assert!(StreamPath::parse(&"a".repeat(LONGEST_PATH + 1)).is_err());
    }

    #[test]
    fn the_reserved_segment_is_compared_decoded() {
        assert_eq!(reserved("__ds"), Some(""));
        assert_eq!(reserved("__ds/jwks.json"), Some("jwks.json"));
        assert_eq!(reserved("%5f_d%73/a%2Fb"), Some("a%2Fb"));
        assert_eq!(reserved("__dsx"), None);
        assert_eq!(reserved("a/__ds"), None);
    }
}
