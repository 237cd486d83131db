//! Where fixtures come from, and what is wrong with one: every mistake has a file, a line and a snippet.

use std::{fmt, path::PathBuf};

use serde::de::DeserializeOwned;
use serde_saphyr::Location;
use streamgauge_fixtures::Folder;

/// The tree that fixtures are read from.
#[derive(Clone, Debug, Default)]
pub enum FixtureSource {
    /// The data that was compiled in.
    #[default]
    Embedded,
    /// A folder with `rules/`, `cases/`, ... below it, for people who write fixtures.
    Directory(PathBuf),
    /// One file alone, whose folder decides how it is read.
    Text(Folder, FixtureFile),
}

/// A YAML file of the tree, as text.
#[derive(Clone, Debug)]
pub struct FixtureFile {
    /// The path to show in messages.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// A mistake in a fixture. Its message names the place and shows the line.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct FixtureError(String);

/// A place in a fixture file, for people: `fixtures/cases/create.yaml:12`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// Path of the file.
    pub file: String,
    /// Line, counted from 1.
    pub line: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl FixtureSource {
    /// All YAML files of one folder, in order of their names. A folder on disk that is not there is empty.
    pub fn files(&self, folder: Folder) -> Result<Vec<FixtureFile>, FixtureError> {
        match self {
            Self::Embedded => streamgauge_fixtures::files(folder)
                .into_iter()
                .filter(|file| file.path.ends_with(".yaml"))
                .map(|file| {
                    let text = String::from_utf8(file.contents.to_vec())
                        .map_err(|_| FixtureError(format!("{}: not UTF-8", file.path)))?;
                    Ok(FixtureFile { path: file.path, text })
                })
                .collect(),
            Self::Directory(root) => read_directory(&root.join(folder.name())),
            Self::Text(of, file) => Ok((*of == folder).then(|| file.clone()).into_iter().collect()),
        }
    }
}

fn read_directory(folder: &std::path::Path) -> Result<Vec<FixtureFile>, FixtureError> {
    let unreadable =
        |path: &std::path::Path, error: std::io::Error| FixtureError(format!("{}: {error}", path.display()));
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(folder, error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            paths.push(path);
        }
    }
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
            Ok(FixtureFile { path: path.display().to_string(), text })
        })
        .collect()
}

impl FixtureFile {
    /// Reads the file as a list. Unknown fields, anchors and doubled keys are mistakes.
    pub fn parse_list<T: DeserializeOwned>(&self) -> Result<Vec<T>, FixtureError> {
        let options = serde_saphyr::options! {
            duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::Error,
            budget: serde_saphyr::budget! { max_anchors: 0, max_aliases: 0 },
            with_snippet: true,
        };
        serde_saphyr::from_str_with_options::<Option<Vec<T>>>(&self.text, options)
            .map(Option::unwrap_or_default)
            .map_err(|error| FixtureError(format!("{}: {}", self.path, error.render())))
    }

    /// The place of a parsed value.
    pub fn place(&self, location: Location) -> Place {
        Place { file: self.path.clone(), line: location.line() }
    }

    /// A mistake that only the meaning of the file shows, such as the name of a rule that does not exist.
    pub fn mistake(&self, location: Location, message: impl fmt::Display) -> FixtureError {
        let (line, column) = (location.line(), location.column());
        let source = self.text.lines().nth(line.saturating_sub(1) as usize).unwrap_or_default();
        let caret = " ".repeat(column.saturating_sub(1) as usize);
        FixtureError(format!(
            "{}:{line}:{column}: {message}\n  |\n{line:>3} | {source}\n  | {caret}^",
            self.path
        ))
    }
}

impl FixtureError {
    /// A mistake that has no single place.
    pub fn new(message: impl fmt::Display) -> Self {
        Self(message.to_string())
    }
}
