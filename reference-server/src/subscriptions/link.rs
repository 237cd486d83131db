//! The streams of one subscription and how far each is processed (section 6.1).

use std::collections::BTreeMap;

use serde::Serialize;

use super::path::StreamPath;
use super::streams::{STREAM_START, StreamView};
use crate::sabotage::{Switch, Switches};

/// Why a stream belongs to a subscription; the explicit link wins where both hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum LinkType {
    Glob,
    Explicit,
}

/// A linked stream and the last offset processed there, inclusive.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) link_type: LinkType,
    pub(super) acked: String,
}

/// All links of a subscription, in the order of their paths.
#[derive(Clone, Debug, Default)]
pub(super) struct Links(BTreeMap<String, Link>);

/// One linked stream as wakes and claims show it (section 7.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct StreamStatus {
    pub(super) path: String,
    pub(super) link_type: LinkType,
    pub(super) acked_offset: String,
    pub(super) tail_offset: String,
    pub(super) has_pending: bool,
}

impl Links {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Link)> {
        self.0.iter().map(|(path, link)| (path.as_str(), link))
    }

    pub(super) fn find(&self, path: &str) -> Option<&Link> {
        self.0.get(path)
    }

    /// Links a stream at its tail, or makes an existing link explicit and leaves its cursor alone.
    pub(super) fn add_explicit(&mut self, path: &StreamPath, streams: &dyn StreamView, switches: Switches) {
        let tail = streams.tail(path.as_str()).filter(|_| !switches.on(Switch::NamedStreamsArePending));
        if switches.on(Switch::AddedStreamsSkipPending) {
            self.0.remove(path.as_str());
        }
        let link = self.0.entry(path.as_str().to_owned()).or_insert_with(|| Link {
            link_type: LinkType::Explicit,
            acked: tail.unwrap_or_else(|| STREAM_START.to_owned()),
        });
        link.link_type = LinkType::Explicit;
    }

    /// Links a stream at `cursor` unless it is linked already.
    pub(super) fn add_matched(&mut self, path: &str, cursor: String) {
        if !self.0.contains_key(path) {
            self.0.insert(path.to_owned(), Link { link_type: LinkType::Glob, acked: cursor });
        }
    }

    /// Takes the explicit link away; `still_matched` leaves the glob one, cursor and all.
    pub(super) fn remove_explicit(&mut self, path: &StreamPath, still_matched: bool, switches: Switches) {
        match self.0.get_mut(path.as_str()) {
            Some(_) if still_matched && switches.on(Switch::RemovalLeavesExplicit) => {}
            Some(link) if still_matched && !switches.on(Switch::RemovalTakesGlobToo) => {
                link.link_type = LinkType::Glob;
                if switches.on(Switch::RemovalResetsCursor) {
                    link.acked = STREAM_START.to_owned();
                }
            }
            Some(link) if link.link_type == LinkType::Explicit => {
                self.0.remove(path.as_str());
            }
            _ => {}
        }
    }

    /// The stream is gone. A client's explicit link outlives it; a stream made anew at its path is all pending.
    pub(super) fn stream_deleted(&mut self, path: &str) {
        match self.0.get_mut(path) {
            Some(link) if link.link_type == LinkType::Explicit => {
                link.acked = STREAM_START.to_owned();
            }
            Some(_) => {
                self.0.remove(path);
            }
            None => {}
        }
    }

    /// Moves a cursor forward to `offset`; cursors never go back.
    pub(super) fn ack(&mut self, path: &str, offset: &str) {
        if let Some(link) = self.0.get_mut(path)
            && link.acked.as_str() < offset
        {
            link.acked = offset.to_owned();
        }
    }

    /// Moves a cursor to wherever `offset` is.
    pub(super) fn force(&mut self, path: &str, offset: &str) {
        if let Some(link) = self.0.get_mut(path) {
            link.acked = offset.to_owned();
        }
    }

    /// Moves all cursors to the start.
    pub(super) fn rewind(&mut self) {
        self.0.values_mut().for_each(|link| link.acked = STREAM_START.to_owned());
    }

    /// Moves all cursors to the tails of their streams.
    pub(super) fn ack_everything(&mut self, streams: &dyn StreamView) {
        for (path, link) in &mut self.0 {
            link.acked = streams.tail(path).unwrap_or_else(|| STREAM_START.to_owned());
        }
    }

    pub(super) fn is_pending(&self, path: &str, streams: &dyn StreamView) -> bool {
        self.0.get(path).is_some_and(|link| link.has_pending(path, streams))
    }

    pub(super) fn first_pending(&self, streams: &dyn StreamView) -> Option<&str> {
        self.iter().find(|(path, link)| link.has_pending(path, streams)).map(|(path, _)| path)
    }

    pub(super) fn statuses(&self, streams: &dyn StreamView) -> Vec<StreamStatus> {
        self.iter()
            .map(|(path, link)| StreamStatus {
                path: path.to_owned(),
                link_type: link.link_type,
                acked_offset: link.acked.clone(),
                tail_offset: streams.tail(path).unwrap_or_else(|| STREAM_START.to_owned()),
                has_pending: link.has_pending(path, streams),
            })
            .collect()
    }
}

impl Link {
    fn has_pending(&self, path: &str, streams: &dyn StreamView) -> bool {
        let Some(tail) = streams.tail(path) else {
            return false;
        };
        // A stream linked before it existed is at its start: an empty one has no events, wherever its offsets begin.
        if self.acked == STREAM_START {
            streams.origin(path).is_none_or(|origin| tail > origin)
        } else {
            tail > self.acked
        }
    }
}
