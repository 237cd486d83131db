//! HTTP as it was on the wire.
//!
//! A conformance suite must see what a server sent, not what a client library made of it: header names in
//! their own case and order, duplicates, a body that ended early, bytes after a 204. And it must be able to
//! send what a polite client would not. So nothing here is interpreted: no redirect is followed, nothing is
//! decompressed, no cookie is kept, no proxy is taken from the environment, and a body that was cut never
//! looks like a whole one (see [`Ending`]).
//!
//! # Why HTTP/1.1 is spoken here
//!
//! `reqwest` bounds neither heads nor buffers as tightly as a run against a hostile server needs. `hyper`
//! does, but its HTTP/1 client keeps the original case and order of header names to itself, refuses some request targets, always
//! lower-cases (or title-cases) what it sends, and drops whatever follows a response that has no body. All of that is what this suite
//! looks at. HTTP/1.1 is therefore read and written here, over `tokio` and `httparse`; one codec serves the
//! [`Client`] and the [`raw`] exchanges. HTTP/2, where no such freedom exists, is hyper's. TLS is rustls with
//! ring, which builds faster than its alternative.
//!
//! # Bounds
//!
//! Whatever a server sends costs bounded time and memory: every call takes a deadline for all of its work,
//! [`Limits`] bound one response, and one [`Budget`] bounds what all responses together hold.

mod client;
mod connect;
mod error;
mod exchange;
mod gathered;
mod h1;
mod h2;
mod headers;
mod limits;
mod pool;
pub mod raw;
mod request;
mod response;
mod streaming;
mod tls;

pub use client::{Client, ClientOptions, Standing};
pub use connect::Endpoint;
pub use error::{Phase, WireError};
pub use exchange::{
    Exchange, Outcome, RecordedBody, RecordedHeader, RecordedRequest, RecordedResponse, WITHHELD,
};
pub use headers::Headers;
pub use limits::{Budget, Hold, Limits};
pub use request::{Body, Request, Target};
pub use response::{Cut, Ending, Head, Response, Timing, Version};
pub use streaming::{Chunk, Streaming};
pub use tls::{Trust, TrustError};
