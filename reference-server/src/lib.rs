//! Placeholder.

pub mod logs;
