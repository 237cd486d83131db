//! Rules by servers, grouped by area.

use std::collections::{BTreeMap, HashMap};

use crate::{
    event::{Mismatch, RuleResult, RuleVerdict},
    report::findings::Tally,
    rule::{Judgement, RuleId},
};

use super::recorded::{Recorded, RecordedCase, Server};

/// All that is told of the servers.
#[derive(Debug)]
pub struct Table<'a> {
    pub servers: &'a [Server],
    /// The verdicts of each server over all rules, in the order of the servers.
    pub totals: Vec<Tally>,
    pub areas: Vec<Area<'a>>,
    /// Rules that are left out because all servers have the same verdict.
    pub alike: usize,
    /// Rules that no run can see.
    pub not_observable: usize,
    /// The versions of the program, where they differ: then a rule may be another one.
    pub versions: Vec<&'a str>,
}

/// The rules of one area.
#[derive(Debug)]
pub struct Area<'a> {
    pub name: &'a str,
    /// The verdicts of each server over the whole area, also over rows that are left out.
    pub tallies: Vec<Tally>,
    pub rows: Vec<Row<'a>>,
}

/// One rule.
#[derive(Debug)]
pub struct Row<'a> {
    pub id: &'a RuleId,
    pub section: &'a str,
    pub level: &'a str,
    pub judged: Judgement,
    pub statement: &'a str,
    /// For each server; `None` where its report does not list the rule.
    pub cells: Vec<Option<Cell<'a>>>,
}

/// What one report says of one rule.
#[derive(Debug)]
pub struct Cell<'a> {
    pub verdict: RuleVerdict,
    /// Why the rule is not claimed or was not checked.
    pub reason: Option<&'a str>,
    /// The first thing that each case says against the rule.
    pub evidence: Vec<Evidence<'a>>,
}

/// What one case missed.
#[derive(Debug)]
pub struct Evidence<'a> {
    pub case: &'a str,
    pub mismatch: &'a Mismatch,
}

impl<'a> Table<'a> {
    pub(super) fn of(servers: &'a [Server], only_differences: bool) -> Self {
        let indices: Vec<Index<'a>> = servers.iter().map(|server| Index::of(&server.report)).collect();
        // The last report that lists a rule gives its words: it is likely the newest.
        let rules: BTreeMap<&RuleId, &RuleResult> =
            servers.iter().flat_map(|server| &server.report.rules).map(|rule| (&rule.id, rule)).collect();
        let mut by_area: BTreeMap<&str, Vec<Row<'a>>> = BTreeMap::new();
        let (mut alike, mut not_observable) = (0, 0);
        for (id, rule) in rules {
            let row = Row::of(rule, &indices);
            if row.cells.iter().flatten().all(|cell| cell.verdict == RuleVerdict::NotObservable) {
                not_observable += 1;
                continue;
            }
            let rows = by_area.entry(id.area()).or_default();
            if only_differences && row.is_alike() {
                alike += 1;
            } else {
                rows.push(row);
            }
        }
        let areas = by_area
            .into_iter()
            .filter(|(_, rows)| !rows.is_empty())
            .map(|(name, rows)| Area { name, tallies: tallies(servers, name), rows })
            .collect();
        let mut versions: Vec<&str> =
            servers.iter().map(|server| server.report.tool.version.as_str()).collect();
        versions.sort_unstable();
        versions.dedup();
        Self {
            servers,
            totals: servers.iter().map(|server| server.report.tally()).collect(),
            areas,
            alike,
            not_observable,
            versions: if versions.len() > 1 { versions } else { Vec::new() },
        }
    }
}

fn tallies(servers: &[Server], area: &str) -> Vec<Tally> {
    servers
        .iter()
        .map(|server| {
            let rules = server.report.rules.iter().filter(|rule| rule.id.area() == area);
            Tally::of(area.to_owned(), rules.map(|rule| rule.verdict)).unwrap_or_default()
        })
        .collect()
}

