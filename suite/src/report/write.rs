//! Writes all reports that were asked for.

use std::{
    fmt,
    fs::File,
    io::{self, BufWriter, ErrorKind, Write},
};

use crate::event::RunResult;

use super::{
    destination::{Destination, Destinations, Format, Sink},
    har, html, json, junit, markdown,
    standard::Standard,
    tap,
};

/// What the reports have to know beside the result.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub standard: Standard<'a>,
    /// When the run came to its end.
    pub finished_at: jiff::Timestamp,
}

/// The reports that could not be written; the others were.
#[derive(Debug)]
pub struct WriteErrors(Vec<(Destination, io::Error)>);

impl fmt::Display for WriteErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (Destination { format, sink }, error)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}the {format} report could not be written to {sink}: {error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for WriteErrors {}

/// Writes each report to its place. One that cannot be written does not keep the others from being.
///
/// # Errors
///
/// All that could not be written, and why.
pub fn write_all(
    run: &RunResult,
    destinations: &Destinations,
    context: Context<'_>,
) -> Result<(), WriteErrors> {
    let failed: Vec<_> = destinations
        .iter()
        .filter_map(|destination| {
            match write_to(&destination.sink, |out| write(out, destination.format, run, context)) {
                // Whoever closes the pipe has read enough.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => None,
                outcome => outcome.err().map(|error| (destination.clone(), error)),
            }
        })
        .collect();
    if failed.is_empty() { Ok(()) } else { Err(WriteErrors(failed)) }
}

fn write_to(sink: &Sink, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let out: Box<dyn Write> = match sink {
        Sink::Stdout => Box::new(io::stdout().lock()),
        Sink::File(path) => Box::new(File::create(path)?),
    };
    let mut out = BufWriter::new(out);
    fill(&mut out)?;
    out.flush()
}

fn write(out: &mut dyn Write, format: Format, run: &RunResult, context: Context<'_>) -> io::Result<()> {
    match format {
        Format::Json => json::write(out, run, context.standard),
        Format::Junit => junit::write(out, run, context.standard),
        Format::Tap => tap::write(out, run, context.standard),
        Format::Markdown => markdown::write(out, run, context.standard),
        Format::Html => html::write(out, run, context),
        Format::Har => har::write(out, run, context),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn what_cannot_be_written_does_not_hinder_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let wanted = [format!("json={}", path("absent/a.json")), format!("junit={}", path("b.xml"))];
        let destinations = wanted.iter().map(|text| text.parse().unwrap()).collect();
        let error = write_all(&sample::clean(), &Destinations::new(destinations).unwrap(), sample::context())
            .unwrap_err();
        let message = error.to_string();
        assert!(message.starts_with("the json report could not be written to "), "{message}");
        assert!(message.contains("absent/a.json: No such file"), "{message}");
        assert!(std::fs::read_to_string(path("b.xml")).unwrap().contains("<testsuites"));
    }
}
