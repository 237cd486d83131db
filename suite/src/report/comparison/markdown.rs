//! The comparison as a page in Markdown, for pull requests and websites.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use crate::{
    event::RuleVerdict,
    report::{
        markdown::{code, escaped},
        message,
    },
};

use super::{
    Comparison,
    changes::Changes,
    table::{Row, Table},
    words,
};

/// Writes the page.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write(out: &mut dyn Write, comparison: &Comparison<'_>) -> io::Result<()> {
    out.write_all(page(comparison).as_bytes())
}

fn page(comparison: &Comparison<'_>) -> String {
    let mut page = String::new();
    match &comparison.changes {
        Some(changes) => write_changes(&mut page, changes),
        None => write_table(&mut page, &comparison.table),
    }
    page
}

fn write_table(page: &mut String, table: &Table<'_>) {
    line(page, &format!("## {}\n", words::SERVERS));
    line(page, &format!("| | | {} |", message::COLUMNS.join(" | ")));
    line(page, &format!("|---|---|{}", "--:|".repeat(message::COLUMNS.len())));
    for (server, tally) in table.servers.iter().zip(&table.totals) {
        let cells = tally.cells().map(|number| if number == 0 { String::new() } else { number.to_string() });
        let (name, told) = (escaped(&server.name), words::conclusion(&server.report));
        line(page, &format!("| {name} | {told} | {} |", cells.join(" | ")));
    }
    line(page, &format!("\n## {}", words::RULES));
    let names: Vec<String> = table.servers.iter().map(|server| escaped(&server.name)).collect();
    for area in &table.areas {
        line(page, &format!("\n### {}\n", escaped(area.name)));
        line(page, &format!("| | {} |", names.join(" | ")));
        line(page, &format!("|---|{}", "---|".repeat(names.len())));
        for row in &area.rows {
            write_row(page, row);
        }
        let sums: Vec<String> = area.tallies.iter().map(words::proven_of).collect();
        line(page, &format!("| *proven* | {} |", sums.join(" | ")));
    }
    for remark in words::remarks(table) {
        line(page, &format!("\n{}", escaped(&remark)));
    }
}

fn write_row(page: &mut String, row: &Row<'_>) {
    let cells: Vec<String> = row
        .cells
        .iter()
        .map(|cell| cell.as_ref().map(|cell| cell.verdict))
        .map(|verdict| match verdict {
            Some(RuleVerdict::Broken) => "**broken**".to_owned(),
            Some(RuleVerdict::Warned) => "*warned*".to_owned(),
            other => words::verdict(other).to_owned(),
        })
        .collect();
    line(page, &format!("| {} | {} |", code(row.id.as_str()), cells.join(" | ")));
}

fn write_changes(page: &mut String, changes: &Changes<'_>) {
    line(page, &format!("## {}", escaped(&words::sum(changes))));
    for (kind, list) in &changes.0 {
        line(page, &format!("\n### {}\n", message::heading(words::kind(*kind), list.len())));
        for change in list {
            line(
                page,
                &format!(
                    "- {} {}: {}",
                    code(change.rule.id.as_str()),
                    words::transition(change),
                    escaped(change.rule.statement.trim())
                ),
            );
            for case in &change.cases {
                line(page, &format!("  - {}", code(case)));
            }
        }
    }
}

fn line(page: &mut String, text: &str) {
    writeln!(page, "{text}").expect("a String takes all that is written to it");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::comparison::sample;

    #[test]
    fn three_servers_side_by_side() {
        let servers = sample::three_servers();
        insta::assert_snapshot!(page(&Comparison::of_servers(&servers, false)));
    }

    #[test]
    fn one_server_then_and_now() {
        insta::assert_snapshot!(page(&Comparison::of_runs(&sample::two_runs())));
    }
}
