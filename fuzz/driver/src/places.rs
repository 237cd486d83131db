//! Where everything is, below the folder of the fuzz targets.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::Failure;

pub(crate) fn folder() -> &'static Path {
    above(Path::new(env!("CARGO_MANIFEST_DIR")))
}

pub(crate) fn workspace() -> &'static Path {
    above(folder())
}

fn above(folder: &Path) -> &Path {
    folder.parent().unwrap_or(folder)
}

/// Inputs that fuzzers collected; not in the repository.
pub(crate) fn corpus(target: &str) -> PathBuf {
    folder().join("corpus").join(target)
}

/// Inputs that broke something, as they were found; reports; the state of a night.
pub(crate) fn artifacts() -> PathBuf {
    folder().join("artifacts")
}

/// Minimised findings, replayed by every `cargo test`.
pub(crate) fn regressions(target: &str) -> PathBuf {
    folder().join("regressions").join(target)
}

/// Build outputs.
pub(crate) fn builds() -> PathBuf {
    folder().join("target")
}

pub(crate) fn make(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(Failure::at(folder))
}

/// How many files a folder has.
pub(crate) fn count(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}
