//! The head of an answer: no more of it than the load needs.

use std::io;

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) length: usize,
    pub(crate) is_chunked: bool,
    pub(crate) next_offset: Option<String>,
    pub(crate) entity_tag: Option<String>,
}

impl Answer {
    /// The head at the beginning of these bytes and its size, once it is there in full.
    pub(crate) fn parse(bytes: &[u8]) -> io::Result<Option<(Self, usize)>> {
        let mut fields = [httparse::EMPTY_HEADER; 32];
        let mut head = httparse::Response::new(&mut fields);
        let parsed =
            head.parse(bytes).map_err(|error| io::Error::other(format!("an answer is no HTTP: {error}")))?;
        let httparse::Status::Complete(size) = parsed else { return Ok(None) };
        let status = head.code.unwrap_or_default();
        let mut answer = Self { status, length: 0, is_chunked: false, next_offset: None, entity_tag: None };
        for field in head.headers.iter() {
            let text = || String::from_utf8_lossy(field.value).into_owned();
            if field.name.eq_ignore_ascii_case("content-length") && !matches!(status, 204 | 304) {
                answer.length = text().parse().map_err(io::Error::other)?;
            } else if field.name.eq_ignore_ascii_case("transfer-encoding") {
                answer.is_chunked = true;
            } else if field.name.eq_ignore_ascii_case("stream-next-offset") {
                answer.next_offset = Some(text());
            } else if field.name.eq_ignore_ascii_case("etag") {
                answer.entity_tag = Some(text());
            }
        }
        Ok(Some((answer, size)))
    }
}
