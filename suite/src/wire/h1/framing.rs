use bytes::{Buf, BytesMut};

use crate::wire::{Head, Headers};

/// The longest line that announces a chunk, in bytes; extensions make such lines long.
const CHUNK_LINE: usize = 4096;

/// So many chunks may come in any case; beyond them they have to carry two bytes each on the average: whoever sends less
/// sends framing, not content.
const CHUNKS: u64 = 64 * 1024;

/// The most that trailers may be, in bytes and in fields.
const TRAILERS: usize = 8192;
const TRAILER_FIELDS: usize = 64;

/// How the end of a body is known (RFC 9112, section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::wire) enum Framing {
    Empty,
    Length(u64),
    Chunked,
    UntilClose,
}

impl Framing {
    /// The framing that a head announces; `Err` tells why it announces none that makes sense.
    pub(in crate::wire) fn of(head: &Head, to_head: bool) -> Result<Self, String> {
        if to_head || matches!(head.status, 100..=199 | 204 | 304) {
            return Ok(Self::Empty);
        }
        if let Some(last) = head.headers.members("Transfer-Encoding").last() {
            return Ok(if last.eq_ignore_ascii_case("chunked") { Self::Chunked } else { Self::UntilClose });
        }
        let mut lengths = Vec::new();
        for value in head.headers.all("Content-Length") {
            for member in String::from_utf8_lossy(value).split(',') {
                lengths.push(length(member.trim())?);
            }
        }
        match lengths.split_first() {
            None => Ok(Self::UntilClose),
            Some((first, rest)) if rest.iter().all(|other| other == first) => Ok(Self::Length(*first)),
            Some(_) => Err("it has several different Content-Lengths".to_owned()),
        }
    }

    /// Whether the connection can be used further after the body.
    pub(in crate::wire) fn is_delimited(self) -> bool {
        self != Self::UntilClose
    }
}

fn length(text: &str) -> Result<u64, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|_| digits)
        .ok_or_else(|| format!("its Content-Length `{}` is no number", text.escape_debug()))
}

/// Takes the framing off a body.
pub(in crate::wire) struct Decoder {
    state: State,
    chunks: u64,
    /// Bytes in all chunks so far.
    content: u64,
}

enum State {
    Length { left: u64, whole: u64 },
    UntilClose,
    ChunkLine,
    ChunkData { left: u64 },
    ChunkEnd,
    Trailers,
    Done { trailers: Headers },
    Bad(String),
}

/// Where a decoder stands when it has used up its input.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::wire) enum Progress {
    More,
    Done { trailers: Headers },
    Bad(String),
}

impl Decoder {
    pub(in crate::wire) fn new(framing: Framing) -> Self {
        let state = match framing {
            Framing::Empty => State::Length { left: 0, whole: 0 },
            Framing::Length(whole) => State::Length { left: whole, whole },
            Framing::Chunked => State::ChunkLine,
            Framing::UntilClose => State::UntilClose,
        };
        Self { state, chunks: 0, content: 0 }
    }

    /// Moves content from `input` to `content`, as far as it goes; what belongs to no body stays in `input`.
    pub(in crate::wire) fn decode(&mut self, input: &mut BytesMut, content: &mut Vec<u8>) -> Progress {
        loop {
            let next = match &mut self.state {
                State::Length { left, .. } => {
                    move_content(input, content, left);
                    if *left > 0 {
                        return Progress::More;
                    }
                    State::Done { trailers: Headers::default() }
                }
                State::UntilClose => {
                    content.extend_from_slice(input);
                    input.clear();
                    return Progress::More;
                }
                State::ChunkLine => match take_chunk_size(input) {
                    Ok(None) => return Progress::More,
                    Ok(Some(0)) => State::Trailers,
                    Ok(Some(_)) if self.chunks > CHUNKS + self.content / 2 => {
                        State::Bad(format!("it comes in more than {CHUNKS} chunks, and no more are read"))
                    }
                    Ok(Some(left)) => {
                        self.chunks += 1;
                        self.content = self.content.saturating_add(left);
                        State::ChunkData { left }
                    }
                    Err(reason) => State::Bad(reason),
                },
                State::ChunkData { left } => {
                    move_content(input, content, left);
                    if *left > 0 {
                        return Progress::More;
                    }
                    State::ChunkEnd
                }
                State::ChunkEnd => match input.get(..2) {
                    None => return Progress::More,
                    Some(b"\r\n") => {
                        input.advance(2);
                        State::ChunkLine
                    }
                    Some(other) => State::Bad(format!(
                        "a chunk is followed by \"{}\", not by CR LF",
                        other.escape_ascii()
                    )),
                },
                State::Trailers => match take_trailers(input) {
                    Ok(None) => return Progress::More,
                    Ok(Some(trailers)) => State::Done { trailers },
                    Err(reason) => State::Bad(reason),
                },
                State::Done { trailers } => return Progress::Done { trailers: trailers.clone() },
                State::Bad(reason) => return Progress::Bad(reason.clone()),
            };
            self.state = next;
        }
    }

