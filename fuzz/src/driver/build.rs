//! Builds targets as cargo-fuzz does, without needing it: nightly, coverage, assertions. No sanitizer: the workspace has
//! no `unsafe`, and without one runs are several times as many.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use streamgauge_fuzz::Body;

use super::{Failure, places};

const HOST: &str = "x86_64-unknown-linux-gnu";

const FLAGS: [&str; 9] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg fuzzing",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    "-Ccodegen-units=1",
    "-Cdebug-assertions",
];

/// Built targets.
pub(super) struct Binaries(PathBuf);

impl Binaries {
    pub(super) fn of(&self, target: &str) -> PathBuf {
        self.0.join(target)
    }
}

/// Builds the targets from the sources in `workspace`.
pub(super) fn build(workspace: &Path, targets: &[Body], quick: bool) -> Result<Binaries, Failure> {
    let builds = if quick { places::builds().join("quick") } else { places::builds() };
    let mut command = Command::new("cargo");
    command.args(["+nightly", "build", "--locked", "--release", "--target", HOST, "-p", "streamgauge-fuzz"]);
    command.arg("--target-dir").arg(&builds);
    for target in targets {
        command.args(["--bin", target.name]);
    }
    if quick {
        command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    }
    let status = command
        .current_dir(workspace)
        .env("RUSTFLAGS", FLAGS.join(" "))
        .status()
        .map_err(|error| Failure::new(format!("cargo cannot be run: {error}")))?;
    if !status.success() {
        return Err(Failure::new(
            "the fuzz targets do not build; they need the nightly toolchain (`rustup toolchain install nightly`) and a \
             C++ compiler",
        ));
    }
    Ok(Binaries(builds.join(HOST).join("release")))
}
