//! The comparison as one page, complete in itself, in the look of the report of a run.

use std::io::{self, Write};

use askama::Template;
use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

use crate::report::{findings::Tally, message, visible::visible};

use super::{
    Comparison,
    changes::{Change, Changes},
    table::{Area, Cell, Row, Table},
    words,
};

/// The only script of the page. It adds a search; nothing is hidden without it.
const SCRIPT: &str = include_str!("../../../templates/comparison.js");

/// Cases that are told of one cell.
const CASES: usize = 5;

/// Writes the page.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write(out: &mut dyn Write, comparison: &Comparison<'_>) -> io::Result<()> {
    Page::of(comparison).write_into(out)
}

#[derive(Template)]
#[template(path = "comparison.html")]
struct Page<'a> {
    title: &'static str,
    conclusion: &'static str,
    sum: Option<String>,
    version: &'static str,
    columns: [&'static str; 5],
    servers: Vec<ServerView>,
    groups: Vec<GroupView<'a>>,
    areas: Vec<AreaView<'a>>,
    remarks: Vec<String>,
    script: &'static str,
    script_hash: String,
}

struct ServerView {
    name: String,
    target: String,
    told: String,
    cells: Vec<(&'static str, usize)>,
}

/// Changes of one kind.
struct GroupView<'a> {
    heading: String,
    changes: Vec<ChangeView<'a>>,
}

struct ChangeView<'a> {
    id: &'a str,
    class: &'static str,
    transition: String,
    statement: &'a str,
    reason: Option<String>,
    cases: &'a [&'a str],
}

struct AreaView<'a> {
    name: &'a str,
    sums: Vec<String>,
    rows: Vec<RowView<'a>>,
}

struct RowView<'a> {
    id: &'a str,
    standing: String,
    statement: &'a str,
    alike: bool,
    cells: Vec<(&'static str, &'static str)>,
    /// What the servers got wrong, or why nothing is known of them.
    remarks: Vec<RemarkView<'a>>,
}

struct RemarkView<'a> {
    server: String,
    sentences: Vec<(Option<&'a str>, String)>,
    left_out: usize,
}

impl<'a> Page<'a> {
    fn of(comparison: &'a Comparison<'a>) -> Self {
        let table = &comparison.table;
        let changes = comparison.changes.as_ref();
        let worse = changes.map(Changes::has_regression);
        Self {
            title: if changes.is_some() { "Then and now" } else { "Servers side by side" },
            conclusion: match worse {
                Some(true) => "bad",
                Some(false) => "good",
                None => "",
            },
            sum: changes.map(words::sum),
            version: env!("CARGO_PKG_VERSION"),
            columns: message::COLUMNS,
            servers: servers(table),
            groups: changes.map(GroupView::all).unwrap_or_default(),
            areas: table.areas.iter().map(|area| AreaView::of(area, table)).collect(),
            remarks: words::remarks(table),
            script: SCRIPT,
            script_hash: BASE64_STANDARD.encode(Sha256::digest(SCRIPT)),
        }
    }
}

fn servers(table: &Table<'_>) -> Vec<ServerView> {
    let classes = ["proven", "broken", "warned", "not-claimed", "not-checked"];
    let view = |(server, tally): (&super::Server, &Tally)| ServerView {
        name: visible(&server.name).into_owned(),
        target: visible(&server.report.target.url).into_owned(),
        told: words::conclusion(&server.report),
        cells: classes.into_iter().zip(tally.cells()).collect(),
    };
    table.servers.iter().zip(&table.totals).map(view).collect()
}

impl<'a> GroupView<'a> {
    fn all(changes: &'a Changes<'a>) -> Vec<Self> {
        let of = |change: &'a Change<'a>| ChangeView {
            id: change.rule.id.as_str(),
            class: words::class(change.after),
            transition: words::transition(change),
            statement: change.rule.statement.trim(),
            reason: change.rule.reason.as_deref().map(|reason| visible(reason).into_owned()),
            cases: &change.cases,
        };
        let groups = changes.0.iter();
        groups
            .map(|(kind, list)| Self {
                heading: message::heading(words::kind(*kind), list.len()),
                changes: list.iter().map(of).collect(),
            })
            .collect()
    }
}

impl<'a> AreaView<'a> {
    fn of(area: &'a Area<'a>, table: &Table<'_>) -> Self {
        Self {
            name: area.name,
            sums: area.tallies.iter().map(words::proven_of).collect(),
            rows: area.rows.iter().map(|row| RowView::of(row, table)).collect(),
        }
    }
}

impl<'a> RowView<'a> {
    fn of(row: &'a Row<'a>, table: &Table<'_>) -> Self {
        let remarks =
            row.cells.iter().zip(table.servers).filter_map(|(cell, server)| {
                RemarkView::of(cell.as_ref()?, visible(&server.name).into_owned())
            });
        Self {
            id: row.id.as_str(),
            standing: message::standing(row.section, row.level, row.judged),
            statement: row.statement.trim(),
            alike: row.is_alike(),
            cells: row
                .cells
                .iter()
                .map(|cell| cell.as_ref().map(|cell| cell.verdict))
                .map(|verdict| (words::class(verdict), words::verdict(verdict)))
                .collect(),
            remarks: remarks.collect(),
        }
    }
}

impl<'a> RemarkView<'a> {
    fn of(cell: &Cell<'a>, server: String) -> Option<Self> {
        let mut sentences: Vec<(Option<&'a str>, String)> = cell
            .evidence
            .iter()
            .map(|evidence| {
                let missed = evidence.mismatch;
                let short = message::mismatch_in_short(&missed.subject, &missed.expected, &missed.actual);
                (Some(evidence.case), short)
            })
            .collect();
        sentences.extend(cell.reason.map(|reason| (None, visible(reason).into_owned())));
        let left_out = sentences.len().saturating_sub(CASES);
        sentences.truncate(CASES);
        (!sentences.is_empty()).then_some(Self { server, sentences, left_out })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::comparison::sample;

    fn page(comparison: &Comparison<'_>) -> String {
        let mut out = Vec::new();
        write(&mut out, comparison).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// What a reader sees: the page below its style and above its script.
    fn body(page: &str) -> String {
        let (_, body) = page.split_once("</style>").unwrap();
        let (body, _) = body.split_once("<script>").unwrap();
        body.replace(env!("CARGO_PKG_VERSION"), "VERSION")
    }

    #[test]
    fn three_servers_side_by_side() {
        let servers = sample::three_servers();
        insta::assert_snapshot!(body(&page(&Comparison::of_servers(&servers, false))));
    }

    #[test]
    fn one_server_then_and_now() {
        let runs = sample::two_runs();
        let page = page(&Comparison::of_runs(&runs));
        assert!(page.contains("WORSE: 1 broke"), "{page}");
        assert!(page.contains("<h2>Mended (1)</h2>"), "{page}");
        assert!(page.contains("broken, was proven"), "{page}");
    }

    #[test]
    fn nothing_is_loaded_and_nothing_that_a_report_holds_becomes_markup() {
        let servers = sample::three_servers();
        let page = page(&Comparison::of_servers(&servers, false));
        for way in [" src=", "<link", "<img", "<iframe", "@import", "url(", "href=\"http"] {
            assert!(!page.contains(way), "{way}");
        }
        assert!(!page.contains("<small>") && !page.contains("<b>all</b>"));
        assert_eq!(page.matches("<script").count(), 1, "only the page's own script");
    }
}
