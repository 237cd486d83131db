//! From fixture files to sabotages and variants, with file, line and snippet for every mistake.

use std::{collections::BTreeMap, fmt};

use serde::de::DeserializeOwned;
use serde_saphyr::{Location, Spanned};
use thiserror::Error;

use super::{Sabotage, Variant};

/// A mistake in a fixture. Its message names the place and shows the line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct FixtureMistake(String);

/// A file of sabotages or variants: its path for messages, and its text.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// For messages.
    pub path: &'a str,
    /// YAML.
    pub text: &'a str,
}

/// Reads files of sabotages.
///
/// # Errors
/// A file is no such list, holds an unknown key, or names one sabotage twice.
pub fn sabotages<'a>(sources: impl IntoIterator<Item = Source<'a>>) -> Result<Vec<Sabotage>, FixtureMistake> {
    let mut all = Vec::new();
    let mut names = BTreeMap::new();
    for source in sources {
        for entry in source.list::<Sabotage>()? {
            let (at, sabotage) = (entry.referenced, entry.value);
            if !is_kebab(&sabotage.name) {
                return Err(source.mistake(at, "a name is written in-kebab-case"));
            }
            if sabotage.is_idle() {
                return Err(source.mistake(at, "it changes nothing"));
            }
            if let Some(first) = names.insert(sabotage.id(), format!("{}:{}", source.path, at.line())) {
                return Err(source.mistake(at, format!("{} stands at {first} already", sabotage.id())));
            }
            all.push(sabotage);
        }
    }
    Ok(all)
}

/// Reads files of variants.
///
/// # Errors
/// A file is no such list, holds an unknown key, or names one variant twice.
pub fn variants<'a>(sources: impl IntoIterator<Item = Source<'a>>) -> Result<Vec<Variant>, FixtureMistake> {
    let mut all = Vec::new();
    let mut names = BTreeMap::new();
    for source in sources {
        for entry in source.list::<Variant>()? {
            let (at, variant) = (entry.referenced, entry.value);
            if !is_kebab(&variant.name) {
                return Err(source.mistake(at, "a name is written in-kebab-case"));
            }
            if let Some(first) = names.insert(variant.name.clone(), format!("{}:{}", source.path, at.line()))
            {
                return Err(source.mistake(at, format!("{} stands at {first} already", variant.name)));
            }
            all.push(variant);
        }
    }
    Ok(all)
}

/// The JSON Schema of a file of sabotages.
pub fn sabotage_schema() -> serde_json::Value {
    schemars::schema_for!(Vec<Sabotage>).to_value()
}

/// The JSON Schema of a file of variants.
pub fn variant_schema() -> serde_json::Value {
    schemars::schema_for!(Vec<Variant>).to_value()
}

impl Source<'_> {
    fn list<T: DeserializeOwned>(self) -> Result<Vec<Spanned<T>>, FixtureMistake> {
        let options = serde_saphyr::options! {
            duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::Error,
            budget: serde_saphyr::budget! { max_anchors: 0, max_aliases: 0 },
            with_snippet: true,
        };
        serde_saphyr::from_str_with_options::<Option<Vec<Spanned<T>>>>(self.text, options)
            .map(Option::unwrap_or_default)
            .map_err(|error| FixtureMistake(format!("{}: {}", self.path, error.render())))
    }

    fn mistake(self, at: Location, message: impl fmt::Display) -> FixtureMistake {
        let (line, column) = (at.line(), at.column());
        let text = self.text.lines().nth(line.saturating_sub(1) as usize).unwrap_or_default();
        FixtureMistake(format!("{}:{line}:{column}: {message}\n  |\n{line:>3} | {text}", self.path))
    }
}

fn is_kebab(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Vec<Sabotage>, FixtureMistake> {
        sabotages([Source { path: "fixtures/sabotage/cache.yaml", text }])
    }

    fn why(text: &str) -> String {
        load(text).unwrap_err().to_string()
    }

    const ONE: &str = "- breaks: cache.not-modified-304
  name: validator-ignored
  title: If-None-Match is ignored.
  on: { method: GET }
  request: { drop: [If-None-Match] }
";

    #[test]
    fn a_list_is_read() {
        let all = load(ONE).unwrap();
        assert_eq!(all[0].id(), "cache.not-modified-304#validator-ignored");
        assert!(load("").unwrap().is_empty());
    }

    #[test]
    fn mistakes_name_their_place() {
        let unknown = why(&ONE.replace("drop:", "dropp:"));
        assert!(
            unknown.contains("cache.yaml") && unknown.contains("dropp") && unknown.contains("5"),
            "{unknown}"
        );
        let twice = why(&format!("{ONE}{ONE}"));
        assert!(twice.contains("cache.yaml:6") && twice.contains("cache.yaml:1 already"), "{twice}");
        let idle = why(&ONE.replace("  request: { drop: [If-None-Match] }\n", ""));
        assert!(idle.contains("changes nothing"), "{idle}");
        let name = why(&ONE.replace("validator-ignored", "Validator"));
        assert!(name.contains("in-kebab-case"), "{name}");
        let header = why(&ONE.replace("If-None-Match]", "\"If None\"]"));
        assert!(header.contains("no header name"), "{header}");
        let switch = why(&format!("{ONE}  switch: no-such-switch\n"));
        assert!(switch.contains("no-such-switch"), "{switch}");
    }
}
