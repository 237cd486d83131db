//! One answer to a read: a range of a stream, cut between two appends.

use bytes::{Bytes, BytesMut};

use super::{content_type::Format, entity_tag::EntityTag, offset::Offset};

/// A range of a stream and the stream's state when it was taken.
///
/// The chunks share memory with the store.
#[derive(Clone, Debug)]
pub struct Page {
    /// The stream, across all that ever lived at its path.
    pub stream_id: u64,
    /// How its bytes are treated.
    pub format: Format,
    /// Where the range begins.
    pub start: Offset,
    /// Where it ends, and the next read begins.
    pub end: Offset,
    /// Whether it reaches the tail.
    pub at_tail: bool,
    /// Whether the stream is closed.
    pub closed: bool,
    pub(crate) chunks: Vec<Bytes>,
}

/// What of a page is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Collect {
    Content,
    /// Where it ends and what is there: enough to tell whether a client has it.
    Extent,
}

/// Chunks below this size are cheaper to copy together than to send one by one.
const WORTH_SHARING: usize = 16 * 1024;

impl Page {
    /// Whether there is no data in the range.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Whether nothing will ever follow the range (section 5.6).
    pub fn is_final(&self) -> bool {
        self.at_tail && self.closed
    }

    /// The tag of this answer (section 10.1).
    pub fn entity_tag(&self) -> EntityTag {
        EntityTag {
            stream_id: self.stream_id,
            start: self.start,
            end: self.end,
            at_tail: self.at_tail,
            closed: self.closed,
        }
    }

    /// The content as it is sent: the bytes, or the messages in a JSON array (section 9.1.5).
    pub fn into_frames(self) -> Vec<Bytes> {
        match self.format {
            Format::Json => join_small(array_of(self.chunks)),
            Format::Text | Format::Binary => join_small(self.chunks),
        }
    }

    /// The content as it is sent, in one piece.
    pub fn into_bytes(self) -> Bytes {
        let mut frames = self.into_frames();
        match frames.len() {
            0 => Bytes::new(),
            1 => frames.remove(0),
            _ => frames.concat().into(),
        }
    }
}

fn array_of(mut chunks: Vec<Bytes>) -> Vec<Bytes> {
    if let Some(last) = chunks.last_mut() {
        // Every message is stored with a comma behind it.
        last.truncate(last.len() - 1);
    }
    let mut frames = Vec::with_capacity(chunks.len() + 2);
    frames.push(Bytes::from_static(b"["));
    frames.append(&mut chunks);
    frames.push(Bytes::from_static(b"]"));
    frames
}

fn join_small(chunks: Vec<Bytes>) -> Vec<Bytes> {
    if chunks.len() < 2 {
        return chunks;
    }
    let mut frames = Vec::new();
    let mut small = BytesMut::new();
    for chunk in chunks {
        if chunk.len() < WORTH_SHARING {
            small.extend_from_slice(&chunk);
            continue;
        }
        if !small.is_empty() {
            frames.push(small.split().freeze());
        }
        frames.push(chunk);
    }
    if !small.is_empty() {
        frames.push(small.freeze());
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(format: Format, chunks: &[&'static str]) -> Page {
        Page {
            stream_id: 1,
            format,
            start: Offset::START,
            end: Offset::START,
            at_tail: true,
            closed: false,
            chunks: chunks.iter().map(|chunk| Bytes::from_static(chunk.as_bytes())).collect(),
        }
    }

    #[test]
    fn messages_become_one_array() {
        assert_eq!(page(Format::Json, &[]).into_bytes(), "[]");
        assert_eq!(page(Format::Json, &["1,"]).into_bytes(), "[1]");
        assert_eq!(page(Format::Json, &["1,[2],", "{},"]).into_bytes(), "[1,[2],{}]");
    }

    #[test]
    fn bytes_are_sent_as_they_are() {
        assert!(page(Format::Binary, &[]).into_frames().is_empty());
        assert_eq!(page(Format::Text, &["a", "b,"]).into_bytes(), "ab,");
    }

    #[test]
    fn large_chunks_are_shared_and_small_ones_joined() {
        let large = Bytes::from(vec![b'x'; WORTH_SHARING]);
        let mut mixed = page(Format::Binary, &["a", "b", "c"]);
        mixed.chunks.insert(2, large.clone());
        let frames = mixed.into_frames();
        assert_eq!(frames.len(), 3);
        assert_eq!(frames[1].as_ptr(), large.as_ptr());
        assert_eq!(frames[0], "ab");
    }
}