    /// Whether the body may end here because the connection did; `Err` tells what is missing.
    pub(in crate::wire) fn at_close(&self) -> Result<(), String> {
        match &self.state {
            State::UntilClose | State::Done { .. } => Ok(()),
            State::Length { left, whole } => {
                Err(format!("the connection ended after {} of {whole} announced bytes", whole - left))
            }
            State::ChunkLine | State::ChunkEnd => {
                Err("the connection ended before the terminating chunk".to_owned())
            }
            State::ChunkData { left } => {
                Err(format!("the connection ended {left} bytes before the end of a chunk"))
            }
            State::Trailers => Err("the connection ended inside the trailers".to_owned()),
            State::Bad(reason) => Err(reason.clone()),
        }
    }
}

fn move_content(input: &mut BytesMut, content: &mut Vec<u8>, left: &mut u64) {
    let size = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
    content.extend_from_slice(&input[..size]);
    input.advance(size);
    *left -= size as u64;
}

/// The size that the next line announces.
fn take_chunk_size(input: &mut BytesMut) -> Result<Option<u64>, String> {
    let Some(end) = input.iter().take(CHUNK_LINE).position(|byte| *byte == b'\n') else {
        let endless = input.len() >= CHUNK_LINE;
        return if endless { Err("a chunk is announced by an endless line".to_owned()) } else { Ok(None) };
    };
    let line = &input[..end];
    let Some(line) = line.strip_suffix(b"\r") else {
        return Err(format!("the line \"{}\" that announces a chunk ends without CR", shortened(line)));
    };
    let size = chunk_size(line)?;
    input.advance(end + 1);
    Ok(Some(size))
}

fn chunk_size(line: &[u8]) -> Result<u64, String> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let rest = line[digits..].trim_ascii_start();
    let size = std::str::from_utf8(&line[..digits]).ok().and_then(|text| u64::from_str_radix(text, 16).ok());
    match size {
        Some(size) if rest.is_empty() || rest.starts_with(b";") => Ok(size),
        _ => Err(format!("\"{}\" announces no chunk", shortened(line))),
    }
}

fn take_trailers(input: &mut BytesMut) -> Result<Option<Headers>, String> {
    if input.starts_with(b"\r\n") {
        input.advance(2);
        return Ok(Some(Headers::default()));
    }
    let Some(end) = input.windows(4).take(TRAILERS).position(|four| four == b"\r\n\r\n") else {
        let endless = input.len() > TRAILERS;
        return if endless {
            Err(format!("the trailers are larger than {TRAILERS} bytes"))
        } else {
            Ok(None)
        };
    };
    let raw = input.split_to(end + 4);
    let mut fields = [httparse::EMPTY_HEADER; TRAILER_FIELDS];
    match httparse::parse_headers(&raw, &mut fields) {
        Ok(httparse::Status::Complete((_, found))) => {
            Ok(Some(found.iter().map(|field| (field.name, field.value)).collect()))
        }
        _ => Err("the trailers are malformed".to_owned()),
    }
}

