use bytes::{Bytes, BytesMut};

use crate::wire::{Head, Headers, Limits, Version, WireError};

/// Cuts heads off the front of what a connection gave, within limits that hold for all of them together.
pub(in crate::wire) struct HeadReader {
    limits: Limits,
    /// Bytes of the heads already cut off.
    spent: usize,
    interim: usize,
    /// How far the buffer was searched for the end of the head, so that a trickle of bytes costs no more than a gush.
    searched: usize,
}

impl HeadReader {
    pub(in crate::wire) fn new(limits: &Limits) -> Self {
        Self { limits: *limits, spent: 0, interim: 0, searched: 0 }
    }

    /// The next head, once it is there in full.
    pub(in crate::wire) fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Head>, WireError> {
        refuse_other_protocols(buffer)?;
        let end = head_end(buffer, self.searched);
        let size = self.spent + end.unwrap_or(buffer.len());
        if size > self.limits.head {
            return Err(too_large(format!("more than {} bytes", self.limits.head)));
        }
        let Some(end) = end else {
            self.searched = buffer.len();
            return Ok(None);
        };
        let head = parse(Bytes::copy_from_slice(&buffer.split_to(end)), &self.limits)?;
        (self.spent, self.searched) = (size, 0);
        if is_interim(&head) {
            self.interim += 1;
            if self.interim > self.limits.interim {
                return Err(too_large(format!("more than {} interim answers", self.limits.interim)));
            }
        }
        Ok(Some(head))
    }
}

/// Whether another head must follow this one. 101 is final: what follows it is another protocol.
pub(in crate::wire) fn is_interim(head: &Head) -> bool {
    (100..200).contains(&head.status) && head.status != 101
}

/// A server that speaks something else is told at its first byte, not when time runs out.
fn refuse_other_protocols(buffer: &[u8]) -> Result<(), WireError> {
    let start = b"HTTP/1.";
    let common = buffer.len().min(start.len());
    if buffer[..common] == start[..common] {
        return Ok(());
    }
    Err(WireError::Malformed { reason: format!("it begins with {}", excerpt(buffer)) })
}

/// The length of the head, empty line included, if that line is there. Line ends may lack their CR.
fn head_end(buffer: &[u8], searched: usize) -> Option<usize> {
    let from = searched.saturating_sub(3);
    buffer[from..].iter().enumerate().filter(|(_, byte)| **byte == b'\n').find_map(|(at, _)| {
        let after = from + at + 1;
        let rest = &buffer[after..];
        if rest.starts_with(b"\n") {
            Some(after + 1)
        } else if rest.starts_with(b"\r\n") {
            Some(after + 2)
        } else {
            None
        }
    })
}

fn parse(raw: Bytes, limits: &Limits) -> Result<Head, WireError> {
    let mut fields = vec![httparse::EMPTY_HEADER; limits.fields];
    let mut parsed = httparse::Response::new(&mut fields);
    match parsed.parse(&raw) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => {
            return Err(malformed("its head ends in the middle of a line", &raw));
        }
        Err(httparse::Error::TooManyHeaders) => {
            return Err(too_large(format!("more than {} header fields", limits.fields)));
        }
        Err(error) => return Err(malformed(complaint(error), &raw)),
    }
    let (Some(version), Some(status)) = (parsed.version, parsed.code) else {
        return Err(malformed("its status line is incomplete", &raw));
    };
    if status < 100 {
        return Err(malformed("its status is below 100", &raw));
    }
    let head = Head {
        version: if version == 0 { Version::Http10 } else { Version::Http11 },
        status,
        reason: parsed.reason.unwrap_or_default().to_owned(),
        headers: parsed.headers.iter().map(|field| (field.name, field.value)).collect::<Headers>(),
        raw: Bytes::new(),
    };
    Ok(Head { raw, ..head })
}

fn complaint(error: httparse::Error) -> &'static str {
    match error {
        httparse::Error::HeaderName => "the name of a header has a character that is not allowed there",
        httparse::Error::HeaderValue => "the value of a header has a character that is not allowed there",
        httparse::Error::NewLine => "a line ends with CR alone",
        httparse::Error::Status => "its status line has no status of three digits",
        httparse::Error::Version => "its status line names no version of HTTP/1",
        _ => "its head has a character that is not allowed there",
    }
}

fn malformed(complaint: &str, raw: &[u8]) -> WireError {
    WireError::Malformed { reason: format!("{complaint}; it begins with {}", excerpt(raw)) }
}

fn too_large(reason: String) -> WireError {
    WireError::HeadTooLarge { reason }
}

