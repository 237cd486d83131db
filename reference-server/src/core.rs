//! The protocol without sockets and without a clock: the time is a parameter everywhere.

pub mod append;
pub mod content_type;
pub mod create;
pub mod cursor;
pub mod entity_tag;
pub mod error;
mod expiry_queue;
pub mod fork;
pub mod headers;
pub mod json_messages;
pub mod limits;
mod log;
pub mod offset;
pub mod offset_form;
pub mod page;
pub mod path;
pub mod payload;
pub mod producer;
pub mod read_query;
pub mod reader;
pub mod sequence;
pub mod store;
mod stream;
pub mod ttl;

#[cfg(test)]
mod tests;
