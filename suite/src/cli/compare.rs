//! `streamgauge compare`.

use std::{
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};

use super::{Misuse, Status, output::Output};
use crate::report::{
    comparison::{self, Comparison, Recorded, Server},
    terminal::Layout,
};

#[derive(Debug, Args)]
pub(super) struct CompareArguments {
    /// Reports in JSON, as `check --report json=FILE` writes them. NAME=FILE gives the server a name; else it has
    /// that of the file.
    #[arg(required = true, num_args = 2.., value_name = "[NAME=]REPORT.json")]
    reports: Vec<String>,

    /// Leave out the rules on which all servers have the same verdict.
    #[arg(long, conflicts_with = "changes")]
    only_differences: bool,

    /// The reports are two runs of one server, the earlier first: tell what broke, what was mended, what is new
    /// and what is gone.
    #[arg(long)]
    changes: bool,

    /// End with status 1 where anything became worse: a rule broke, is newly seen broken, is broken in more cases,
    /// or is not proven any more. Implies --changes. Rules judged `note` never count.
    #[arg(long, conflicts_with = "only_differences")]
    fail_on_regression: bool,

    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Write to this file; without it, or with `-`, to standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Markdown,
    Html,
    Json,
}

impl CompareArguments {
    pub(super) fn run(&self) -> Result<Status, Misuse> {
        let servers = self.servers()?;
        if !(self.changes || self.fail_on_regression) {
            self.tell(&Comparison::of_servers(&servers, self.only_differences))?;
            return Ok(Status::Right);
        }
        let given = servers.len();
        let runs: [Server; 2] = servers.try_into().map_err(|_| {
            Misuse::new(format!(
                "changes are told between two runs, the earlier first; {given} reports were given"
            ))
        })?;
        let comparison = Comparison::of_runs(&runs);
        self.tell(&comparison)?;
        let worse = comparison.changes.as_ref().is_some_and(comparison::Changes::has_regression);
        Ok(if self.fail_on_regression && worse { Status::Broken } else { Status::Right })
    }

    fn servers(&self) -> Result<Vec<Server>, Misuse> {
        let named: Vec<(Option<&str>, &Path)> = self.reports.iter().map(|text| name_and_file(text)).collect();
        named
            .iter()
            .map(|&(name, file)| {
                let name = name.map_or_else(|| self.name_of(file, &named), str::to_owned);
                Ok(Server { name, report: Recorded::read(file).map_err(Misuse::new)? })
            })
            .collect()
    }

    /// The file's name without its ending, or the whole path where another file has the same.
    fn name_of(&self, file: &Path, all: &[(Option<&str>, &Path)]) -> String {
        let stem = file.file_stem();
        let shared =
            all.iter().filter(|(name, other)| name.is_none() && other.file_stem() == stem).count() > 1;
        match stem {
            Some(stem) if !shared => stem.to_string_lossy().into_owned(),
            _ => file.display().to_string(),
        }
    }

    fn tell(&self, comparison: &Comparison<'_>) -> Result<(), Misuse> {
        let mut output = Output::open(self.out.as_deref(), self.format == Format::Text)?;
        let out: &mut dyn Write = &mut output;
        let written = match self.format {
            Format::Text => comparison::write_text(out, comparison, Layout::fitting()),
            Format::Markdown => comparison::write_markdown(out, comparison),
            Format::Html => comparison::write_html(out, comparison),
            Format::Json => comparison::write_json(out, comparison),
        };
        match written.and_then(|()| output.flush()) {
            // Whoever closes the pipe has read enough.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(output.misuse(&error)),
            _ => Ok(()),
        }
    }
}

/// `NAME=FILE`, unless the whole is the path of a file.
fn name_and_file(text: &str) -> (Option<&str>, &Path) {
    match text.split_once('=') {
        Some((name, file)) if !name.is_empty() && !Path::new(text).exists() => (Some(name), Path::new(file)),
        _ => (None, Path::new(text)),
    }
}
