//! Seeds: the vectors of `fixtures/vectors`, in the form that each body takes.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use streamgauge::fixture::FixtureSource;
use streamgauge_fixtures::Folder;

use crate::{
    bodies::{fork_headers, producer_headers},
    header_lines,
};

/// As much of a vector as a seed needs.
#[derive(Deserialize)]
struct Vector {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    base64: Option<String>,
}

pub(crate) fn of(name: &str, encode: fn(&str) -> Vec<u8>) -> Vec<Vec<u8>> {
    let file_name = format!("fixtures/vectors/{name}.yaml");
    let files = FixtureSource::Embedded.files(Folder::Vectors).expect("the embedded vectors are text");
    let Some(file) = files.into_iter().find(|file| file.path == file_name) else { return Vec::new() };
    let vectors = file.parse_list::<Vector>().unwrap_or_else(|mistake| panic!("{mistake}"));
    let seed = |vector: Vector| match (vector.text, vector.base64) {
        (Some(text), None) => encode(&text),
        (None, Some(base64)) => {
            STANDARD.decode(base64).unwrap_or_else(|error| panic!("{file_name}: {error}"))
        }
        _ => panic!("{file_name}: a vector has either text or base64"),
    };
    let mut seeds: Vec<Vec<u8>> = vectors.into_iter().map(seed).collect();
    if name == "fixture" {
        seeds.extend(entries_of_fixtures());
    }
    seeds
}

/// The first entries of the fixtures themselves, behind the byte that says which kind they are.
fn entries_of_fixtures() -> Vec<Vec<u8>> {
    const MOST_ENTRIES: usize = 3;
    let mut entries = Vec::new();
    let folders = [Folder::Cases, Folder::Rules, Folder::Sabotage, Folder::Variants];
    for (kind, folder) in (0_u8..).zip(folders) {
        for file in FixtureSource::Embedded.files(folder).expect("the embedded fixtures are text") {
            let list = file.text.split("\n- ").skip(1).take(MOST_ENTRIES);
            entries.extend(list.map(|entry| [&[kind], "- ".as_bytes(), entry.as_bytes(), b"\n"].concat()));
        }
    }
    entries
}

pub(crate) fn as_it_is(text: &str) -> Vec<u8> {
    text.into()
}

/// For bodies whose first byte chooses something.
pub(crate) fn behind_a_byte(text: &str) -> Vec<u8> {
    [b"\0", text.as_bytes()].concat()
}

/// Behind intervals of 20 s, an hour after the epoch, and a jitter of a minute.
pub(crate) fn cursor(text: &str) -> Vec<u8> {
    let mut seed = 20_000_000_000_u64.to_le_bytes().to_vec();
    seed.extend(3600_i32.to_le_bytes());
    seed.extend(60_u16.to_le_bytes());
    seed.extend(text.bytes());
    seed
}

pub(crate) fn producer(text: &str) -> Vec<u8> {
    header_lines::write(text, &producer_headers::LETTERS)
}

pub(crate) fn fork(text: &str) -> Vec<u8> {
    header_lines::write(text, &fork_headers::LETTERS)
}