/// The first bytes in quotes, with what is not printable escaped.
fn excerpt(bytes: &[u8]) -> String {
    format!("\"{}\"", bytes[..bytes.len().min(40)].escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(limits: Limits, input: &[u8]) -> Result<Option<Head>, WireError> {
        HeadReader::new(&limits).next(&mut BytesMut::from(input))
    }

    const HEAD: &[u8] =
        b"HTTP/1.1 200 OK\r\nsTream-Next-OFFSET: 7\r\nX:\r\nSet-Cookie: a\r\nset-cookie: b\r\n\r\n";

    #[test]
    fn case_order_duplicates_and_empty_values_are_kept() {
        let head = read(Limits::default(), HEAD).unwrap().unwrap();
        assert_eq!(head.status, 200);
        assert_eq!(head.reason, "OK");
        let expected = [("sTream-Next-OFFSET", "7"), ("X", ""), ("Set-Cookie", "a"), ("set-cookie", "b")];
        assert_eq!(head.headers, Headers::from(expected));
        assert_eq!(head.headers.all("SET-COOKIE").collect::<Vec<_>>(), [b"a", b"b"]);
        assert_eq!(head.raw, HEAD);
    }

    #[test]
    fn byte_by_byte_gives_the_same() {
        let mut heads = HeadReader::new(&Limits::default());
        let mut buffer = BytesMut::new();
        for (index, byte) in HEAD.iter().enumerate() {
            buffer.extend_from_slice(&[*byte]);
            let head = heads.next(&mut buffer).unwrap();
            assert_eq!(head.is_some(), index + 1 == HEAD.len(), "at byte {index}");
        }
        assert!(buffer.is_empty());
    }

    #[test]
    fn what_follows_the_head_is_left() {
        let mut buffer = BytesMut::from(&b"HTTP/1.0 404\nA: b\n\nbody"[..]);
        let head = HeadReader::new(&Limits::default()).next(&mut buffer).unwrap().unwrap();
        assert_eq!((head.version, head.status, head.reason.as_str()), (Version::Http10, 404, ""));
        assert_eq!(&buffer[..], b"body");
    }

    #[test]
    fn other_protocols_are_told_at_the_first_byte() {
        for input in [
            &b"S"[..],
            b"SSH-2.0-OpenSSH",
            b"\x00\x00\x12\x04",
            b"HTTP/2 200 OK",
            b"<html>",
            b"\r\nHTTP/1.1 200",
        ] {
            assert!(
                matches!(read(Limits::default(), input), Err(WireError::Malformed { .. })),
                "{}",
                input.escape_ascii()
            );
        }
        assert_eq!(read(Limits::default(), b"HTT"), Ok(None));
    }

    #[test]
    fn broken_heads_are_named() {
        for (input, complaint) in [
            (&b"HTTP/1.1 OK\r\n\r\n"[..], "no status of three digits"),
            (b"HTTP/1.1 099 Low\r\n\r\n", "below 100"),
            (b"HTTP/1.1 200 OK\r\nbad name: x\r\n\r\n", "the name of a header"),
            (b"HTTP/1.1 200 OK\r\nname : x\r\n\r\n", "the name of a header"),
            (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "the name of a header"),
            (b"HTTP/1.1 200 OK\r\nname: a\0b\r\n\r\n", "the value of a header"),
            (b"HTTP/1.1 200 OK\r\nname: a\r\n folded\r\n\r\n", "the name of a header"),
            (b"HTTP/1.7 200 OK\r\n\r\n", "no version of HTTP/1"),
        ] {
            match read(Limits::default(), input) {
                Err(WireError::Malformed { reason }) => assert!(reason.contains(complaint), "{reason}"),
                other => panic!("{} gave {other:?}", input.escape_ascii()),
            }
        }
    }

    #[test]
    fn heads_are_bounded_one_by_one_and_together() {
        let limits = Limits { head: 100, fields: 2, interim: 1, ..Limits::default() };
        let too_large = |outcome| matches!(outcome, Err(WireError::HeadTooLarge { .. }));
        assert!(too_large(read(limits, &[b"HTTP/1.1 200 OK\r\nA: ", &[b'x'; 100][..]].concat())));
        assert!(too_large(read(limits, b"HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n")));
        let mut heads = HeadReader::new(&limits);
        let mut buffer = BytesMut::from(&b"HTTP/1.1 102 Wait\r\n\r\n".repeat(3)[..]);
        assert_eq!(heads.next(&mut buffer).unwrap().unwrap().status, 102);
        assert!(too_large(heads.next(&mut buffer)));
        let mut heads = HeadReader::new(&Limits { head: 30, ..limits });
        let mut buffer = BytesMut::from(&b"HTTP/1.1 102 Wait\r\n\r\n".repeat(2)[..]);
        assert!(heads.next(&mut buffer).is_ok());
        assert!(too_large(heads.next(&mut buffer)));
    }
}
