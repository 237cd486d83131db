//! From fixture files to cases that can be run: tables expanded, names checked.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::Deserialize;
use serde_saphyr::Spanned;
use streamgauge_fixtures::Folder;

use super::{HumanDuration, On, Step, Template, logs, names};
use crate::{
    fixture::{FixtureError, FixtureFile, FixtureSource, Place},
    rule::{Capability, Catalogue, RuleId},
};

/// One experiment on fresh streams.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name; a row of a table adds `/row`.
    pub id: String,
    pub title: String,
    /// The rules that a mismatch breaks where an expectation names none itself.
    pub proves: Vec<RuleId>,
    /// The same, and those that single expectations name.
    pub all_rules: Vec<RuleId>,
    /// When this case does not pass, the target lacks that capability altogether.
    pub probes: Option<Capability>,
    /// Runs also where a probe found a capability missing that it needs.
    pub undeterred: bool,
    /// What the target must claim, all of it.
    pub needs: BTreeSet<Capability>,
    /// What the target must not claim.
    pub lacks: BTreeSet<Capability>,
    /// What the case has to wait for, if it waits.
    pub waits_for: Option<Wait>,
    /// Sets the stage: what fails here accuses nobody. The rows of a table share their steps.
    pub given: Arc<[Step]>,
    /// Proves the rules.
    pub steps: Arc<[Step]>,
    /// Which of the target's URLs it asks.
    pub asks: BTreeSet<On>,
    /// The cells of the table's row, by name; `None` leaves the header or parameter out.
    pub row: Row,
    pub place: Place,
    /// The file, for the lines of steps.
    pub file: String,
}

/// The cells of one row.
pub type Row = BTreeMap<String, Option<String>>;

/// A wait that the target's own timing imposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Wait {
    /// Until a long-poll times out.
    LongPollTimeout,
    /// Until an event stream ends by its lifetime.
    SseLifetime,
    /// Until the log stream has sent pings.
    Heartbeats,
    /// A time of the case's own.
    For(HumanDuration),
}

/// All cases of a fixture tree.
#[derive(Clone, Debug, Default)]
pub struct CaseSet {
    pub cases: Vec<Case>,
}

impl CaseSet {
    /// Reads every file of `cases/`. Doubled ids, unknown rules and names without value are mistakes.
    pub fn load(source: &FixtureSource, catalogue: &Catalogue) -> Result<Self, FixtureError> {
        let mut cases = Vec::new();
        let mut places: BTreeMap<String, Place> = BTreeMap::new();
        for file in source.files(Folder::Cases)? {
            for entry in file.parse_list::<CaseEntry>()? {
                let at = entry.id.referenced;
                for case in entry.expand(&file, catalogue)? {
                    if let Some(first) = places.insert(case.id.clone(), case.place.clone()) {
                        return Err(file.mistake(at, format!("case {} stands at {first} already", case.id)));
                    }
                    cases.push(case);
                }
            }
        }
        Ok(Self { cases })
    }

    /// The JSON Schema of a file of cases.
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Vec<CaseEntry>).to_value()
    }
}

/// A case as it stands in a file.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct CaseEntry {
    #[schemars(with = "String", regex(pattern = "^[a-z0-9-]+$"))]
    id: Spanned<String>,
    title: String,
    #[schemars(with = "Vec<String>", length(min = 1))]
    proves: Vec<Spanned<String>>,
    #[serde(default)]
    needs: Vec<Capability>,
    #[serde(default)]
    lacks: Vec<Capability>,
    #[serde(default)]
    probes: Option<Capability>,
    #[serde(default)]
    undeterred: bool,
    #[serde(default)]
    waits: Option<Wait>,
    /// Rows by name; each makes a case of its own.
    #[serde(default)]
    each: Option<BTreeMap<String, BTreeMap<String, Option<Template>>>>,
    #[serde(default)]
    #[schemars(with = "Vec<super::Act>")]
    given: Vec<Step>,
    #[schemars(with = "Vec<super::Act>", length(min = 1))]
    steps: Vec<Step>,
}

impl CaseEntry {
    fn expand(self, file: &FixtureFile, catalogue: &Catalogue) -> Result<Vec<Case>, FixtureError> {
        let at = self.id.referenced;
        if !is_kebab(&self.id.value) {
            return Err(file.mistake(at, "a case id is written in-kebab-case"));
        }
        if self.steps.is_empty() {
            return Err(file.mistake(at, "a case without steps proves nothing"));
        }
        if self.proves.is_empty() {
            return Err(file.mistake(at, "a case proves at least one rule"));
        }
        let mut proves = Vec::new();
        for id in &self.proves {
            proves.push(known_rule(&id.value, catalogue).map_err(|why| file.mistake(id.referenced, why))?);
        }
        let rows = match self.each {
            None => vec![(String::new(), Row::new())],
            Some(rows) if rows.is_empty() => {
                return Err(file.mistake(at, "a table without rows runs nothing"));
            }
            Some(rows) => rows
                .into_iter()
                .map(|(name, cells)| {
                    let cells = cells
                        .into_iter()
                        .map(|(cell, text)| (cell, text.map(|text| text.source().to_owned())));
                    (format!("/{name}"), cells.collect())
                })
                .collect(),
        };
        let (given, steps): (Arc<[Step]>, Arc<[Step]>) = (self.given.into(), self.steps.into());
        let usage = names::Usage { file, catalogue, case_rules: &proves };
        let mut cases = Vec::new();
        for (suffix, row) in rows {
            usage.check(at, &row, &given, &steps)?;
            cases.push(Case {
                id: format!("{}{suffix}", self.id.value),
                title: self.title.clone(),
                needs: needs(&proves, &self.needs, catalogue),
                lacks: self.lacks.iter().copied().collect(),
                all_rules: names::all_rules(&proves, &steps),
                proves: proves.clone(),
                probes: self.probes,
                undeterred: self.undeterred,
                waits_for: self.waits,
                given: Arc::clone(&given),
                steps: Arc::clone(&steps),
                asks: logs::asked(given.iter().chain(&*steps)),
                row,
                place: file.place(at),
                file: file.path.clone(),
            });
        }
        Ok(cases)
    }
}

/// A case needs what its rules need, and what it says besides.
fn needs(proves: &[RuleId], more: &[Capability], catalogue: &Catalogue) -> BTreeSet<Capability> {
    proves
        .iter()
        .filter_map(|id| catalogue.rule(id))
        .flat_map(|rule| rule.capabilities.iter().copied())
        .chain(more.iter().copied())
        .collect()
}

/// The rule of that name, if there is one that a server can break.
pub(super) fn known_rule(id: &str, catalogue: &Catalogue) -> Result<RuleId, String> {
    let id = RuleId::new(id);
    match catalogue.rule(&id) {
        None => Err(format!("there is no rule {id}")),
        Some(rule) if !rule.observable => Err(format!("rule {id} is not observable; no case can prove it")),
        Some(_) => Ok(id),
    }
}

fn is_kebab(id: &str) -> bool {
    !id.is_empty()
        && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
