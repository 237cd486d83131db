//! `streamgauge rules`.

use clap::Args;

use super::{Misuse, Status};
use crate::{fixture::FixtureSource, rule::Catalogue};

#[derive(Debug, Args)]
pub(super) struct RulesArguments {
    /// One rule, by its id.
    id: Option<String>,
}

impl RulesArguments {
    pub(super) fn run(&self) -> Result<Status, Misuse> {
        let catalogue = Catalogue::load(&FixtureSource::Embedded).map_err(Misuse::new)?;
        for rule in catalogue.rules() {
            if self.id.as_deref().is_none_or(|id| id == rule.id.as_str()) {
                println!(
                    "{:<45} {:<8} {:<8} {}",
                    rule.id.as_str(),
                    rule.level.to_string(),
                    rule.judged.to_string(),
                    rule.section
                );
            }
        }
        Ok(Status::Right)
    }
}
