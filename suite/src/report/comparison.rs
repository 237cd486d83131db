//! Several runs side by side: servers against each other, or one server then and now. What is read are reports
//! in JSON, as [`super::json`] writes them.

mod changes;
mod html;
mod json;
mod markdown;
mod recorded;
#[cfg(test)]
mod sample;
mod table;
mod terminal;
mod words;

pub use changes::{Change, Changes, Kind};
pub use html::write as write_html;
pub use json::{SCHEMA, SCHEMA_NAME, write as write_json};
pub use markdown::write as write_markdown;
pub use recorded::{Recorded, RecordedError, Server};
pub use table::{Area, Cell, Evidence, Row, Table};
pub use terminal::write as write_text;

/// What is told of the runs that are compared.
#[derive(Debug)]
pub struct Comparison<'a> {
    pub table: Table<'a>,
    /// How the second run differs from the first, where both are of one server.
    pub changes: Option<Changes<'a>>,
}

impl<'a> Comparison<'a> {
    /// Sets servers side by side; with `only_differences`, rules on which all have the same verdict are left out.
    pub fn of_servers(servers: &'a [Server], only_differences: bool) -> Self {
        Self { table: Table::of(servers, only_differences), changes: None }
    }

    /// Tells what became of one server between two runs.
    pub fn of_runs(before_and_after: &'a [Server; 2]) -> Self {
        let [before, after] = before_and_after;
        Self {
            table: Table::of(before_and_after, false),
            changes: Some(Changes::between(&before.report, &after.report)),
        }
    }
}
