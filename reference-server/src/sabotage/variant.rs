//! Right, but unusual: another way to keep every rule.

use serde::Deserialize;

use super::{Edit, notation::Span};
use crate::{
    config::{CacheVisibility, Config},
    core::offset_form::OffsetForm,
};

/// A way to keep all rules that this server does not use by itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Unique.
    pub name: String,
    /// What the server does in another way, as a sentence.
    pub title: String,
    /// Rules that a client may be unable to see kept while the server does it in this way.
    #[serde(default)]
    pub unseen: Vec<String>,
    /// Whether it concerns the log stream, too.
    #[serde(default)]
    pub logs: bool,
    #[serde(default)]
    settings: Settings,
    #[serde(default)]
    pub(super) edits: Vec<Edit>,
}

/// Settings of the server that differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    /// The path of the stream root.
    root: Option<String>,
    /// How offsets are spelled.
    offsets: Option<OffsetForm>,
    /// Bytes after which an answer to a read is cut, between two appends.
    page_size: Option<usize>,
    /// `private` in place of `public`.
    private: bool,
    /// How long a long-poll waits.
    long_poll_timeout: Option<Span>,
    /// How long an event stream stays open.
    sse_lifetime: Option<Span>,
    /// How often an idle event stream gets a comment.
    sse_keep_alive: Option<Span>,
    /// The length of a cursor's interval.
    cursor_interval: Option<Span>,
    /// How long the log stream gathers lines.
    batch_interval: Option<Span>,
    /// Bytes in one request body.
    max_body: Option<usize>,
    /// Names of headers in HTTP/1.1 begin with capitals.
    title_case_headers: bool,
}

impl Variant {
    /// Sets a server up for it.
    pub fn configure(&self, config: &mut Config) {
        let Settings {
            root,
            offsets,
            page_size,
            private,
            long_poll_timeout,
            sse_lifetime,
            sse_keep_alive,
            cursor_interval,
            batch_interval,
            max_body,
            title_case_headers,
        } = self.settings.clone();
        if let Some(root) = root {
            config.root = root;
        }
        if let Some(offsets) = offsets {
            config.offsets = offsets;
        }
        if let Some(page_size) = page_size {
            config.limits.page = page_size;
        }
        if private {
            config.cache_visibility = CacheVisibility::Private;
        }
        if let Some(timeout) = long_poll_timeout {
            config.long_poll_timeout = timeout.0;
        }
        if let Some(lifetime) = sse_lifetime {
            config.sse_lifetime = lifetime.0;
        }
        if let Some(keep_alive) = sse_keep_alive {
            config.sse_keep_alive = keep_alive.0;
        }
        if let Some(interval) = cursor_interval {
            config.cursor.length = interval.0;
        }
        if let Some(interval) = batch_interval {
            config.logs.batch_interval = interval.0;
        }
        if let Some(max_body) = max_body {
            config.max_body = max_body;
        }
        config.title_case_headers |= title_case_headers;
        config.variants.push(self.clone());
    }
}
