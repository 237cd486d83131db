//! The comparison for people at a terminal.

use std::io::{self, Write};

use anstyle::Style;

use crate::{
    event::RuleVerdict,
    report::{
        message,
        terminal::{
            Layout,
            sheet::{BAD, DOUBTFUL, FAINT, GOOD, PLAIN, STRONG, Sheet},
        },
        visible::visible,
    },
};

use super::{
    Comparison,
    changes::{Changes, Kind},
    recorded::Server,
    table::{Area, Row, Table},
    words,
};

/// Cases that are named of a change.
const CASES: usize = 5;

/// Writes the comparison with ANSI styles; wrap `out` into an [`anstream::AutoStream`] to have them only where
/// they are wanted.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write(out: &mut dyn Write, comparison: &Comparison<'_>, layout: Layout) -> io::Result<()> {
    let mut sheet = Sheet::new(out, layout.width);
    match &comparison.changes {
        Some(changes) => write_changes(&mut sheet, changes)?,
        None => write_table(&mut sheet, &comparison.table)?,
    }
    sheet.flush()
}

fn style(verdict: Option<RuleVerdict>) -> Style {
    match verdict {
        Some(RuleVerdict::Proven) => GOOD,
        Some(RuleVerdict::Broken) => BAD,
        Some(RuleVerdict::Warned) => DOUBTFUL,
        _ => FAINT,
    }
}

fn write_table(sheet: &mut Sheet<'_>, table: &Table<'_>) -> io::Result<()> {
    write_servers(sheet, table)?;
    let columns = Columns::of(table);
    let names: Vec<_> = table.servers.iter().map(|server| (STRONG, name(server))).collect();
    columns.write(sheet, 0, (STRONG, &words::RULES.to_uppercase()), &names)?;
    for area in &table.areas {
        write_area(sheet, &columns, area)?;
    }
    sheet.blank()?;
    for remark in words::remarks(table) {
        sheet.prose(0, FAINT, &remark)?;
    }
    Ok(())
}

fn name(server: &Server) -> String {
    visible(&server.name).into_owned()
}

/// One line a server: what its run came to, and the sums.
fn write_servers(sheet: &mut Sheet<'_>, table: &Table<'_>) -> io::Result<()> {
    let longest = table.servers.iter().map(|server| name(server).chars().count()).max().unwrap_or(0);
    let name_width = longest.max(words::SERVERS.len());
    let mut head = format!("{:name_width$}", words::SERVERS.to_uppercase());
    for column in message::COLUMNS {
        head.push_str(&format!("  {column:>11}"));
    }
    sheet.line(0, &[(STRONG, &head)])?;
    for (server, tally) in table.servers.iter().zip(&table.totals) {
        let styles = [GOOD, BAD, DOUBTFUL, PLAIN, PLAIN];
        let mut parts = vec![(PLAIN, format!("{:name_width$}", name(server)))];
        for (style, number) in styles.into_iter().zip(tally.cells()) {
            let (style, text) =
                if number == 0 { (FAINT, "-".to_owned()) } else { (style, number.to_string()) };
            parts.push((style, format!("  {text:>11}")));
        }
        let told =
            format!("  {} ({})", words::conclusion(&server.report), visible(&server.report.target.url));
        parts.push((FAINT, told));
        let parts: Vec<_> = parts.iter().map(|(style, text)| (*style, text.as_str())).collect();
        sheet.line(0, &parts)?;
    }
    sheet.blank()
}

fn write_area(sheet: &mut Sheet<'_>, columns: &Columns, area: &Area<'_>) -> io::Result<()> {
    sheet.blank()?;
    let sums: Vec<_> = area.tallies.iter().map(|tally| (FAINT, words::proven_of(tally))).collect();
    columns.write(sheet, 0, (STRONG, area.name), &sums)?;
    for Row { id, cells, .. } in &area.rows {
        let cells: Vec<_> = cells
            .iter()
            .map(|cell| cell.as_ref().map(|cell| cell.verdict))
            .map(|verdict| (style(verdict), words::verdict(verdict).to_owned()))
            .collect();
        columns.write(sheet, 2, (PLAIN, id.as_str()), &cells)?;
    }
    Ok(())
}

