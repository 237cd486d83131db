//! `streamgauge schema`.

use std::io::Write;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{Misuse, Status, output::Output};
use crate::{
    baseline::Baseline,
    case::{CaseSet, Stock},
    report,
    rule::Catalogue,
};

#[derive(Debug, Args)]
pub(super) struct SchemaArguments {
    /// What is described: the output of `check --report json` or `compare --format json`, a folder of fixtures, or
    /// the list that `--known-failures` takes.
    #[arg(value_enum)]
    of: Described,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Described {
    Report,
    Comparison,
    #[value(alias = "rule")]
    Rules,
    #[value(alias = "case")]
    Cases,
    Stock,
    #[cfg(feature = "serve")]
    Sabotage,
    #[cfg(feature = "serve")]
    #[value(alias = "variant")]
    Variants,
    KnownFailures,
}

impl SchemaArguments {
    pub(super) fn run(&self) -> Result<Status, Misuse> {
        let text = self.of.text()?;
        let mut output = Output::open(None, false)?;
        match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
            // Whoever closes the pipe has read enough.
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(output.misuse(&error)),
            _ => Ok(Status::Right),
        }
    }
}

impl Described {
    fn text(self) -> Result<String, Misuse> {
        let (title, schema) = match self {
            Self::Report => return Ok(report::json::SCHEMA.to_owned()),
            Self::Comparison => return Ok(report::comparison::SCHEMA.to_owned()),
            Self::Rules => ("A file of rules", Catalogue::schema()),
            Self::Cases => ("A file of cases", CaseSet::schema()),
            Self::Stock => ("A file of streams with a documented content", Stock::schema()),
            #[cfg(feature = "serve")]
            Self::Sabotage => ("A file of sabotages", crate::built_in::sabotage_schema()),
            #[cfg(feature = "serve")]
            Self::Variants => ("A file of variants", crate::built_in::variant_schema()),
            Self::KnownFailures => ("A list of known failures", Baseline::schema()),
        };
        let mut text = serde_json::to_string_pretty(&entitled(schema, title)).map_err(Misuse::new)?;
        text.push('\n');
        Ok(text)
    }
}

/// The schema with a title that tells what it is of; the types of the program have names of their own.
fn entitled(mut schema: Value, title: &str) -> Value {
    schema["title"] = json!(title);
    schema
}
