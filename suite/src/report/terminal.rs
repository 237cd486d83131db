//! The report for people at a terminal: what is broken and how it was seen, then the sums.

mod finding;
pub(super) mod sheet;
mod summary;

use std::io::{self, Write};

use anstream::StripStream;

use crate::{
    event::{CaseResult, RunResult},
    rule::Judgement,
};

use self::sheet::Sheet;
use super::{
    findings::{Accusation, Findings},
    standard::Standard,
};

/// How the report is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Columns to fill; longer paragraphs are wrapped, while exchanges and commands never are.
    pub width: usize,
}

impl Layout {
    /// Fits the terminal, or a page of 100 columns where the output is none.
    pub fn fitting() -> Self {
        let columns = terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0));
        Self { width: columns.clamp(40, 120) }
    }
}

/// Writes the report with ANSI styles; wrap `out` into an [`anstream::AutoStream`] to have them only where they are wanted.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write(out: &mut dyn Write, run: &RunResult, standard: Standard<'_>, layout: Layout) -> io::Result<()> {
    let findings = Findings::of(run, standard);
    let mut sheet = Sheet::new(out, layout.width);
    finding::write_all(&mut sheet, &findings, standard)?;
    summary::write(&mut sheet, run, &findings, standard)?;
    sheet.flush()
}

/// One case of a run as plain text, read by itself: the rules that it accuses, what it missed, the exchanges that show it.
pub fn case_in_full(run: &RunResult, case: &CaseResult) -> String {
    let standard = Standard { fail_on: Judgement::Error, known: None };
    case_text(case, &Findings::of(run, standard))
}

/// One case as plain text: the rules that it accuses, what it missed, the exchanges that show it.
pub(super) fn case_text(case: &CaseResult, findings: &Findings<'_>) -> String {
    plain(|sheet| finding::write_single(sheet, case, findings))
}

/// One accusation as plain text, without the words of the rule.
pub(super) fn accusation_text(accusation: &Accusation<'_>) -> String {
    plain(|sheet| finding::write_case(sheet, accusation))
}

fn plain(fill: impl FnOnce(&mut Sheet<'_>) -> io::Result<()>) -> String {
    let mut out = StripStream::new(Vec::new());
    fill(&mut Sheet::new(&mut out, 100)).expect("memory takes all that is written to it");
    String::from_utf8_lossy(&out.into_inner()).into_owned()
}

#[cfg(test)]
mod tests;
