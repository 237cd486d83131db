use std::time::Duration;

use bytes::Bytes;
use url::Url;

use super::{Endpoint, Headers, WireError};

/// A request, of which method, target, headers and body are sent exactly as they stand here.
///
/// What is added, unless `headers` (or the client's standing headers) name it: `Host`, `User-Agent`, `Accept`,
/// and the framing of the body (`Content-Length` or `Transfer-Encoding`).
#[derive(Debug, Clone)]
pub struct Request {
    /// Sent as it is; any token.
    pub method: String,
    pub target: Target,
    /// In this order, duplicates and empty values included.
    pub headers: Headers,
    pub body: Body,
    /// Whether the request gets a connection of its own, which nothing used before and nothing will use after.
    pub fresh_connection: bool,
}

impl Request {
    /// A request without a body and without headers of its own.
    pub fn new(method: impl Into<String>, target: impl Into<Target>) -> Self {
        Self {
            method: method.into(),
            target: target.into(),
            headers: Headers::default(),
            body: Body::Absent,
            fresh_connection: false,
        }
    }

    /// The same request with one more header field.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// The same request with this body.
    #[must_use]
    pub fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// Whether the answer to this request has no body, whatever its headers say.
    pub fn is_head(&self) -> bool {
        self.method == "HEAD"
    }
}

/// The content of a request and how it is framed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Body {
    /// No content, framed as common clients do it: `Content-Length: 0` with POST, PUT and PATCH, else nothing.
    #[default]
    Absent,
    /// With `Content-Length`, also when empty.
    Bytes(Bytes),
    /// With `Transfer-Encoding: chunked`: each piece is one chunk, and `pause` is waited before each but the
    /// first. No piece at all means the terminating chunk alone. Empty pieces are left out, as they would end the body.
    Chunked { chunks: Vec<Bytes>, pause: Duration },
}

impl Body {
    /// All content in one piece.
    pub fn content(&self) -> Bytes {
        match self {
            Self::Absent => Bytes::new(),
            Self::Bytes(bytes) => bytes.clone(),
            Self::Chunked { chunks, .. } => chunks.concat().into(),
        }
    }

    /// How many bytes of content there are.
    pub fn size(&self) -> usize {
        match self {
            Self::Absent => 0,
            Self::Bytes(bytes) => bytes.len(),
            Self::Chunked { chunks, .. } => chunks.iter().map(Bytes::len).sum(),
        }
    }
}

/// Whom to ask, and the exact text of what is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub endpoint: Endpoint,
    /// Path and query as they appear in the request line: neither normalised nor re-encoded.
    pub path_and_query: String,
}

impl Target {
    /// Reads an absolute `http` or `https` URL. Unlike [`Url`], it keeps path and query to the letter: dot
    /// segments, empty segments, odd percent-encoding and duplicate parameters. A fragment is dropped.
    ///
    /// # Errors
    ///
    /// [`WireError::Unsendable`] when scheme, host or port cannot be made out.
    pub fn parse(url: &str) -> Result<Self, WireError> {
        let unsendable = |reason: String| WireError::Unsendable { reason };
        let authority = url
            .find("://")
            .map(|at| at + 3)
            .ok_or_else(|| unsendable(format!("`{url}` is not an absolute URL")))?;
        let path = url[authority..].find(['/', '?', '#']).map_or(url.len(), |at| authority + at);
        let origin = Url::parse(&url[..path])
            .map_err(|error| unsendable(format!("its URL cannot be read: {error}")))?;
        let endpoint = Endpoint::of(&origin)?;
        let text = url[path..].split('#').next().unwrap_or_default();
        let slash = if text.starts_with('/') { "" } else { "/" };
        Ok(Self { endpoint, path_and_query: format!("{slash}{text}") })
    }

    /// The same endpoint, asked for something else.
    #[must_use]
    pub fn with_path_and_query(&self, path_and_query: impl Into<String>) -> Self {
        Self { endpoint: self.endpoint.clone(), path_and_query: path_and_query.into() }
    }
}

impl TryFrom<&Url> for Target {
    type Error = WireError;

    fn try_from(url: &Url) -> Result<Self, WireError> {
        Self::parse(url.as_str())
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.endpoint, self.path_and_query)
    }
}

/// A request with all that is added to it.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) method: String,
    pub(super) target: Target,
    pub(super) headers: Headers,
    pub(super) body: Body,
}

impl Plan {
    pub(super) fn is_head(&self) -> bool {
        self.method == "HEAD"
    }

    /// Whether doing it twice is the same as doing it once, and changes nothing.
    pub(super) fn is_safe(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS")
    }
}

