//! Placeholder.

pub mod logs;
#[allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "reached once the server routes the control space"
)]
mod subscriptions;
