//! From request to core to response.
//!
//! [`StreamService`] is a plain tower service: layers may be put around it.

mod append;
mod body;
mod browser_headers;
mod caching;
mod create;
mod delete;
mod event_stream;
mod head;
mod long_poll;
mod problem;
mod racing;
mod read;
mod request_body;
mod router;
pub mod sse_writer;

pub use body::{BoxError, ResponseBody};
pub use problem::problem;
pub use router::{App, Endpoint, StreamService};

/// What every handler returns in the end.
pub type Response = ::http::Response<ResponseBody>;
