//! What fuzzers once found: a folder of inputs for each body, replayed by every `cargo test`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::Body;

/// An input that once broke its body.
#[derive(Clone, Debug)]
pub struct Regression {
    /// Its file.
    pub path: PathBuf,
    /// The input.
    pub input: Vec<u8>,
}

/// The folder of the crate's regressions.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions")
}

/// The regressions of one body, in order of their names; none where it has no folder.
///
/// # Errors
/// A file cannot be read.
pub fn regressions(body: &Body) -> io::Result<Vec<Regression>> {
    let entries = match fs::read_dir(folder().join(body.name)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        found.push(Regression { input: fs::read(&path)?, path });
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}
