//! Right, but unusual: another way to keep every rule.

use serde::Deserialize;

use super::{Edit, notation::Span};
use crate::config::{CacheVisibility, Config};

/// A way to keep all rules that this server does not use by itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Unique.
    pub name: String,
    /// What the server does in another way, as a sentence.
    pub title: String,
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
    /// Bytes after which an answer to a read is cut, between two appends.
    page_size: Option<usize>,
    /// `private` in place of `public`.
    private: bool,
    /// How often an idle event stream gets a comment.
    sse_keep_alive: Option<Span>,
    /// The length of a cursor's interval.
    cursor_interval: Option<Span>,
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
            page_size,
            private,
            sse_keep_alive,
            cursor_interval,
            max_body,
            title_case_headers,
        } = self.settings.clone();
        if let Some(root) = root {
            config.root = root;
        }
        if let Some(page_size) = page_size {
            config.limits.page = page_size;
        }
        if private {
            config.cache_visibility = CacheVisibility::Private;
        }
        if let Some(keep_alive) = sse_keep_alive {
            config.sse_keep_alive = keep_alive.0;
        }
        if let Some(interval) = cursor_interval {
            config.cursor.length = interval.0;
        }
        if let Some(max_body) = max_body {
            config.max_body = max_body;
        }
        config.title_case_headers |= title_case_headers;
        config.variants.push(self.clone());
    }
}
