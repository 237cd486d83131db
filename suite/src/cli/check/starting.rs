//! Starting the target.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use crate::{
    case::HumanDuration,
    cli::Misuse,
    secret::Secrets,
    start::{Start, StartError, StartedServer},
    wire::{Client, Target},
};

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Starting the target")]
pub(super) struct StartArguments {
    /// Start the target with this command, wait until the URL answers, and stop it, with all that it has started, at
    /// the end. The command is split into words; one with pipes, variables and the like goes to `sh -c`.
    #[arg(long = "start", value_name = "CMD")]
    pub(super) command: Option<String>,

    /// How long the target may take until it answers [default: 30s]
    #[arg(long, value_name = "D")]
    pub(super) start_timeout: Option<HumanDuration>,

    /// Write all that the target prints into this file; without it, the end of it is shown where the run fails.
    #[arg(long, value_name = "FILE")]
    pub(super) start_log: Option<PathBuf>,
}

const TIMEOUT: Duration = Duration::from_secs(30);

impl StartArguments {
    pub(super) fn is_wanted(&self) -> bool {
        self.command.is_some()
    }

    /// How to start the target, in that folder.
    pub(super) fn start(&self, folder: Option<PathBuf>) -> Result<Option<Start>, Misuse> {
        let Some(command) = &self.command else {
            return match (self.start_timeout, &self.start_log) {
                (None, None) => Ok(None),
                _ => Err(Misuse::new("--start-timeout and --start-log need --start CMD")),
            };
        };
        Ok(Some(Start {
            invocation: command.parse().map_err(|error| Misuse::new(format!("--start: {error}")))?,
            timeout: self.start_timeout.map_or(TIMEOUT, |time| time.0),
            log: self.start_log.clone(),
            folder,
        }))
    }
}

/// Starts the server into `slot` and waits until it answers; says why, where it does not.
pub(super) async fn launch(
    start: &Start,
    url: &Target,
    client: &Client,
    secrets: &Secrets,
    slot: &mut Option<StartedServer>,
) -> Result<Result<(), String>, Misuse> {
    eprintln!(
        "starting {}; waiting for an answer at {url}, for at most {:?}",
        secrets.hide_in(&start.invocation.to_string()),
        start.timeout
    );
    let outcome = match StartedServer::start(start, client, url).await {
        Ok(server) => slot.insert(server).ready(client, url, start.timeout).await,
        Err(error) => Err(error),
    };
    match outcome {
        Err(error @ StartError::Log { .. }) => Err(Misuse::new(error)),
        outcome => Ok(outcome.map_err(|unusable| secrets.hide_in(&unusable.to_string()))),
    }
}

/// Shows what the server printed, after a run that did not go well, or did not begin.
pub(super) fn tell_last_words(server: &mut StartedServer, has_begun: bool, secrets: &Secrets) {
    if has_begun && let Some(status) = server.ended() {
        eprintln!("The server that was started ended during the run ({status}).");
    }
    match server.tail().text().as_str() {
        "" => eprintln!("The server that was started printed nothing."),
        // Colours only where there is a terminal.
        text => anstream::eprintln!("The server that was started printed last:\n{}\n", secrets.hide_in(text)),
    }
}
