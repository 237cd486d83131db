//! The wire against servers that answer in every way, over real sockets on loopback.

mod bounds;
mod connections;
mod http2;
mod raw;
mod receiving;
mod recording;
mod sending;
mod server;
mod streaming;
mod tls;
