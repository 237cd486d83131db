//! The streams as subscriptions see them.

use serde_json::Value;
use thiserror::Error;

/// Cursor of a stream that has no position yet: what readers send to start at the beginning (section 8).
///
/// It sorts before every offset the server issues, so that offsets and cursors compare as plain strings.
pub(super) const STREAM_START: &str = "-1";

/// What subscriptions read of streams. Paths are relative to the stream root and percent-decoded.
///
/// Implementations are called while subscriptions are locked, so they must not call back into them.
pub(crate) trait StreamView {
    /// Offset behind the last event, or `None` where no readable stream is at `path`.
    fn tail(&self, path: &str) -> Option<String>;

    /// Tail at the stream's creation: its first offset, or the offset a fork branched off at.
    fn origin(&self, path: &str) -> Option<String>;

    /// Whether `offset` is a token this server could have issued for a position in a stream.
    fn is_offset(&self, offset: &str) -> bool;

    /// Paths of all readable streams.
    fn paths(&self) -> Vec<String>;
}

/// Streams that wake events can be appended to.
pub(crate) trait Streams: StreamView + Send + Sync {
    /// Appends one JSON message, as a client's POST would; subscriptions hear of it in the same way.
    fn append_json(&self, path: &str, message: &Value) -> Result<(), AppendRefused>;
}

/// The stream does not exist, is closed, or takes no JSON.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the stream takes no wake events")]
pub(crate) struct AppendRefused;