/// A report by names.
struct Index<'a> {
    rules: HashMap<&'a RuleId, &'a RuleResult>,
    cases: HashMap<&'a str, &'a RecordedCase>,
}

impl<'a> Index<'a> {
    fn of(report: &'a Recorded) -> Self {
        Self {
            rules: report.rules.iter().map(|rule| (&rule.id, rule)).collect(),
            cases: report.cases.iter().map(|case| (case.id.as_str(), case)).collect(),
        }
    }

    fn cell(&self, id: &RuleId) -> Option<Cell<'a>> {
        let rule = self.rules.get(id)?;
        let cases = rule.cases.iter().filter_map(|case| self.cases.get(case.as_str()));
        let evidence = cases
            .filter_map(|case| Some(Evidence { case: &case.id, mismatch: case.against(&rule.id).next()? }));
        let accused = matches!(rule.verdict, RuleVerdict::Broken | RuleVerdict::Warned);
        Some(Cell {
            verdict: rule.verdict,
            reason: rule.reason.as_deref(),
            evidence: if accused { evidence.collect() } else { Vec::new() },
        })
    }
}

impl<'a> Row<'a> {
    fn of(rule: &'a RuleResult, indices: &[Index<'a>]) -> Self {
        Self {
            id: &rule.id,
            section: &rule.section,
            level: &rule.level,
            judged: rule.judged,
            statement: &rule.statement,
            cells: indices.iter().map(|index| index.cell(&rule.id)).collect(),
        }
    }

    /// Whether all servers have the same verdict.
    pub(super) fn is_alike(&self) -> bool {
        let mut verdicts = self.cells.iter().map(|cell| cell.as_ref().map(|cell| cell.verdict));
        let first = verdicts.next();
        verdicts.all(|verdict| Some(verdict) == first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::comparison::sample;

    #[test]
    fn rules_on_which_all_agree_can_be_left_out_and_are_counted() {
        let servers = sample::three_servers();
        let (whole, short) = (Table::of(&servers, false), Table::of(&servers, true));
        let rows = |table: &Table<'_>| table.areas.iter().map(|area| area.rows.len()).sum::<usize>();
        assert_eq!(whole.alike, 0);
        assert_eq!(rows(&short) + short.alike, rows(&whole));
        assert!(short.alike > 0 && rows(&short) > 0);
        assert!(short.areas.iter().flat_map(|area| &area.rows).all(|row| !row.is_alike()));
        // What is left out still counts.
        let totals = |table: &Table<'_>| table.totals.iter().map(Tally::cells).collect::<Vec<_>>();
        assert_eq!(totals(&whole), totals(&short));
    }

    #[test]
    fn a_rule_that_one_report_does_not_list_has_no_verdict_there() {
        let servers = sample::three_servers();
        let table = Table::of(&servers, false);
        let row = table
            .areas
            .iter()
            .flat_map(|area| &area.rows)
            .find(|row| row.id.as_str() == "ttl.sliding")
            .unwrap();
        assert!(row.cells[0].is_some() && row.cells[2].is_none());
    }

    #[test]
    fn what_no_run_can_see_is_counted_and_not_shown() {
        let servers = sample::three_servers();
        let table = Table::of(&servers, false);
        assert_eq!(table.not_observable, 1);
        assert!(table.areas.iter().all(|area| area.name != "core"));
    }

    #[test]
    fn a_broken_rule_comes_with_what_its_cases_missed() {
        let servers = sample::three_servers();
        let table = Table::of(&servers, false);
        let row = &table.areas[0].rows[0];
        let broken = row.cells.iter().flatten().find(|cell| cell.verdict == RuleVerdict::Broken).unwrap();
        assert_eq!(broken.evidence[0].mismatch.subject, "status");
        let proven = row.cells.iter().flatten().find(|cell| cell.verdict == RuleVerdict::Proven).unwrap();
        assert!(proven.evidence.is_empty());
    }
}
