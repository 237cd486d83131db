use bytes::{Buf, BytesMut};

use crate::wire::{Head, Headers, Limits};

/// The longest line that announces a chunk, in bytes; extensions make such lines long.
const CHUNK_LINE: usize = 4096;

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
    longest_trailers: usize,
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
    pub(in crate::wire) fn new(framing: Framing, limits: &Limits) -> Self {
        let state = match framing {
            Framing::Empty => State::Length { left: 0, whole: 0 },
            Framing::Length(whole) => State::Length { left: whole, whole },
            Framing::Chunked => State::ChunkLine,
            Framing::UntilClose => State::UntilClose,
        };
        Self { state, longest_trailers: limits.head }
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
                State::ChunkLine => match take_line(input) {
                    Ok(None) => return Progress::More,
                    Ok(Some(line)) => match chunk_size(&line) {
                        Ok(0) => State::Trailers,
                        Ok(left) => State::ChunkData { left },
                        Err(reason) => State::Bad(reason),
                    },
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
                State::Trailers => match take_trailers(input, self.longest_trailers) {
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

/// A line without its CR LF.
fn take_line(input: &mut BytesMut) -> Result<Option<Vec<u8>>, String> {
    let Some(end) = input.iter().take(CHUNK_LINE).position(|byte| *byte == b'\n') else {
        let endless = input.len() >= CHUNK_LINE;
        return if endless { Err("a chunk is announced by an endless line".to_owned()) } else { Ok(None) };
    };
    let line = input.split_to(end + 1);
    match line.strip_suffix(b"\r\n") {
        Some(line) => Ok(Some(line.to_vec())),
        None => Err(format!("the line \"{}\" that announces a chunk ends without CR", shortened(&line))),
    }
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

fn take_trailers(input: &mut BytesMut, longest: usize) -> Result<Option<Headers>, String> {
    if input.starts_with(b"\r\n") {
        input.advance(2);
        return Ok(Some(Headers::default()));
    }
    let Some(end) = input.windows(4).take(longest).position(|four| four == b"\r\n\r\n") else {
        let endless = input.len() > longest;
        return if endless { Err(format!("the trailers are larger than {longest} bytes")) } else { Ok(None) };
    };
    let raw = input.split_to(end + 4);
    let mut fields = [httparse::EMPTY_HEADER; 64];
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
