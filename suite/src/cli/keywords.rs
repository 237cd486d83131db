//! `streamgauge keywords`.

use std::{collections::BTreeMap, path::PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{Misuse, Status, output};
use crate::{
    fixture::FixtureSource,
    protocol_text::{Demand, KnownRevision, demands},
    rule::Catalogue,
};

#[derive(Debug, Args)]
pub(super) struct KeywordsArguments {
    /// A copy of PROTOCOL.md.
    file: PathBuf,

    /// `text` for people; `json`; `known` for fixtures/protocol, once the catalogue was made anew from this revision.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Only sentences that the revision which the catalogue was made from does not have, or that no rule stands for.
    #[arg(long)]
    new: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Known,
}

#[derive(Serialize)]
struct Entry<'a> {
    section: &'a str,
    line: usize,
    keywords: &'a [&'static str],
    sentence: &'a str,
    new: bool,
    rules: Vec<&'a str>,
}

impl KeywordsArguments {
    /// Status 1 where a sentence is new, or where no rule stands for the section of one.
    pub(super) fn run(&self) -> Result<Status, Misuse> {
        let source = FixtureSource::Embedded;
        let catalogue = Catalogue::load(&source).map_err(Misuse::new)?;
        let known = KnownRevision::load(&source).map_err(Misuse::new)?;
        let text = std::fs::read_to_string(&self.file)
            .map_err(|error| Misuse::new(format!("{}: {error}", self.file.display())))?;
        let demands = demands(&text);
        if demands.is_empty() {
            return Err(Misuse::new(format!(
                "{}: no sentence with a keyword such as MUST below a numbered heading; give a copy of PROTOCOL.md",
                self.file.display()
            )));
        }
        let entries: Vec<Entry<'_>> =
            demands.iter().map(|demand| entry(demand, &known, &catalogue)).collect();
        let open = entries.iter().filter(|entry| entry.is_open()).count();
        let shown = entries.iter().filter(|entry| !self.new || entry.is_open());
        output::print(&match self.format {
            Format::Text => {
                let text: String = shown.map(Entry::told).collect();
                format!("{text}{}\n", summary(&entries, known.missing_from(&demands)))
            }
            Format::Json => {
                let shown: Vec<&Entry<'_>> = shown.collect();
                let text = serde_json::to_string_pretty(&shown);
                text.map_err(|error| Misuse::new(format!("no JSON can be made: {error}")))? + "\n"
            }
            Format::Known => known_file(&demands),
        })?;
        Ok(if open == 0 { Status::Right } else { Status::Broken })
    }
}

impl Entry<'_> {
    fn is_open(&self) -> bool {
        self.new || self.rules.is_empty()
    }

    fn told(&self) -> String {
        let mark = if self.new { "NEW " } else { "" };
        let rules = match self.rules.as_slice() {
            [] => "no rule stands for this section".to_owned(),
            rules => rules.join(", "),
        };
        let rules = textwrap::fill(
            &rules,
            textwrap::Options::new(110).initial_indent("    ").subsequent_indent("    "),
        );
        let head = format!("{mark}{}, line {}: {}", self.section, self.line, self.keywords.join(", "));
        let sentence = textwrap::fill(
            self.sentence,
            textwrap::Options::new(110).initial_indent("  ").subsequent_indent("  "),
        );
        format!("{head}\n{sentence}\n{rules}\n\n")
    }
}

fn entry<'a>(demand: &'a Demand, known: &KnownRevision, catalogue: &'a Catalogue) -> Entry<'a> {
    Entry {
        section: &demand.section,
        line: demand.line,
        keywords: &demand.keywords,
        sentence: &demand.sentence,
        new: !known.has(demand),
        rules: demand.rules(catalogue).into_iter().map(|rule| rule.id.as_str()).collect(),
    }
}

fn summary(entries: &[Entry<'_>], gone: usize) -> String {
    let new = entries.iter().filter(|entry| entry.new).count();
    let unruled = entries.iter().filter(|entry| entry.rules.is_empty()).count();
    format!(
        "{} sentences with keywords: {new} new since the revision of the catalogue, {gone} of it gone, {unruled} in sections without a rule",
        entries.len()
    )
}

/// Digests by section, as `fixtures/protocol` has them.
fn known_file(demands: &[Demand]) -> String {
    let mut sections: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for demand in demands {
        sections.entry(&demand.section).or_default().push(demand.digest());
    }
    let entry = |(section, digests): (&&str, &Vec<String>)| {
        let digests: Vec<String> = digests.iter().map(|digest| format!("\"{digest}\"")).collect();
        format!("- section: \"{section}\"\n  demands: [{}]\n", digests.join(", "))
    };
    sections.iter().map(entry).collect()
}
