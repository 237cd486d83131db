//! `streamgauge badge`.

use std::{io::Write, path::PathBuf};

use clap::Args;

use super::{Misuse, Status, output::Output};
use crate::report::{badge, comparison::Recorded};

#[derive(Debug, Args)]
pub(super) struct BadgeArguments {
    /// A report in JSON, as `check --report json=FILE` writes it.
    report: PathBuf,

    /// The words on the left of the badge.
    #[arg(long, value_name = "TEXT", default_value = badge::LABEL)]
    label: String,

    /// Write to this file; without it, or with `-`, to standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl BadgeArguments {
    pub(super) fn run(&self) -> Result<Status, Misuse> {
        let report = Recorded::read(&self.report).map_err(Misuse::new)?;
        let mut output = Output::open(self.out.as_deref(), false)?;
        badge::write(&mut output, &report, &self.label)
            .and_then(|()| output.flush())
            .map_err(|error| output.misuse(&error))?;
        Ok(Status::Right)
    }
}
