use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use textwrap::WordSplitter;

pub(in crate::report) const PLAIN: Style = Style::new();
pub(in crate::report) const STRONG: Style = Style::new().bold();
pub(in crate::report) const FAINT: Style = Style::new().dimmed();
pub(in crate::report) const GOOD: Style = AnsiColor::Green.on_default();
pub(in crate::report) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(in crate::report) const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
pub(in crate::report) const SENT: Style = AnsiColor::Cyan.on_default();

/// Lines of styled text, indented by columns.
pub(in crate::report) struct Sheet<'w> {
    out: &'w mut dyn Write,
    width: usize,
}

impl<'w> Sheet<'w> {
    pub(in crate::report) fn new(out: &'w mut dyn Write, width: usize) -> Self {
        Self { out, width }
    }

    pub(in crate::report) fn blank(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// Headings stand out even where there are no colours.
    pub(in crate::report) fn heading(&mut self, style: Style, text: &str) -> io::Result<()> {
        self.line(0, &[(style, &text.to_uppercase())])
    }

    /// One line, never wrapped.
    pub(in crate::report) fn line(&mut self, indent: usize, parts: &[(Style, &str)]) -> io::Result<()> {
        write!(self.out, "{:indent$}", "")?;
        for (style, text) in parts {
            write!(self.out, "{style}{text}{style:#}")?;
        }
        writeln!(self.out)
    }

    /// Prose, wrapped at the width of the sheet.
    pub(in crate::report) fn prose(&mut self, indent: usize, style: Style, text: &str) -> io::Result<()> {
        let width = self.width.saturating_sub(indent).max(20);
        // The hyphens in the names of rules, cases and headers are no places to break.
        let options =
            textwrap::Options::new(width).word_splitter(WordSplitter::NoHyphenation).break_words(false);
        for line in textwrap::wrap(text, options) {
            self.line(indent, &[(style, &line)])?;
        }
        Ok(())
    }

    pub(in crate::report) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