fn shortened(line: &[u8]) -> impl std::fmt::Display + '_ {
    line[..line.len().min(40)].escape_ascii()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::wire::Version;

    fn head(status: u16, headers: &[(&str, &str)]) -> Head {
        Head {
            version: Version::Http11,
            status,
            reason: String::new(),
            headers: headers.iter().copied().collect(),
            raw: Bytes::new(),
        }
    }

    fn framing(status: u16, headers: &[(&str, &str)]) -> Result<Framing, String> {
        Framing::of(&head(status, headers), false)
    }

    #[test]
    fn the_head_decides_the_framing() {
        assert_eq!(framing(200, &[("content-length", "5")]), Ok(Framing::Length(5)));
        assert_eq!(
            framing(200, &[("Content-Length", "5, 5"), ("content-LENGTH", "5")]),
            Ok(Framing::Length(5))
        );
        assert_eq!(framing(200, &[("Transfer-Encoding", "gzip, Chunked")]), Ok(Framing::Chunked));
        assert_eq!(framing(200, &[("Transfer-Encoding", "chunked, gzip")]), Ok(Framing::UntilClose));
        assert_eq!(
            framing(200, &[("Transfer-Encoding", "chunked"), ("Content-Length", "3")]),
            Ok(Framing::Chunked)
        );
        assert_eq!(framing(200, &[]), Ok(Framing::UntilClose));
        assert_eq!(framing(204, &[("Content-Length", "5")]), Ok(Framing::Empty));
        assert_eq!(framing(304, &[("Transfer-Encoding", "chunked")]), Ok(Framing::Empty));
        assert_eq!(Framing::of(&head(200, &[("Content-Length", "5")]), true), Ok(Framing::Empty));
    }

    #[test]
    fn a_length_that_makes_no_sense_is_refused() {
        for lengths in [
            &["5", "6"][..],
            &["5, 6"],
            &["-1"],
            &["+1"],
            &["5 5"],
            &[""],
            &["0x5"],
            &["99999999999999999999"],
        ] {
            let headers: Vec<_> = lengths.iter().map(|length| ("Content-Length", *length)).collect();
            assert!(framing(200, &headers).is_err(), "{lengths:?}");
        }
    }

    /// Decodes `input` in pieces that end at `cuts`; gives content, progress at the end, and what is left over.
    fn decode(framing: Framing, input: &[u8], cuts: &[usize]) -> (Vec<u8>, Progress, Vec<u8>) {
        let mut decoder = Decoder::new(framing);
        let (mut buffer, mut content) = (BytesMut::new(), Vec::new());
        let mut progress = Progress::More;
        let mut from = 0;
        for cut in cuts.iter().copied().chain([input.len()]) {
            let to = cut.clamp(from, input.len());
            buffer.extend_from_slice(&input[from..to]);
            progress = decoder.decode(&mut buffer, &mut content);
            from = to;
        }
        (content, progress, buffer.to_vec())
    }

    const CHUNKED: &[u8] =
        b"5;name=\"v\"\r\nhello\r\n00a \r\n, world...\r\n0\r\nDigest: x\r\nEmpty:\r\n\r\nHTTP/1.1";

    #[test]
    fn chunks_are_joined_and_trailers_kept() {
        let (content, progress, left) = decode(Framing::Chunked, CHUNKED, &[]);
        assert_eq!(content, b"hello, world...");
        assert_eq!(progress, Progress::Done { trailers: Headers::from([("Digest", "x"), ("Empty", "")]) });
        assert_eq!(left, b"HTTP/1.1");
    }

    #[test]
    fn broken_chunks_are_named() {
        for (input, complaint) in [
            (&b"hello\r\n"[..], "announces no chunk"),
            (b"\r\n", "announces no chunk"),
            (b"-1\r\n", "announces no chunk"),
            (b"5 x\r\n", "announces no chunk"),
            (b"fffffffffffffffff\r\n", "announces no chunk"),
            (b"5\nhello", "ends without CR"),
            (b"5\r\nhello!\r\n", "not by CR LF"),
            (b"0\r\nno colon here\r\n\r\n", "trailers are malformed"),
        ] {
            match decode(Framing::Chunked, input, &[]).1 {
                Progress::Bad(reason) => assert!(reason.contains(complaint), "{reason}"),
                other => panic!("{:?} gave {other:?}", input.escape_ascii().to_string()),
            }
        }
    }

    #[test]
    fn endless_chunk_lines_and_trailers_are_refused() {
        let line = vec![b'0'; CHUNK_LINE];
        assert!(matches!(decode(Framing::Chunked, &line, &[]).1, Progress::Bad(_)));
        let trailers = [&b"0\r\n"[..], &b"a: b\r\n".repeat(TRAILERS)].concat();
        assert!(matches!(decode(Framing::Chunked, &trailers, &[]).1, Progress::Bad(_)));
    }

    #[test]
    fn a_close_is_the_end_only_where_nothing_is_missing() {
        let at_close = |framing, input: &[u8]| {
            let mut decoder = Decoder::new(framing);
            decoder.decode(&mut BytesMut::from(input), &mut Vec::new());
            decoder.at_close()
        };
        assert_eq!(at_close(Framing::UntilClose, b"any"), Ok(()));
        assert_eq!(at_close(Framing::Length(3), b"any"), Ok(()));
        assert_eq!(at_close(Framing::Chunked, b"0\r\n\r\n"), Ok(()));
        assert!(at_close(Framing::Length(4), b"any").is_err());
        for cut in
            [&b""[..], b"3", b"3\r\n", b"3\r\nan", b"3\r\nany", b"3\r\nany\r\n", b"0\r\n", b"0\r\nA: b\r\n"]
        {
            assert!(at_close(Framing::Chunked, cut).is_err(), "{}", cut.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn how_the_bytes_arrive_makes_no_difference(mut cuts in prop::collection::vec(0..CHUNKED.len(), 0..12)) {
            cuts.sort_unstable();
            prop_assert_eq!(decode(Framing::Chunked, CHUNKED, &cuts), decode(Framing::Chunked, CHUNKED, &[]));
        }

        #[test]
        fn what_is_chunked_comes_out_as_it_was(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..8)) {
            let mut wire = Vec::new();
            for chunk in &chunks {
                wire.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
                wire.extend_from_slice(chunk);
                wire.extend_from_slice(b"\r\n");
            }
            wire.extend_from_slice(b"0\r\n\r\n");
            let (content, progress, left) = decode(Framing::Chunked, &wire, &[]);
            prop_assert_eq!(content, chunks.concat());
            prop_assert_eq!(progress, Progress::Done { trailers: Headers::default() });
            prop_assert!(left.is_empty());
        }
    }
}
