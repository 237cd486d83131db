//! Drives the fuzzers: builds them, runs them for a night, replays what they find, shows that they find planted bugs.

mod build;
mod command_line;
mod export;
mod failure;
mod findings;
mod overnight;
mod places;
mod planted;
mod report;
mod session;
mod state;

use failure::Failure;

fn main() -> std::process::ExitCode {
    command_line::run()
}
