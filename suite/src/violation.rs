//! The sabotages by name: which rule each breaks, and what a server with it does wrong. How they do it is the
//! business of the server that plays them.

use serde::Deserialize;
use streamgauge_fixtures::Folder;

use crate::fixture::{FixtureError, FixtureSource};

/// One way to break a rule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Violation {
    /// The id of the rule.
    pub breaks: String,
    /// Unique among those of the rule.
    pub name: String,
    /// What the server does wrong, as a sentence.
    pub title: String,
}

impl Violation {
    /// All of a fixture tree.
    ///
    /// # Errors
    ///
    /// When a file is no list of sabotages.
    pub fn all(source: &FixtureSource) -> Result<Vec<Self>, FixtureError> {
        let mut all = Vec::new();
        for file in source.files(Folder::Sabotage)? {
            all.extend(file.parse_list::<Self>()?);
        }
        Ok(all)
    }

    /// `RULE#name`, as `serve --break` takes it.
    pub fn id(&self) -> String {
        format!("{}#{}", self.breaks, self.name)
    }
}
