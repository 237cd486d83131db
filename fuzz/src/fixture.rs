//! A fixture file: any text is read or refused with its place, and never anything else.

use streamgauge::fixture::FixtureFile;

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let file = FixtureFile { path: "fixtures/rules/fuzz.yaml".to_owned(), text: text.to_owned() };
    if let Err(error) = file.parse_list::<serde_json::Value>() {
        assert!(error.to_string().contains("fixtures/rules/fuzz.yaml"), "an error names the file: {error}");
    }
}
