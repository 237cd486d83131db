//! The catalogue of rules: what a server must do, where the text says so, and what a violation does to a run.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;
use streamgauge_fixtures::Folder;

use crate::fixture::{FixtureError, FixtureSource, Place};

/// Name of a rule: `area.what-it-says`.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct RuleId(String);

impl RuleId {
    /// The name of a rule that code refers to. Whether it exists is checked when the catalogue is loaded.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the first dot.
    pub fn area(&self) -> &str {
        self.0.split('.').next().unwrap_or_default()
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One requirement of the protocol, in our words.
#[derive(Clone, Debug, Serialize)]
pub struct Rule {
    pub id: RuleId,
    /// Number of the section in the protocol's text; several when a rule is stated twice.
    pub section: String,
    pub level: Level,
    pub judged: Judgement,
    pub binds: Side,
    /// What a target must claim, all of it, for the rule to run.
    pub capabilities: Vec<Capability>,
    /// Whether an experiment over HTTP can see a violation.
    pub observable: bool,
    pub statement: String,
    /// What a violation does to clients.
    pub why: Option<String>,
    /// How to test it, and where naive tests go wrong.
    pub check: String,
    /// Where the text is open, and what is accepted then.
    pub ambiguity: Option<String>,
    #[serde(skip)]
    pub place: Place,
}

impl Rule {
    /// Whether a server suite has to prove this rule with at least one case.
    pub fn wants_a_case(&self) -> bool {
        self.binds == Side::Server && self.observable && self.judged != Judgement::Note
    }
}

/// The keyword that the text uses, as far as it binds the side named in [`Rule::binds`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, schemars::JsonSchema)]
pub enum Level {
    #[serde(rename = "MUST")]
    Must,
    #[serde(rename = "MUST NOT")]
    MustNot,
    #[serde(rename = "SHOULD")]
    Should,
    #[serde(rename = "SHOULD NOT")]
    ShouldNot,
    #[serde(rename = "MAY")]
    May,
    /// Stated in a table or in prose, without keyword.
    #[serde(rename = "IMPLIED")]
    Implied,
    /// Behaviour that no text asks for.
    #[serde(rename = "observed")]
    Observed,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Must => "MUST",
            Self::MustNot => "MUST NOT",
            Self::Should => "SHOULD",
            Self::ShouldNot => "SHOULD NOT",
            Self::May => "MAY",
            Self::Implied => "IMPLIED",
            Self::Observed => "observed",
        })
    }
}

/// What a violation does to a run. Ordered by weight.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Judgement {
    /// Information on what the target does.
    Note,
    /// Reported; fails nothing unless asked to.
    Warning,
    /// Fails the target.
    Error,
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// Who has to act for the rule to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Server,
    Client,
}

/// A part of the protocol that a server may lack; its user declares what it does not claim.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Deserialize,
    Serialize,
    clap::ValueEnum,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    Core,
    Write,
    Read,
    Closure,
    Json,
    LongPoll,
    Sse,
    Producers,
    Ttl,
    Fork,
    CorsSecurity,
    SubscriptionsPull,
    SubscriptionsWebhook,
    Logs,
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Core => "core",
            Self::Write => "write",
            Self::Read => "read",
            Self::Closure => "closure",
            Self::Json => "json",
            Self::LongPoll => "long-poll",
            Self::Sse => "sse",
            Self::Producers => "producers",
            Self::Ttl => "ttl",
            Self::Fork => "fork",
            Self::CorsSecurity => "cors-security",
            Self::SubscriptionsPull => "subscriptions-pull",
            Self::SubscriptionsWebhook => "subscriptions-webhook",
            Self::Logs => "logs",
        })
    }
}

/// All rules, by name.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    rules: BTreeMap<RuleId, Rule>,
}

impl Catalogue {
    /// Reads every file of `rules/`. A doubled id, and a rule in the file of another area, are mistakes.
    pub fn load(source: &FixtureSource) -> Result<Self, FixtureError> {
        let mut rules = BTreeMap::new();
        for file in source.files(Folder::Rules)? {
            let area = std::path::Path::new(&file.path)
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
                .unwrap_or_default();
            for entry in file.parse_list::<RuleEntry>()? {
                let at = entry.id.referenced;
                let rule = entry.into_rule(file.place(at));
                if rule.id.area() != area {
                    return Err(file.mistake(
                        at,
                        format!("rule {} belongs into rules/{}.yaml", rule.id, rule.id.area()),
                    ));
                }
                if !rule.observable && !rule.check.starts_with("Not observable:") {
                    return Err(file.mistake(
                        at,
                        "an unobservable rule says why: its check starts with \"Not observable:\"",
                    ));
                }
                let id = rule.id.clone();
                if let Some(first) = rules.insert(id.clone(), rule) {
                    return Err(file.mistake(at, format!("rule {id} stands at {} already", first.place)));
                }
            }
        }
        if rules.is_empty() {
            return Err(FixtureError::new("the catalogue is empty: no rule found in rules/"));
        }
        Ok(Self { rules })
    }

    /// The JSON Schema of a file of rules.
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Vec<RuleEntry>).to_value()
    }

    /// The rule of that name.
    pub fn rule(&self, id: &RuleId) -> Option<&Rule> {
        self.rules.get(id)
    }

    /// All rules in order of their names.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values()
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is no rule at all.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// A rule as it stands in a file.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct RuleEntry {
    #[schemars(with = "String", regex(pattern = "^[a-z]+\\..+$"))]
    id: Spanned<String>,
    section: String,
    level: Level,
    binds: Side,
    capabilities: Vec<Capability>,
    judged: Judgement,
    observable: bool,
    statement: String,
    /// What a violation does to clients, in a sentence or two.
    why: Option<String>,
    check: String,
    ambiguity: Option<String>,
}

impl RuleEntry {
    fn into_rule(self, place: Place) -> Rule {
        Rule {
            id: RuleId::new(self.id.value),
            section: self.section,
            level: self.level,
            judged: self.judged,
            binds: self.binds,
            capabilities: self.capabilities,
            observable: self.observable,
            statement: self.statement,
            why: self.why,
            check: self.check,
            ambiguity: self.ambiguity,
            place,
        }
    }
}
