//! One line a rule, then totals by area.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use super::Entry;
use crate::rule::Side;

/// The columns behind `area`.
#[derive(Default)]
struct Totals {
    rules: usize,
    wanted: usize,
    proven: usize,
    cases: usize,
    violations: usize,
}

pub(super) fn write(out: &mut dyn Write, entries: &[Entry<'_>]) -> io::Result<()> {
    writeln!(
        out,
        "{:<44} {:<10} {:<8} {:<12} {:>5} {:>9}",
        "rule", "level", "judged", "section", "cases", "sabotages"
    )?;
    let mut totals = BTreeMap::<&str, Totals>::new();
    for Entry { rule, cases, violations } in entries {
        let total = totals.entry(rule.id.area()).or_default();
        total.rules += 1;
        total.wanted += usize::from(rule.wants_a_case());
        total.proven += usize::from(!cases.is_empty());
        total.cases += cases.len();
        total.violations += violations.len();
        let told = match (rule.binds, rule.observable) {
            (Side::Client, _) => "binds clients: not checked by this suite".to_owned(),
            (Side::Server, true) => format!("{:>5} {:>9}", cases.len(), violations.len()),
            (Side::Server, false) => rule.check.trim().replace('\n', " "),
        };
        let (level, judged) = (rule.level.to_string(), rule.judged.to_string());
        writeln!(out, "{:<44} {level:<10} {judged:<8} {:<12} {told}", rule.id.as_str(), rule.section)?;
    }
    writeln!(
        out,
        "\n{:<14} {:>6} {:>16} {:>12} {:>6} {:>10}",
        "area", "rules", "to be proven", "have cases", "cases", "sabotages"
    )?;
    for (area, Totals { rules, wanted, proven, cases, violations }) in totals {
        writeln!(out, "{area:<14} {rules:>6} {wanted:>16} {proven:>12} {cases:>6} {violations:>10}")?;
    }
    Ok(())
}
