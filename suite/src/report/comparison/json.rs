//! The comparison for programs. [`SCHEMA`] describes its shape.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde::Serialize;

use crate::{
    event::RuleVerdict,
    report::findings::{Conclusion, Tally},
    rule::{Judgement, RuleId},
};

use super::{
    Comparison,
    changes::{Change, Changes, Kind},
    recorded::Server,
    table::Row,
};

/// The JSON Schema of the comparison.
pub const SCHEMA: &str = include_str!("../../../schema/comparison.schema.json");

/// What stands under `schema` in a comparison.
pub const SCHEMA_NAME: &str = "streamgauge.comparison/1";

/// Writes the comparison.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write(out: &mut dyn Write, comparison: &Comparison<'_>) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &Document::of(comparison))?;
    writeln!(out)
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    servers: Vec<ServerView<'a>>,
    rules: Vec<RuleView<'a>>,
    regression: Option<bool>,
    changes: Option<BTreeMap<Kind, Vec<ChangeView<'a>>>>,
}

#[derive(Serialize)]
struct ServerView<'a> {
    name: &'a str,
    target: &'a str,
    tool_version: &'a str,
    conclusion: Conclusion,
    proven: usize,
    broken: usize,
    warned: usize,
    not_claimed: usize,
    not_checked: usize,
}

#[derive(Serialize)]
struct RuleView<'a> {
    id: &'a RuleId,
    section: &'a str,
    level: &'a str,
    judged: Judgement,
    statement: &'a str,
    /// In the order of the servers, since names need not be unlike.
    verdicts: Vec<Option<RuleVerdict>>,
}

#[derive(Serialize)]
struct ChangeView<'a> {
    id: &'a RuleId,
    before: Option<RuleVerdict>,
    after: Option<RuleVerdict>,
    cases: &'a [&'a str],
}

impl<'a> Document<'a> {
    fn of(comparison: &'a Comparison<'a>) -> Self {
        let table = &comparison.table;
        let changes = comparison.changes.as_ref();
        Self {
            schema: SCHEMA_NAME,
            servers: table
                .servers
                .iter()
                .zip(&table.totals)
                .map(|(server, tally)| ServerView::of(server, tally))
                .collect(),
            rules: table.areas.iter().flat_map(|area| &area.rows).map(RuleView::of).collect(),
            regression: changes.map(Changes::has_regression),
            changes: changes.map(|Changes(by_kind)| {
                let views = |list: &'a Vec<Change<'a>>| list.iter().map(ChangeView::of).collect();
                by_kind.iter().map(|(kind, list)| (*kind, views(list))).collect()
            }),
        }
    }
}

impl<'a> ServerView<'a> {
    fn of(server: &'a Server, tally: &Tally) -> Self {
        Self {
            name: &server.name,
            target: &server.report.target.url,
            tool_version: &server.report.tool.version,
            conclusion: server.report.conclusion,
            proven: tally.proven,
            broken: tally.broken,
            warned: tally.warned,
            not_claimed: tally.not_claimed,
            not_checked: tally.not_checked,
        }
    }
}

impl<'a> RuleView<'a> {
    fn of(row: &'a Row<'a>) -> Self {
        Self {
            id: row.id,
            section: row.section,
            level: row.level,
            judged: row.judged,
            statement: row.statement,
            verdicts: row.cells.iter().map(|cell| cell.as_ref().map(|cell| cell.verdict)).collect(),
        }
    }
}

impl<'a> ChangeView<'a> {
    fn of(change: &'a Change<'a>) -> Self {
        Self { id: &change.rule.id, before: change.before, after: change.after, cases: &change.cases }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::report::comparison::sample;

    fn document(comparison: &Comparison<'_>) -> Value {
        let mut out = Vec::new();
        write(&mut out, comparison).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    fn mistakes(document: &Value) -> Vec<String> {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        assert_eq!(schema["properties"]["schema"]["const"], SCHEMA_NAME);
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    #[test]
    fn both_kinds_fit_the_schema() {
        let servers = sample::three_servers();
        let table = document(&Comparison::of_servers(&servers, false));
        assert_eq!(mistakes(&table), Vec::<String>::new());
        assert_eq!(table["rules"][0]["verdicts"], json!(["proven", "broken", "proven"]));
        assert_eq!(table["changes"], Value::Null);
        let runs = sample::two_runs();
        let changes = document(&Comparison::of_runs(&runs));
        assert_eq!(mistakes(&changes), Vec::<String>::new());
        assert_eq!(changes["regression"], true);
        assert_eq!(changes["changes"]["mended"][0]["id"], "read.past-tail-400");
    }

    #[test]
    fn the_schema_refuses_what_is_no_comparison() {
        let runs = sample::two_runs();
        let right = document(&Comparison::of_runs(&runs));
        let refused = |edit: &dyn Fn(&mut Value)| {
            let mut wrong = right.clone();
            edit(&mut wrong);
            assert_ne!(wrong, right, "the edit changed nothing");
            !mistakes(&wrong).is_empty()
        };
        assert!(refused(&|document| document["rules"][0]["verdicts"][0] = json!("fine")));
        assert!(refused(&|document| document["servers"][0]["proven"] = json!(-1)));
        assert!(refused(&|document| document["changes"]["weather"] = json!([])));
        assert!(refused(&|document| drop(document.as_object_mut().unwrap().remove("servers"))));
    }
}