/// How wide each column is.
struct Columns {
    first: usize,
    servers: Vec<usize>,
}

impl Columns {
    fn of(table: &Table<'_>) -> Self {
        let ids = table.areas.iter().flat_map(|area| &area.rows).map(|row| row.id.as_str().len() + 2);
        let widest = |server| name(server).chars().count().max("not checked".len());
        Self { first: ids.max().unwrap_or(0).max(20), servers: table.servers.iter().map(widest).collect() }
    }

    fn write(
        &self,
        sheet: &mut Sheet<'_>,
        indent: usize,
        (first_style, first): (Style, &str),
        cells: &[(Style, String)],
    ) -> io::Result<()> {
        let first = format!("{first:width$}", width = self.first - indent);
        let mut parts = vec![(first_style, first)];
        for (index, ((style, text), width)) in cells.iter().zip(&self.servers).enumerate() {
            // No line ends in blanks.
            let room = if index + 1 == cells.len() { 0 } else { *width };
            parts.push((PLAIN, "  ".to_owned()));
            parts.push((*style, text.clone()));
            parts.push((PLAIN, " ".repeat(room.saturating_sub(text.chars().count()))));
        }
        let parts: Vec<_> = parts.iter().map(|(style, text)| (*style, text.as_str())).collect();
        sheet.line(indent, &parts)
    }
}

fn write_changes(sheet: &mut Sheet<'_>, changes: &Changes<'_>) -> io::Result<()> {
    for (kind, list) in &changes.0 {
        let colour = match kind {
            kind if kind.is_regression() => BAD,
            Kind::Mended | Kind::Gained => GOOD,
            _ => PLAIN,
        };
        sheet.heading(colour, &message::heading(words::kind(*kind), list.len()))?;
        for change in list {
            let transition = format!("  {}", words::transition(change));
            sheet.line(2, &[(PLAIN, change.rule.id.as_str()), (style(change.after), &transition)])?;
            sheet.prose(4, FAINT, &visible(&change.rule.statement))?;
            if let (true, Some(reason)) = (*kind == Kind::Lost, &change.rule.reason) {
                sheet.prose(4, PLAIN, &visible(reason))?;
            }
            let cases: Vec<_> = change.cases.iter().copied().take(CASES).collect();
            if !cases.is_empty() {
                sheet.prose(4, PLAIN, &message::and_more(&cases, change.cases.len() - cases.len()))?;
            }
        }
        sheet.blank()?;
    }
    let style = if changes.has_regression() { BAD } else { GOOD };
    sheet.prose(0, style, &words::sum(changes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::comparison::sample;

    fn plain(comparison: &Comparison<'_>) -> String {
        let mut out = anstream::StripStream::new(Vec::new());
        write(&mut out, comparison, Layout { width: 100 }).unwrap();
        String::from_utf8(out.into_inner()).unwrap()
    }

    #[test]
    fn three_servers_side_by_side() {
        let servers = sample::three_servers();
        insta::assert_snapshot!(plain(&Comparison::of_servers(&servers, false)));
    }

    #[test]
    fn only_the_differences() {
        let servers = sample::three_servers();
        insta::assert_snapshot!(plain(&Comparison::of_servers(&servers, true)));
    }

    #[test]
    fn one_server_then_and_now() {
        insta::assert_snapshot!(plain(&Comparison::of_runs(&sample::two_runs())));
    }

    #[test]
    fn nothing_changed() {
        let [before, _] = sample::two_runs();
        let same = [before.clone(), before];
        insta::assert_snapshot!(plain(&Comparison::of_runs(&same)), @"NOT WORSE: no rule has another verdict");
    }
}
