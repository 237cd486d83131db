//! All that there is to say about one rule, for whoever has to keep it.

use std::io::{self, Write};

use anstyle::Style;
use textwrap::{Options, WordSplitter};

use super::{CaseLine, Entry};
use crate::{
    report::terminal::Layout,
    rule::{Capability, Rule, Side},
    violation::Violation,
};

const STRONG: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

pub(super) fn write(out: &mut dyn Write, entry: &Entry<'_>) -> io::Result<()> {
    Page { out, width: Layout::fitting().width }.entry(entry)
}

struct Page<'w> {
    out: &'w mut dyn Write,
    width: usize,
}

impl Page<'_> {
    fn entry(&mut self, Entry { rule, cases, violations }: &Entry<'_>) -> io::Result<()> {
        writeln!(self.out, "{STRONG}{}{STRONG:#}", rule.id)?;
        writeln!(self.out, "{FAINT}{}{FAINT:#}", standing(rule))?;
        self.heading("What it wants")?;
        self.prose(2, "", &rule.statement)?;
        if let Some(why) = &rule.why {
            self.heading("Why it matters to clients")?;
            self.prose(2, "", why)?;
        }
        if !violations.is_empty() {
            self.heading("How servers get it wrong")?;
            for violation in *violations {
                self.prose(2, "- ", &violation.title)?;
            }
        }
        self.heading(if rule.observable { "How it is checked" } else { "Why no run can check it" })?;
        self.prose(2, "", rule.check.trim().trim_start_matches("Not observable:"))?;
        if let Some(ambiguity) = &rule.ambiguity {
            self.heading("Where the text is open, and what passes then")?;
            self.prose(2, "", ambiguity)?;
        }
        self.cases(cases)?;
        self.commands(rule, cases, violations)
    }

    fn heading(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "\n{STRONG}{}{STRONG:#}", text.to_uppercase())
    }

    /// Wrapped text, with `mark` in front of its first line.
    fn prose(&mut self, indent: usize, mark: &str, text: &str) -> io::Result<()> {
        let first = format!("{:indent$}{mark}", "");
        let later = " ".repeat(indent + mark.len());
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        // The hyphens in the names of rules, cases and headers are no places to break.
        let options = Options::new(self.width)
            .initial_indent(&first)
            .subsequent_indent(&later)
            .word_splitter(WordSplitter::NoHyphenation)
            .break_words(false);
        writeln!(self.out, "{}", textwrap::fill(&text, options))
    }

    fn cases(&mut self, cases: &[CaseLine]) -> io::Result<()> {
        if cases.is_empty() {
            return Ok(());
        }
        self.heading(&format!("Cases ({})", cases.len()))?;
        let mut rest = cases;
        while let Some(first) = rest.first() {
            // The rows of a table stand together.
            let table = table(first);
            let rows = rest.iter().take_while(|case| self::table(case) == table).count();
            let (of_table, others) = rest.split_at(rows);
            writeln!(self.out, "  {table}  {FAINT}{}{FAINT:#}", first.place)?;
            self.prose(4, "", &first.title)?;
            let names: Vec<&str> =
                of_table.iter().filter_map(|case| case.id.split_once('/')).map(|(_, row)| row).collect();
            if !names.is_empty() {
                self.prose(4, "", &format!("with {}", names.join(", ")))?;
            }
            rest = others;
        }
        Ok(())
    }

    fn commands(&mut self, rule: &Rule, cases: &[CaseLine], violations: &[Violation]) -> io::Result<()> {
        if cases.is_empty() {
            return Ok(());
        }
        self.heading("Try it")?;
        writeln!(self.out, "  streamgauge check URL --only {}", rule.id)?;
        for violation in violations {
            writeln!(self.out, "  streamgauge serve --break '{}'", violation.id())?;
        }
        Ok(())
    }
}

/// The name of a case without that of its row.
fn table(case: &CaseLine) -> &str {
    case.id.split('/').next().unwrap_or(&case.id)
}

fn standing(rule: &Rule) -> String {
    let side = match rule.binds {
        Side::Server => "",
        Side::Client => ", binds clients",
    };
    let capabilities: Vec<String> = rule.capabilities.iter().map(Capability::to_string).collect();
    let needs = if capabilities.is_empty() {
        String::new()
    } else {
        format!("; part of {}", capabilities.join(", "))
    };
    format!("section {}, {}, judged {}{side}{needs}", rule.section, rule.level, rule.judged)
}
