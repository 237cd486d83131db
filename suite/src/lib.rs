//! The engine of Streamgauge: rules, cases, the wire, checks, runs and reports.

pub mod baseline;
#[cfg(feature = "serve")]
pub mod built_in;
pub mod case;
pub mod check;
pub mod cli;
pub mod event;
pub mod fixture;
pub mod harness;
pub mod protocol_text;
pub mod report;
pub mod rule;
pub mod run;
pub mod scenario;
pub mod secret;
pub mod sse;
pub mod start;
pub mod violation;
pub mod wire;
