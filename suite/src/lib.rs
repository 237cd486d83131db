//! The engine of Streamgauge: rules, cases, the wire, checks, runs and reports.

pub mod case;
pub mod fixture;
pub mod rule;
pub mod sse;
pub mod wire;
