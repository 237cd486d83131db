//! Tells what a run found.

use std::io::{BufWriter, ErrorKind, Write};

use crate::{
    cli::{Misuse, Status},
    event::RunResult,
    report::{
        Conclusion, Context, Destinations, Progress, Standard, github,
        terminal::{self, Layout},
        write_all,
    },
};

/// A bar on a terminal, plain lines elsewhere.
pub(super) fn progress() -> Progress {
    use std::io::IsTerminal as _;
    match std::io::stderr().is_terminal() {
        true => Progress::bar(),
        false => Progress::lines(std::io::stderr()),
    }
}

/// Tells what the run found: to people, to GitHub where it runs there, and to every file that was asked for.
pub(super) fn tell(
    result: &RunResult,
    standard: Standard<'_>,
    destinations: &Destinations,
) -> Result<Status, Misuse> {
    let mut out: Box<dyn Write> = match destinations.take_stdout() {
        true => Box::new(BufWriter::new(anstream::stderr())),
        false => Box::new(BufWriter::new(anstream::stdout())),
    };
    let printed = terminal::write(&mut out, result, standard, Layout::fitting()).and_then(|()| {
        if github::is_here() {
            github::write_annotations(&mut out, result, standard)?;
        }
        out.flush()
    });
    match printed {
        // Whoever closes the pipe has read enough; the verdict stands.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            return Err(Misuse::new(format!("the report cannot be printed: {error}")));
        }
        _ => {}
    }
    let context = Context { standard, finished_at: jiff::Timestamp::now() };
    let written = write_all(result, destinations, context).map_err(Misuse::new);
    let summarised = github::summary_file().map_or(Ok(()), |file| {
        github::append_summary(&file, result, standard).map_err(|error| {
            Misuse::new(format!("the summary of the job cannot be written to {}: {error}", file.display()))
        })
    });
    written.and(summarised)?;
    Ok(match standard.conclude(result) {
        Conclusion::Passed => Status::Right,
        Conclusion::Failed => Status::Broken,
        Conclusion::Unusable | Conclusion::Errored => Status::Unusable,
    })
}
