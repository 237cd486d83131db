//! The engine against small servers that answer rightly, wrongly, late and not at all: who is accused, and
//! who is not.

mod event_streams;
mod moments;
mod server;
mod verdict;
mod waiting_reads;
