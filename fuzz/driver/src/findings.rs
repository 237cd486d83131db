//! What breaks: minimised, kept as a regression, told once.

use std::{fs, path::Path, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    Failure, places,
    session::{self, Broke},
    state::Finding,
};

/// Minimises an input and puts it where every `cargo test` replays it.
pub(crate) async fn keep(
    target: &str,
    binary: &Path,
    broke: &Broke,
    patience: Duration,
    stop: &CancellationToken,
) -> Result<Finding, Failure> {
    let folder = places::regressions(target);
    places::make(&folder)?;
    let name = broke.input.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let kept = folder.join(name);
    session::minimise(binary, &broke.input, &kept, patience, stop).await?;
    let relative = kept.strip_prefix(places::workspace()).unwrap_or(&kept).display().to_string();
    Ok(Finding { target: target.to_owned(), what: broke.what.clone(), input: relative, times: 1 })
}

/// Another input for something that is known.
pub(crate) fn drop_again(broke: &Broke) -> Result<(), Failure> {
    fs::remove_file(&broke.input).map_err(Failure::at(&broke.input))
}

/// How to see it again.
pub(crate) fn replay_command(finding: &Finding) -> String {
    format!("cargo run -p streamgauge-fuzz -- replay {} {}", finding.target, finding.input)
}
