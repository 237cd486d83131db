//! The bodies: each takes arbitrary bytes and panics where its property does not hold.

pub mod content_type;
pub mod cursor;
pub mod etag_if_none_match;
pub mod expires_at;
pub mod fixture;
pub mod fork_headers;
pub mod glob;
pub mod history;
pub mod http_request;
pub mod json_body;
pub mod logs_query;
pub mod offset;
pub mod producer_headers;
pub mod sse_parse;
pub mod sse_write_read;
pub mod ttl;
pub mod webhook_url;
