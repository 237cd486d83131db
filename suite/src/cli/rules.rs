//! `streamgauge rules`.

mod list;
mod page;

use std::{
    collections::BTreeMap,
    io::{ErrorKind, Write},
};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{Misuse, Status, output::Output};
use crate::{
    case::CaseSet,
    fixture::{FixtureSource, Place},
    rule::{Capability, Catalogue, Judgement, Level, Rule, RuleId, Side},
    run::Job,
    scenario,
    violation::Violation,
};

#[derive(Debug, Args)]
pub(super) struct RulesArguments {
    /// One rule, by its id: all that there is to say about it. Or an area: its rules.
    #[arg(value_name = "ID")]
    id: Option<String>,

    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// A rule with what proves it and what breaks it.
#[derive(Debug)]
struct Entry<'a> {
    rule: &'a Rule,
    cases: &'a [CaseLine],
    violations: &'a [Violation],
}

/// A case in short.
#[derive(Debug)]
struct CaseLine {
    id: String,
    title: String,
    place: Place,
}

impl RulesArguments {
    pub(super) fn run(&self) -> Result<Status, Misuse> {
        let source = FixtureSource::Embedded;
        // Both folders are large: they are read side by side.
        let (catalogue, violations) = std::thread::scope(|scope| {
            let violations = scope.spawn(|| Violation::all(&source));
            let catalogue = Catalogue::load(&source)
                .and_then(|catalogue| Ok((cases_by_rule(&source, &catalogue)?, catalogue)));
            (catalogue, violations.join())
        });
        let (cases, catalogue) = catalogue.map_err(Misuse::new)?;
        let violations = violations
            .map_err(|_| Misuse::new("the sabotages cannot be read"))
            .and_then(|violations| violations.map_err(Misuse::new))?;
        let violations = violations_by_rule(violations);
        let chosen = self.chosen(&catalogue)?;
        let entries: Vec<Entry<'_>> = chosen
            .into_iter()
            .map(|rule| Entry {
                rule,
                cases: cases.get(&rule.id).map_or(&[], Vec::as_slice),
                violations: violations.get(rule.id.as_str()).map_or(&[], Vec::as_slice),
            })
            .collect();
        let mut output = Output::open(None, self.format == Format::Text)?;
        let written = match (self.format, entries.as_slice()) {
            (Format::Json, all) => write_json(&mut output, all),
            (Format::Text, [one]) if self.id.is_some() => page::write(&mut output, one),
            (Format::Text, all) => list::write(&mut output, all),
        };
        match written.and_then(|()| output.flush()) {
            // Whoever closes the pipe has read enough.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(output.misuse(&error)),
            _ => Ok(Status::Right),
        }
    }

    /// The rules that were asked for.
    fn chosen<'c>(&self, catalogue: &'c Catalogue) -> Result<Vec<&'c Rule>, Misuse> {
        let Some(id) = &self.id else { return Ok(catalogue.rules().collect()) };
        if let Some(rule) = catalogue.rule(&RuleId::new(id.as_str())) {
            return Ok(vec![rule]);
        }
        let of_area: Vec<&Rule> = catalogue.rules().filter(|rule| rule.id.area() == id).collect();
        if of_area.is_empty() { Err(unknown(id, catalogue)) } else { Ok(of_area) }
    }
}

fn cases_by_rule(
    source: &FixtureSource,
    catalogue: &Catalogue,
) -> Result<BTreeMap<RuleId, Vec<CaseLine>>, crate::fixture::FixtureError> {
    let cases = CaseSet::load(source, catalogue)?;
    let mut by_rule = BTreeMap::<RuleId, Vec<CaseLine>>::new();
    let jobs = cases.cases.into_iter().map(|case| Job::Case(std::sync::Arc::new(case)));
    for job in jobs.chain(scenario::all().into_iter().map(Job::Scenario)) {
        for rule in job.proves() {
            let line =
                CaseLine { id: job.id().to_owned(), title: job.title().to_owned(), place: job.place() };
            by_rule.entry(rule).or_default().push(line);
        }
    }
    Ok(by_rule)
}

fn violations_by_rule(violations: Vec<Violation>) -> BTreeMap<String, Vec<Violation>> {
    let mut by_rule = BTreeMap::<String, Vec<Violation>>::new();
    for violation in violations {
        by_rule.entry(violation.breaks.clone()).or_default().push(violation);
    }
    by_rule
}

fn unknown(id: &str, catalogue: &Catalogue) -> Misuse {
    let close: Vec<&str> =
        catalogue.rules().map(|rule| rule.id.as_str()).filter(|known| known.contains(id)).collect();
    match close.as_slice() {
        [] => Misuse::new(format!("there is no rule and no area {id}; `streamgauge rules` lists them")),
        close => Misuse::new(format!("there is no rule {id}; did you mean {}?", close.join(", "))),
    }
}

/// A rule as programs read it.
#[derive(Serialize)]
struct JsonEntry<'a> {
    id: &'a RuleId,
    section: &'a str,
    level: Level,
    judged: Judgement,
    binds: Side,
    capabilities: &'a [Capability],
    statement: &'a str,
    observable: bool,
    cases: Vec<&'a str>,
    sabotages: Vec<String>,
}

fn write_json(out: &mut dyn Write, entries: &[Entry<'_>]) -> std::io::Result<()> {
    let entries: Vec<JsonEntry<'_>> = entries
        .iter()
        .map(|Entry { rule, cases, violations }| JsonEntry {
            id: &rule.id,
            section: &rule.section,
            level: rule.level,
            judged: rule.judged,
            binds: rule.binds,
            capabilities: &rule.capabilities,
            statement: rule.statement.trim(),
            observable: rule.observable,
            cases: cases.iter().map(|case| case.id.as_str()).collect(),
            sabotages: violations.iter().map(Violation::id).collect(),
        })
        .collect();
    serde_json::to_writer_pretty(&mut *out, &entries)?;
    writeln!(out)
}
