//! The bodies: each takes arbitrary bytes and panics where its property does not hold.

pub(crate) mod content_type;
pub(crate) mod cursor;
pub(crate) mod etag_if_none_match;
pub(crate) mod expires_at;
pub(crate) mod fixture;
pub(crate) mod fork_headers;
pub(crate) mod glob;
pub(crate) mod history;
pub(crate) mod http_request;
pub(crate) mod json_body;
pub(crate) mod logs_query;
pub(crate) mod offset;
pub(crate) mod producer_headers;
pub(crate) mod sse_parse;
pub(crate) mod sse_write_read;
pub(crate) mod ttl;
pub(crate) mod webhook_url;
