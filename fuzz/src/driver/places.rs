//! Where everything is, below the crate's folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::Failure;

pub(super) fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(super) fn workspace() -> &'static Path {
    crate_folder().parent().unwrap_or(crate_folder())
}

/// Inputs that fuzzers collected; not in the repository.
pub(super) fn corpus(target: &str) -> PathBuf {
    crate_folder().join("corpus").join(target)
}

/// Inputs that broke something, as they were found; reports; the state of a night.
pub(super) fn artifacts() -> PathBuf {
    crate_folder().join("artifacts")
}

/// Minimised findings, replayed by every `cargo test`.
pub(super) fn regressions(target: &str) -> PathBuf {
    crate_folder().join("regressions").join(target)
}

/// Build outputs.
pub(super) fn builds() -> PathBuf {
    crate_folder().join("target")
}

pub(super) fn make(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(Failure::at(folder))
}

/// How many files a folder has.
pub(super) fn count(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}
