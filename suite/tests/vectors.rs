//! The vectors of `fixtures/vectors` against the parsers of the suite. Fuzzers begin with the same inputs.

use serde::Deserialize;
use streamgauge::{
    case::CaseSet,
    fixture::{FixtureFile, FixtureSource},
    rule::Catalogue,
    sse::{Item, Parser},
};
use streamgauge_fixtures::Folder;

/// An input, and what it gives or a part of why it is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector<T> {
    text: String,
    gives: Option<T>,
    refused: Option<String>,
}

fn vectors<T: serde::de::DeserializeOwned>(name: &str) -> Vec<Vector<T>> {
    let path = format!("fixtures/vectors/{name}.yaml");
    let files = FixtureSource::Embedded.files(Folder::Vectors).unwrap();
    let file =
        files.into_iter().find(|file| file.path == path).unwrap_or_else(|| panic!("{path} is missing"));
    file.parse_list().unwrap_or_else(|mistake| panic!("{mistake}"))
}

#[test]
fn event_streams() {
    for vector in vectors::<Vec<(String, String)>>("sse_parse") {
        let mut parser = Parser::default();
        parser.feed(vector.text.as_bytes()).unwrap();
        let dispatched = parser.drain().filter_map(|item| match item {
            Item::Event(event) if event.is_dispatched() => Some((event.kind().to_owned(), event.data?)),
            Item::Event(_) | Item::Comment(_) => None,
        });
        assert_eq!(Some(dispatched.collect()), vector.gives, "{:?}", vector.text);
        assert_eq!(vector.refused, None, "an event stream is never refused");
    }
}

#[test]
fn case_files() {
    let catalogue = Catalogue::load(&FixtureSource::Embedded).unwrap();
    for vector in vectors::<Vec<String>>("fixture") {
        let file = FixtureFile { path: "fixtures/cases/fuzz.yaml".to_owned(), text: vector.text.clone() };
        match (CaseSet::load(&FixtureSource::Text(Folder::Cases, file), &catalogue), vector.refused) {
            (Ok(set), None) => {
                let ids = set.cases.into_iter().map(|case| case.id).collect();
                assert_eq!(Some(ids), vector.gives, "{}", vector.text);
            }
            (Ok(_), Some(why)) => panic!("{} is to be refused: {why}", vector.text),
            (Err(mistake), None) => panic!("{} is refused: {mistake}", vector.text),
            (Err(mistake), Some(why)) => {
                let mistake = mistake.to_string();
                assert!(mistake.contains(&why) && mistake.contains("fuzz.yaml"), "{why}: {mistake}");
            }
        }
    }
}
