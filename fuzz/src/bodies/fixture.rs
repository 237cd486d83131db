//! Fixture files: any text is read, or refused with its place, and soon.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use streamgauge::{
    case::CaseSet,
    fixture::{FixtureFile, FixtureSource},
    rule::Catalogue,
};
use streamgauge_fixtures::Folder;
use streamgauge_reference_server::sabotage::{Source, sabotages, variants};

static CATALOGUE: LazyLock<Catalogue> =
    LazyLock::new(|| Catalogue::load(&FixtureSource::Embedded).expect("the embedded rules are right"));

const PATIENCE: Duration = Duration::from_secs(10);

/// The first byte chooses the kind of file, the rest is its text.
pub fn run(data: &[u8]) {
    let Some((kind, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let (folder, path) = match kind % 4 {
        0 => (Folder::Cases, "fixtures/cases/fuzz.yaml"),
        1 => (Folder::Rules, "fixtures/rules/fuzz.yaml"),
        2 => (Folder::Sabotage, "fixtures/sabotage/fuzz.yaml"),
        _ => (Folder::Variants, "fixtures/variants/fuzz.yaml"),
    };
    let begun = Instant::now();
    if let Err(mistake) = read(folder, path, text) {
        assert!(has_place(&mistake, path), "a mistake names its place: {mistake}");
    }
    assert!(begun.elapsed() < PATIENCE, "{} bytes took {:?}", text.len(), begun.elapsed());
}

fn read(folder: Folder, path: &str, text: &str) -> Result<(), String> {
    let file = FixtureFile { path: path.to_owned(), text: text.to_owned() };
    let source = FixtureSource::Text(folder, file);
    match folder {
        Folder::Cases => CaseSet::load(&source, &CATALOGUE).map(drop).map_err(|mistake| mistake.to_string()),
        Folder::Rules => Catalogue::load(&source).map(drop).map_err(|mistake| mistake.to_string()),
        Folder::Sabotage => {
            sabotages([Source { path, text }]).map(drop).map_err(|mistake| mistake.to_string())
        }
        _ => variants([Source { path, text }]).map(drop).map_err(|mistake| mistake.to_string()),
    }
}

/// The file, and a line of it or words that say there is none.
fn has_place(mistake: &str, path: &str) -> bool {
    let is_empty_catalogue = mistake.starts_with("the catalogue is empty");
    let names_a_line =
        mistake.split(path).skip(1).any(|behind| behind.contains(|digit: char| digit.is_ascii_digit()));
    is_empty_catalogue || names_a_line
}
