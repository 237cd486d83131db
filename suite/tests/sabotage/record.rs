//! The reviewed record of what each sabotage turns red: one snapshot an area, below `snapshots`.

use std::{collections::BTreeMap, fs, path::Path};

/// What the snapshots say of each sabotage.
pub(crate) struct Record(BTreeMap<String, String>);

impl Record {
    /// Reads the snapshots of these areas; one that is not there says nothing.
    pub(crate) fn read(areas: &[&str]) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sabotage/snapshots");
        let texts =
            areas.iter().filter_map(|area| fs::read_to_string(folder.join(format!("{area}.snap"))).ok());
        let entries = texts.flat_map(|text| {
            let content = text.splitn(3, "---\n").nth(2).unwrap_or_default().to_owned();
            content.split("\n\n").map(entry).collect::<Vec<_>>()
        });
        Self(entries.collect())
    }

    /// Whether nothing else is recorded.
    pub(crate) fn agrees(&self, sabotage: &str, red: &str) -> bool {
        self.0.get(sabotage).is_none_or(|recorded| recorded == red.trim_end())
    }
}

fn entry(text: &str) -> (String, String) {
    let sabotage = text.lines().next().unwrap_or_default();
    (sabotage.to_owned(), text.trim_end().to_owned())
}

/// Holds an area against its snapshot. `INSTA_UPDATE=always` writes it anew, for a review of the difference.
pub(crate) fn compare(name: &str, text: &str) {
    insta::with_settings!(
        { prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!(name, text) }
    );
}
