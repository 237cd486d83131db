//! The JSON of a `logs` event, and the frames of the event stream.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use super::entry::Entry;

/// Entries to send, with what is said about them.
#[derive(Debug)]
pub(super) struct Payload {
    pub(super) entries: Vec<Arc<Entry>>,
    pub(super) meta: Meta,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Meta {
    /// How many entries the server holds that pass the reader's filter.
    pub(super) total_count: u64,
    pub(super) displayed_count: usize,
    /// The server holds older entries than these. Only the first batch says so.
    pub(super) has_more: bool,
    /// How many entries the server let go before this reader came by. With a step filter some of
    /// them may have been of other steps.
    pub(super) dropped: u64,
}

/// Size from which a chunk is sent, in bytes.
const CHUNK_BYTES: usize = 64 << 10;

impl Payload {
    /// Of a job that nothing is known of.
    pub(super) fn empty() -> Self {
        let meta = Meta { total_count: 0, displayed_count: 0, has_more: false, dropped: 0 };
        Self { entries: Vec::new(), meta }
    }

    /// Forgets what is more than that many entries.
    pub(super) fn truncate(&mut self, count: usize) {
        self.entries.truncate(count);
        self.meta.displayed_count = self.entries.len();
    }

    /// The whole `logs` event.
    pub(super) fn into_event(self) -> Bytes {
        let size: usize = self.entries.iter().map(|entry| entry.json().len() + 1).sum();
        let mut event = Vec::with_capacity(size + 128);
        for chunk in self.into_event_chunks() {
            event.extend_from_slice(&chunk);
        }
        event.into()
    }

    /// The `logs` event in pieces that are written when they are asked for: readers that begin
    /// with many entries and then do not read share these entries, not copies of their text.
    pub(super) fn into_event_chunks(self) -> Chunks {
        Chunks::new(self, "event: logs\ndata: ", "\n\n")
    }

    /// The JSON alone, in pieces.
    pub(super) fn into_json_chunks(self) -> Chunks {
        Chunks::new(self, "", "")
    }
}

/// The text of a payload, piece by piece.
#[derive(Debug)]
pub(super) struct Chunks {
    entries: std::vec::IntoIter<Arc<Entry>>,
    written: String,
    tail: Option<String>,
}

impl Chunks {
    fn new(payload: Payload, before: &str, after: &str) -> Self {
        let meta = serde_json::to_string(&payload.meta).expect("numbers always serialise");
        Self {
            entries: payload.entries.into_iter(),
            written: format!("{before}{{\"logs\":["),
            tail: Some(format!("],\"meta\":{meta}}}{after}")),
        }
    }
}

impl Iterator for Chunks {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let tail = self.tail.take()?;
        let mut chunk = std::mem::take(&mut self.written);
        while chunk.len() < CHUNK_BYTES {
            let Some(entry) = self.entries.next() else {
                chunk.push_str(&tail);
                return Some(chunk.into());
            };
            chunk.push_str(entry.json());
            if self.entries.len() > 0 {
                chunk.push(',');
            }
        }
        self.tail = Some(tail);
        Some(chunk.into())
    }
}

/// A `status` or `ping` event.
pub(super) fn event(name: &str, json: &str) -> Bytes {
    format!("event: {name}\ndata: {json}\n\n").into()
}

#[cfg(test)]
mod tests {
    use super::super::entry::{Level, NewEntry, Stamp};
    use super::*;

    fn payload(count: usize, message: &str) -> Payload {
        let entries = (0..count).map(|n| {
            let new = NewEntry {
                level: Level::Info,
                message: message.to_owned(),
                job_id: None,
                step_name: None,
                line_number: None,
            };
            Entry::new(new, Stamp { sequence: n as u64, timestamp: "", line_number: 1 })
        });
        let meta = Meta { total_count: 9, displayed_count: count, has_more: true, dropped: 0 };
        Payload { entries: entries.collect(), meta }
    }

    #[test]
    fn nothing_to_send_is_an_event_all_the_same() {
        assert_eq!(
            payload(0, "").into_event(),
            "event: logs\ndata: {\"logs\":[],\"meta\":{\"total_count\":9,\"displayed_count\":0,\
             \"has_more\":true,\"dropped\":0}}\n\n"
        );
    }

    #[test]
    fn pieces_join_to_one_line_of_json() {
        let long = "x\n".repeat(CHUNK_BYTES / 4);
        for (count, pieces) in [(1, 1), (2, 2), (5, 3)] {
            let chunks: Vec<_> = payload(count, &long).into_event_chunks().collect();
            assert_eq!(chunks.len(), pieces, "{count} entries");
            let text = String::from_utf8(chunks.concat()).unwrap();
            let json = text.strip_prefix("event: logs\ndata: ").unwrap();
            let json = json.strip_suffix("\n\n").unwrap();
            assert!(!json.contains('\n'));
            let value: serde_json::Value = serde_json::from_str(json).unwrap();
            let sequences: Vec<_> =
                value["logs"].as_array().unwrap().iter().map(|e| &e["sequence"]).collect();
            assert_eq!(sequences, (0..count).collect::<Vec<_>>());
        }
    }
}
