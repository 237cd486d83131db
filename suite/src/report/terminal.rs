//! The report for people at a terminal: what is broken and how it was seen, then the sums.

mod finding;
mod sheet;
mod summary;

use std::io::{self, Write};

use anstream::StripStream;

use crate::{
    event::{CaseResult, RunResult},
    rule::Judgement,
};

use self::sheet::Sheet;
use super::findings::Findings;

/// How the report is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Columns to fill; longer paragraphs are wrapped, while exchanges and commands never are.
    pub width: usize,
    /// The least weight that fails the run: what is at least that heavy is shown in full.
    pub fail_on: Judgement,
}

impl Layout {
    /// Fits the terminal, or a page of 100 columns where the output is none.
    pub fn fitting(fail_on: Judgement) -> Self {
        let columns = terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0));
        Self { width: columns.clamp(40, 120), fail_on }
    }
}

/// Writes the report with ANSI styles; wrap `out` into an [`anstream::AutoStream`] to have them only where they are wanted.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write(out: &mut dyn Write, run: &RunResult, layout: Layout) -> io::Result<()> {
    let findings = Findings::of(run, layout.fail_on);
    let mut sheet = Sheet::new(out, layout.width);
    finding::write_all(&mut sheet, &findings, layout.fail_on)?;
    summary::write(&mut sheet, run, &findings)?;
    sheet.flush()
}

/// One case as plain text: the rules that it accuses, what it missed, the exchanges that show it.
pub(super) fn case_text(case: &CaseResult, findings: &Findings<'_>) -> String {
    let mut out = StripStream::new(Vec::new());
    let mut sheet = Sheet::new(&mut out, 100);
    finding::write_single(&mut sheet, case, findings).expect("memory takes all that is written to it");
    String::from_utf8_lossy(&out.into_inner()).into_owned()
}

#[cfg(test)]
mod tests;
