//! `streamgauge serve`.

use clap::Args;

use super::{Misuse, Status};

#[derive(Debug, Args)]
pub(super) struct ServeArguments {}

impl ServeArguments {
    pub(super) fn run(&self) -> Result<Status, Misuse> {
        Err(Misuse::new("not yet"))
    }
}