/// Adds what a request leaves open, and refuses what would not arrive as the one request it is meant to be.
pub(super) fn plan<'a>(
    request: &Request,
    standing: impl Iterator<Item = (&'a str, &'a [u8])>,
) -> Result<Plan, WireError> {
    let own = &request.headers;
    let mut headers = Headers::default();
    if !own.contains("Host") {
        headers.push("Host", request.target.endpoint.authority());
    }
    for (name, value) in standing.filter(|(name, _)| !own.contains(name)) {
        headers.push(name, value);
    }
    headers.0.extend(own.0.iter().cloned());
    for (name, value) in
        [("User-Agent", concat!("streamgauge/", env!("CARGO_PKG_VERSION"))), ("Accept", "*/*")]
    {
        if !headers.contains(name) {
            headers.push(name, value);
        }
    }
    if !headers.contains("Content-Length") && !headers.contains("Transfer-Encoding") {
        match &request.body {
            Body::Absent if matches!(request.method.as_str(), "POST" | "PUT" | "PATCH") => {
                headers.push("Content-Length", "0");
            }
            Body::Absent => {}
            Body::Bytes(bytes) => headers.push("Content-Length", bytes.len().to_string()),
            Body::Chunked { .. } => headers.push("Transfer-Encoding", "chunked"),
        }
    }
    let plan = Plan {
        method: request.method.clone(),
        target: request.target.clone(),
        headers,
        body: request.body.clone(),
    };
    refuse_what_splits(&plan)?;
    Ok(plan)
}

/// A stray blank or line end would make another request of this one, or two. Who wants that uses [`super::raw`].
fn refuse_what_splits(plan: &Plan) -> Result<(), WireError> {
    let word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte > b' ' && byte != 0x7f);
    let unsendable = |reason: String| Err(WireError::Unsendable { reason });
    if !word(&plan.method) {
        return unsendable(format!("the method {:?} is empty or has a blank in it", plan.method));
    }
    if !word(&plan.target.path_and_query) {
        return unsendable(format!(
            "the target {:?} is empty or has a blank in it",
            plan.target.path_and_query
        ));
    }
    for (name, value) in plan.headers.iter() {
        if !word(name) || name.contains(':') {
            return unsendable(format!("{name:?} is not the name of a header"));
        }
        if value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            return unsendable(format!("the value of the header `{name}` has a line end or a NUL in it"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_kept_to_the_letter() {
        for (url, authority, path_and_query) in [
            (
                "http://127.0.0.1:4437/v1/a?offset=1&offset=%2d1&x=a%zz",
                "127.0.0.1:4437",
                "/v1/a?offset=1&offset=%2d1&x=a%zz",
            ),
            ("http://h/a/../b//c/./?", "h", "/a/../b//c/./?"),
            ("https://h:443/a{}|\"é#part?no", "h", "/a{}|\"é"),
            ("http://[::1]:80", "[::1]", "/"),
            ("http://h?a=http://other/", "h", "/?a=http://other/"),
            ("HTTP://Host:8080/X", "host:8080", "/X"),
        ] {
            let target = Target::parse(url).unwrap();
            assert_eq!(target.endpoint.authority(), authority, "{url}");
            assert_eq!(target.path_and_query, path_and_query, "{url}");
        }
    }

    #[test]
    fn targets_without_a_place_to_go_are_refused() {
        for url in ["/v1/stream", "ftp://h/x", "http://", "http://user:pass@h/", "http://h:99999/"] {
            let error = Target::parse(url).unwrap_err();
            assert!(matches!(error, WireError::Unsendable { .. }), "{url}");
            assert!(!error.to_string().contains("pass"), "{error}");
        }
    }

    fn planned(request: &Request, standing: &[(&str, &[u8])]) -> Vec<(String, String)> {
        let plan = plan(request, standing.iter().copied()).unwrap();
        plan.headers
            .iter()
            .map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value).into_owned()))
            .collect()
    }

    fn request(method: &str) -> Request {
        Request::new(method, Target::parse("http://h:1/").unwrap())
    }

    #[test]
    fn what_a_request_names_itself_is_not_added() {
        let own = request("POST")
            .header("host", "other")
            .header("authorization", "")
            .header("content-length", "99")
            .header("USER-AGENT", "x")
            .header("accept", "a")
            .header("Accept", "b")
            .body(Body::Bytes(Bytes::from_static(b"hello")));
        let names: Vec<_> =
            planned(&own, &[("Authorization", b"Bearer t")]).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["host", "authorization", "content-length", "USER-AGENT", "accept", "Accept"]);
    }

    #[test]
    fn bodies_are_framed() {
        let framing = |request: Request| {
            let found = planned(&request, &[]);
            found
                .into_iter()
                .filter(|(name, _)| name.starts_with("Content-") || name.starts_with("Transfer-"))
                .collect::<Vec<_>>()
        };
        let field = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        assert_eq!(framing(request("GET")), []);
        assert_eq!(framing(request("DELETE")), []);
        assert_eq!(framing(request("PUT")), field("Content-Length", "0"));
        assert_eq!(framing(request("GET").body(Body::Bytes(Bytes::new()))), field("Content-Length", "0"));
        let chunked = Body::Chunked { chunks: vec![], pause: Duration::ZERO };
        assert_eq!(framing(request("POST").body(chunked)), field("Transfer-Encoding", "chunked"));
    }

    #[test]
    fn what_would_split_the_request_is_refused() {
        let refused = [
            request("GET / HTTP/1.1\r\nX: y\r\n\r\nGET"),
            request(""),
            request("GET").header("X", "a\r\nY: b"),
            request("GET").header("X", "a\0"),
            request("GET").header("X: y", "a"),
            request("GET").header("", "a"),
            Request::new("GET", Target::parse("http://h/").unwrap().with_path_and_query("/a b")),
        ];
        for request in refused {
            assert!(
                matches!(plan(&request, std::iter::empty()), Err(WireError::Unsendable { .. })),
                "{request:?}"
            );
        }
    }
}
