//! The server under test as a process of ours: started, waited for, and stopped with everything it has started.

mod invocation;
#[cfg(unix)]
mod keeper;
mod output;
mod process;

pub use invocation::{Invocation, UnreadableCommand};
pub use output::Tail;
pub use process::StartedServer;

use std::{path::PathBuf, time::Duration};

/// How to start a server.
#[derive(Clone, Debug)]
pub struct Start {
    pub invocation: Invocation,
    /// How long it may take until it answers.
    pub timeout: Duration,
    /// Takes all that it prints.
    pub log: Option<PathBuf>,
    /// Where it is run; without one, where this program runs.
    pub folder: Option<PathBuf>,
}

/// Why a server could not be started. What it printed is in [`StartedServer::tail`].
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "{url} answers already, before the server was started: another server has its port; end that one, or check another URL"
    )]
    Occupied { url: String },
    #[error("cannot run {program:?}: {reason}; {}", advice(.reason))]
    NotRun { program: String, reason: std::io::Error },
    #[error("the server ended before it answered at {url} ({status}); run {command} by hand to see why")]
    Ended { url: String, command: String, status: String },
    #[error(
        "the server did not answer at {url} within {timeout:?} ({reason}); see that it listens there, or give it more time with --start-timeout"
    )]
    Silent { url: String, timeout: Duration, reason: String },
    #[error("--start-log {}: {reason}", .path.display())]
    Log { path: PathBuf, reason: std::io::Error },
}

fn advice(reason: &std::io::Error) -> &'static str {
    match reason.kind() {
        std::io::ErrorKind::NotFound => {
            "there is no such program; check its name, and PATH (a relative path counts from where the command runs)"
        }
        std::io::ErrorKind::PermissionDenied => "make it executable, or name the interpreter that runs it",
        _ => "see that it can be run by hand",
    }
}
