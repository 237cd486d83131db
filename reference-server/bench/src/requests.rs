//! Requests as the bytes that go out, made once and sent often.

use std::{fmt, net::SocketAddr, str::FromStr};

/// A stream root.
#[derive(Clone)]
pub(crate) struct Root {
    pub(crate) address: SocketAddr,
    path: String,
}

impl Root {
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self { address, path: "/v1/stream".to_owned() }
    }

    pub(crate) fn put(&self, stream: &str) -> Vec<u8> {
        self.request("PUT", stream, "Content-Type: text/plain\r\nContent-Length: 0\r\n", b"")
    }

    /// A stream that lives for that many seconds.
    pub(crate) fn put_for(&self, stream: &str, seconds: u32) -> Vec<u8> {
        let headers = format!("Content-Type: text/plain\r\nStream-TTL: {seconds}\r\nContent-Length: 0\r\n");
        self.request("PUT", stream, &headers, b"")
    }

    pub(crate) fn post(&self, stream: &str, body: &[u8]) -> Vec<u8> {
        let headers = format!("Content-Type: text/plain\r\nContent-Length: {}\r\n", body.len());
        self.request("POST", stream, &headers, body)
    }

    /// `more` are whole header lines.
    pub(crate) fn get(&self, stream_and_query: &str, more: &str) -> Vec<u8> {
        self.request("GET", stream_and_query, more, b"")
    }

    pub(crate) fn delete(&self, stream: &str) -> Vec<u8> {
        self.request("DELETE", stream, "", b"")
    }

    fn request(&self, method: &str, stream: &str, headers: &str, body: &[u8]) -> Vec<u8> {
        let Self { address, path } = self;
        let head = format!("{method} {path}/{stream} HTTP/1.1\r\nHost: {address}\r\n{headers}\r\n");
        [head.as_bytes(), body].concat()
    }
}

impl fmt::Display for Root {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "http://{}{}", self.address, self.path)
    }
}

impl FromStr for Root {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        let wrong = || format!("{url:?}: write http://ADDRESS:PORT/PATH, with an address in digits");
        let rest = url.strip_prefix("http://").ok_or_else(wrong)?;
        let (address, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = format!("/{}", path.trim_end_matches('/'));
        Ok(Self {
            address: address.parse().map_err(|_| wrong())?,
            path: path.trim_end_matches('/').to_owned(),
        })
    }
}
