//! Builds targets as cargo-fuzz does, without needing it: nightly, coverage, assertions. No sanitizer: the workspace has
//! no `unsafe`, and without one runs are several times as many.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use streamgauge_fuzz_targets::Body;

use crate::Failure;

const HOST: &str = "x86_64-unknown-linux-gnu";

const FLAGS: [&str; 9] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg fuzzing",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    ONE_UNIT,
    "-Cdebug-assertions",
];

/// With more units, inlined functions are instrumented in several copies; but a build takes longer.
const ONE_UNIT: &str = "-Ccodegen-units=1";

/// Built targets.
pub(crate) struct Binaries(PathBuf);

impl Binaries {
    pub(crate) fn of(&self, target: &str) -> PathBuf {
        self.0.join(target)
    }
}

/// Builds the targets from the sources in `workspace`, into a folder that no other sources are built into: Cargo would take
/// what was built from the one for the other.
pub(crate) fn build(
    workspace: &Path,
    into: &Path,
    targets: &[Body],
    quick: bool,
) -> Result<Binaries, Failure> {
    let (profile, outputs) = if quick { ("dev", "debug") } else { ("release", "release") };
    let mut command = Command::new("cargo");
    command.args(["+nightly", "build", "--locked", "--profile", profile, "--target", HOST]);
    command.args(["-p", "streamgauge-fuzz-targets"]).arg("--target-dir").arg(into);
    if quick {
        command.args(["--config", "profile.dev.package.\"*\".opt-level=0"]);
    }
    for target in targets {
        command.args(["--bin", target.name]);
    }
    let flags: Vec<&str> = FLAGS.into_iter().filter(|flag| !quick || *flag != ONE_UNIT).collect();
    let status = command
        .current_dir(workspace)
        .env("RUSTFLAGS", flags.join(" "))
        .env("CARGO_PROFILE_DEV_DEBUG", "false")
        .status()
        .map_err(|error| Failure::new(format!("cargo cannot be run: {error}")))?;
    if !status.success() {
        return Err(Failure::new(
            "the fuzz targets do not build; they need the nightly toolchain (`rustup toolchain install nightly`) and a \
             C++ compiler",
        ));
    }
    Ok(Binaries(into.join(HOST).join(outputs)))
}
