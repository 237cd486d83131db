//! What a run found, told to people and to programs. Reports read events and results, and nothing else.

pub mod badge;
pub mod comparison;
mod curl;
mod destination;
mod findings;
pub mod github;
pub mod har;
pub mod html;
pub mod json;
pub mod junit;
pub mod known;
pub mod markdown;
mod message;
mod progress;
#[cfg(test)]
pub(crate) mod sample;
mod span;
mod standard;
pub mod tap;
pub mod terminal;
mod transcript;
mod visible;
mod write;

pub use destination::{Destination, DestinationError, Destinations, Format, Sink};
pub use findings::{Accusation, Conclusion, Finding, Findings, Group, OpenReason, Reason, Tally};
pub use message::run_of;
pub use progress::Progress;
pub use standard::Standard;
pub use write::{Context, WriteErrors, write_all};
