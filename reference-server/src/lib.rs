//! An in-memory server of the Durable Streams protocol that keeps every rule.
//!
//! [`core`] is the protocol without sockets and clock, [`http`] puts it on the wire, [`Server`] on a port.
//!
//! ```
//! use streamgauge_reference_server::{Config, Server};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let server = Server::start(Config::default()).await?;
//! assert!(server.root_url.ends_with("/v1/stream"));
//! server.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod beside;
pub mod config;
pub mod core;
pub mod fault;
pub mod http;
pub mod logs;
pub mod page;
pub mod sabotage;
mod server;
pub mod subscriptions;
pub mod tls;

pub use config::Config;
pub use server::{Census, RunningServer, Server, SocketlessServer, serve};
