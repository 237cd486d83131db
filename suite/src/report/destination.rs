//! Which reports are wanted, and where they go: `--report FORMAT=FILE`.

use std::{fmt, path::PathBuf, str::FromStr};

/// A form of report that is written to a file at the end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// The interface for programs, with a JSON Schema.
    Json,
    /// JUnit XML, as continuous integration reads it.
    Junit,
    /// Test Anything Protocol, version 14.
    Tap,
    /// A page for pull requests and job summaries.
    Markdown,
    /// One page for people, complete in itself.
    Html,
    /// HTTP Archive 1.2 of the exchanges of failed cases.
    Har,
}

impl Format {
    /// All formats, in the order in which help texts list them.
    pub const ALL: [Self; 6] = [Self::Json, Self::Junit, Self::Tap, Self::Markdown, Self::Html, Self::Har];

    /// The word that stands for it on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Junit => "junit",
            Self::Tap => "tap",
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Har => "har",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a report goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sink {
    /// `-`
    Stdout,
    File(PathBuf),
}

/// One report that was asked for, such as `json=report.json` or `tap=-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination {
    pub format: Format,
    pub sink: Sink,
}

/// Why the words after `--report` cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    #[error(
        "`{0}` names no file: say FORMAT=FILE, such as json=report.json, or FORMAT=- for standard output"
    )]
    NoFile(String),
    #[error("there is no report format `{0}`; the formats are {list}", list = Format::ALL.map(Format::name).join(", "))]
    UnknownFormat(String),
    #[error("two reports cannot both go to {0}")]
    Shared(String),
}

impl FromStr for Destination {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, file) = text
            .split_once('=')
            .filter(|(_, file)| !file.is_empty())
            .ok_or_else(|| DestinationError::NoFile(text.to_owned()))?;
        let format = Format::ALL
            .into_iter()
            .find(|format| format.name() == name)
            .ok_or_else(|| DestinationError::UnknownFormat(name.to_owned()))?;
        let sink = if file == "-" { Sink::Stdout } else { Sink::File(file.into()) };
        Ok(Self { format, sink })
    }
}

impl fmt::Display for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => f.write_str("standard output"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// All reports that were asked for; no two go to the same place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destinations(Vec<Destination>);

impl Destinations {
    /// # Errors
    ///
    /// [`DestinationError::Shared`] when one report would overwrite or interleave with another.
    pub fn new(all: Vec<Destination>) -> Result<Self, DestinationError> {
        for (index, one) in all.iter().enumerate() {
            if all[..index].iter().any(|earlier| earlier.sink == one.sink) {
                return Err(DestinationError::Shared(one.sink.to_string()));
            }
        }
        Ok(Self(all))
    }

    /// Whether standard output belongs to a report, so that words for people have to go to standard error.
    pub fn take_stdout(&self) -> bool {
        self.0.iter().any(|destination| destination.sink == Sink::Stdout)
    }

    /// The reports in the order in which they were asked for.
    pub fn iter(&self) -> std::slice::Iter<'_, Destination> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_understood_by_its_name() {
        for format in Format::ALL {
            let parsed: Destination = format!("{format}=out=1.txt").parse().unwrap();
            assert_eq!(parsed, Destination { format, sink: Sink::File("out=1.txt".into()) });
        }
    }

    #[test]
    fn a_dash_is_standard_output() {
        let tap: Destination = "tap=-".parse().unwrap();
        assert_eq!(tap.sink, Sink::Stdout);
        assert!(Destinations::new(vec![tap]).unwrap().take_stdout());
    }

    #[test]
    fn what_is_not_understood_says_what_would_be() {
        let message = |text: &str| text.parse::<Destination>().unwrap_err().to_string();
        insta::assert_snapshot!(message("json"), @"`json` names no file: say FORMAT=FILE, such as json=report.json, or FORMAT=- for standard output");
        insta::assert_snapshot!(message("json="), @"`json=` names no file: say FORMAT=FILE, such as json=report.json, or FORMAT=- for standard output");
        insta::assert_snapshot!(message("xml=a"), @"there is no report format `xml`; the formats are json, junit, tap, markdown, html, har");
    }

    #[test]
    fn two_reports_do_not_share_a_place() {
        let parse = |text: &str| text.parse::<Destination>().unwrap();
        let shared = Destinations::new(vec![parse("json=-"), parse("html=a"), parse("tap=-")]);
        assert_eq!(shared.unwrap_err().to_string(), "two reports cannot both go to standard output");
        assert!(Destinations::new(vec![parse("json=a"), parse("tap=b")]).is_ok());
    }
}
