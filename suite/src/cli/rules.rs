//! `streamgauge rules`.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{Misuse, Status};
use crate::{
    case::CaseSet,
    fixture::FixtureSource,
    rule::{Catalogue, Rule, RuleId, Side},
    run::Job,
    scenario,
};

#[derive(Debug, Args)]
pub(super) struct RulesArguments {
    /// One rule, by its id: all that there is to say about it.
    id: Option<String>,

    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// A rule with what proves it.
#[derive(Serialize)]
struct Entry<'a> {
    id: &'a RuleId,
    section: &'a str,
    level: String,
    judged: String,
    binds: Side,
    capabilities: &'a [crate::rule::Capability],
    statement: &'a str,
    observable: bool,
    cases: Vec<String>,
    sabotages: Vec<String>,
}

impl RulesArguments {
    pub(super) fn run(&self) -> Result<Status, Misuse> {
        let source = FixtureSource::Embedded;
        let catalogue = Catalogue::load(&source).map_err(Misuse::new)?;
        let cases = cases_by_rule(&source, &catalogue)?;
        let rules: Vec<&Rule> = match &self.id {
            None => catalogue.rules().collect(),
            Some(id) => {
                vec![catalogue.rule(&RuleId::new(id.as_str())).ok_or_else(|| unknown(id, &catalogue))?]
            }
        };
        match self.format {
            Format::Json => {
                let entries: Vec<Entry<'_>> = rules.iter().map(|rule| entry(rule, &cases)).collect();
                let text = serde_json::to_string_pretty(&entries).map_err(Misuse::new)?;
                println!("{text}");
            }
            Format::Text if self.id.is_some() => rules.iter().for_each(|rule| tell_all(rule, &cases)),
            Format::Text => list(&rules, &cases),
        }
        Ok(Status::Right)
    }
}

type CasesByRule = BTreeMap<RuleId, Vec<String>>;

fn cases_by_rule(source: &FixtureSource, catalogue: &Catalogue) -> Result<CasesByRule, Misuse> {
    let cases = CaseSet::load(source, catalogue).map_err(Misuse::new)?;
    let mut by_rule = CasesByRule::new();
    let jobs = cases.cases.into_iter().map(|case| Job::Case(std::sync::Arc::new(case)));
    for job in jobs.chain(scenario::all().into_iter().map(Job::Scenario)) {
        for rule in job.proves() {
            by_rule.entry(rule).or_default().push(job.id().to_owned());
        }
    }
    Ok(by_rule)
}

fn unknown(id: &str, catalogue: &Catalogue) -> Misuse {
    let close: Vec<&str> =
        catalogue.rules().map(|rule| rule.id.as_str()).filter(|known| known.contains(id)).collect();
    match close.as_slice() {
        [] => Misuse::new(format!("there is no rule {id}; `streamgauge rules` lists them")),
        close => Misuse::new(format!("there is no rule {id}; did you mean {}?", close.join(", "))),
    }
}

fn entry<'a>(rule: &'a Rule, cases: &CasesByRule) -> Entry<'a> {
    Entry {
        id: &rule.id,
        section: &rule.section,
        level: rule.level.to_string(),
        judged: rule.judged.to_string(),
        binds: rule.binds,
        capabilities: &rule.capabilities,
        statement: rule.statement.trim(),
        observable: rule.observable,
        cases: cases.get(&rule.id).cloned().unwrap_or_default(),
        sabotages: Vec::new(),
    }
}

/// One line a rule, then totals by area.
fn list(rules: &[&Rule], cases: &CasesByRule) {
    println!("{:<44} {:<10} {:<8} {:<12} cases", "rule", "level", "judged", "section");
    let mut totals: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    for rule in rules {
        let proven_by = cases.get(&rule.id).map_or(0, Vec::len);
        let total = totals.entry(rule.id.area()).or_default();
        total[0] += 1;
        total[1] += usize::from(rule.wants_a_case());
        total[2] += usize::from(proven_by > 0);
        total[3] += proven_by;
        let told = match (rule.binds, rule.observable) {
            (Side::Client, _) => "binds clients: not checked by this suite".to_owned(),
            (Side::Server, true) => proven_by.to_string(),
            (Side::Server, false) => rule.check.trim().replace('\n', " "),
        };
        let (level, judged) = (rule.level.to_string(), rule.judged.to_string());
        println!("{:<44} {level:<10} {judged:<8} {:<12} {told}", rule.id.as_str(), rule.section);
    }
    println!("\n{:<14} {:>6} {:>16} {:>12} {:>6}", "area", "rules", "to be proven", "have cases", "cases");
    for (area, [rules, wanted, proven, cases]) in totals {
        println!("{area:<14} {rules:>6} {wanted:>16} {proven:>12} {cases:>6}");
    }
}

fn tell_all(rule: &Rule, cases: &CasesByRule) {
    println!("{}  (section {}, {}, judged {})\n", rule.id, rule.section, rule.level, rule.judged);
    println!("{}\n", rule.statement.trim());
    println!("How it is checked, and where servers go wrong:\n  {}\n", rule.check.trim());
    if let Some(ambiguity) = &rule.ambiguity {
        println!("Where the text is open:\n  {}\n", ambiguity.trim());
    }
    match cases.get(&rule.id) {
        None => println!("No case."),
        Some(cases) => println!("Cases:\n  {}", cases.join("\n  ")),
    }
}
