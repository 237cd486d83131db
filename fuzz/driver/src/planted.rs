//! Planted bugs: are the fuzzers worth their time? A copy of the sources gets bugs that an environment variable switches
//! on, one at a time; each is looked for from an empty corpus.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use serde::Deserialize;
use streamgauge_fuzz_targets::Body;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::{Failure, build, export, places, session::Session};

/// What is asked for.
pub(crate) struct Plan {
    pub(crate) time: Duration,
    pub(crate) seeds: u32,
    pub(crate) only: Option<String>,
}

/// One bug: an expression that takes the place of another.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bug {
    name: String,
    /// The fuzz target that has to find it.
    target: String,
    /// Below the workspace.
    file: PathBuf,
    /// The right expression; it stands there once.
    right: String,
    /// The wrong one.
    wrong: String,
}

/// Which bug is on.
const SWITCH: &str = "STREAMGAUGE_PLANTED";

/// What a build needs of the workspace.
const SOURCES: [&str; 7] =
    ["Cargo.toml", "Cargo.lock", "fixtures", "fuzz", "reference-server", "rust-toolchain.toml", "suite"];

/// What fuzzing makes, and no build needs.
const MADE: [&str; 3] = ["target", "corpus", "artifacts"];

/// Of these many seeds a bug has to be found with all but one.
pub(crate) fn run(plan: &Plan) -> Result<ExitCode, Failure> {
    let bugs: Vec<Bug> = bugs()?
        .into_iter()
        .filter(|bug| plan.only.as_ref().is_none_or(|only| bug.name.contains(only.as_str())))
        .collect();
    let mut targets = Vec::new();
    for bug in &bugs {
        let body = Body::named(&bug.target)
            .ok_or_else(|| Failure::new(format!("{}: there is no target {}", bug.name, bug.target)))?;
        if !targets.iter().any(|known: &Body| known.name == body.name) {
            targets.push(body);
        }
    }
    let tree = places::builds().join("planted");
    places::make(&tree)?;
    copy(&tree, &bugs)?;
    let binaries = build::build(&tree, &tree.join("target"), &targets, false)?;
    let seeds = places::builds().join("seeds");
    export::write(&seeds)?;
    let runtime = Runtime::new().map_err(|error| Failure::new(format!("no runtime: {error}")))?;
    println!("\n| bug | target | found | seconds |\n|---|---|---|---|");
    let mut all_found = true;
    for bug in &bugs {
        let Some(body) = targets.iter().find(|body| body.name == bug.target) else { continue };
        let times = runtime.block_on(hunt(bug, body, &binaries.of(body.name), &seeds, plan))?;
        let found = times.iter().flatten().count();
        all_found &= found + 1 >= times.len();
        let spelled: Vec<String> =
            times.iter().map(|time| time.map_or("-".to_owned(), |time| format!("{time:.1}"))).collect();
        println!("| {} | {} | {found} of {} | {} |", bug.name, bug.target, times.len(), spelled.join(", "));
    }
    Ok(if all_found { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn bugs() -> Result<Vec<Bug>, Failure> {
    let path = places::folder().join("planted.yaml");
    let text = fs::read_to_string(&path).map_err(Failure::at(&path))?;
    serde_saphyr::from_str(&text).map_err(|mistake| Failure::new(format!("{}: {mistake}", path.display())))
}

/// Brings the copy up to date. Files that stay the same keep their times, so that little is built anew.
fn copy(tree: &Path, bugs: &[Bug]) -> Result<(), Failure> {
    let planted = plant(bugs)?;
    for source in SOURCES {
        copy_one(Path::new(source), tree, &planted)?;
    }
    Ok(())
}

fn copy_one(source: &Path, tree: &Path, planted: &Planted) -> Result<(), Failure> {
    let (from, to) = (places::workspace().join(source), tree.join(source));
    if let Some(text) = planted.get(source) {
        return write_if_new(&to, text.as_bytes());
    }
    if from.is_file() {
        return write_if_new(&to, &fs::read(&from).map_err(Failure::at(&from))?);
    }
    places::make(&to)?;
    for entry in fs::read_dir(&from).map_err(Failure::at(&from))? {
        let name = entry.map_err(Failure::at(&from))?.file_name();
        let is_made = source == Path::new("fuzz") && MADE.iter().any(|made| name == *made);
        if !is_made {
            copy_one(&source.join(name), tree, planted)?;
        }
    }
    Ok(())
}

fn write_if_new(path: &Path, text: &[u8]) -> Result<(), Failure> {
    if fs::read(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    fs::write(path, text).map_err(Failure::at(path))
}

/// Files with bugs in them, by their paths below the workspace.
type Planted = BTreeMap<PathBuf, String>;

fn plant(bugs: &[Bug]) -> Result<Planted, Failure> {
    let mut all = Planted::new();
    for bug in bugs {
        let path = places::workspace().join(&bug.file);
        let text = match all.get(&bug.file) {
            Some(text) => text.clone(),
            None => fs::read_to_string(&path).map_err(Failure::at(&path))?,
        };
        all.insert(bug.file.clone(), planted(&text, bug)?);
    }
    Ok(all)
}

fn planted(text: &str, bug: &Bug) -> Result<String, Failure> {
    if text.matches(&bug.right).count() != 1 {
        return Err(Failure::new(format!(
            "planted bug {}: this must stand once in {}: {}",
            bug.name,
            bug.file.display(),
            bug.right
        )));
    }
    let switched = format!(
        "std::convert::identity({{ static ON: std::sync::LazyLock<bool> = std::sync::LazyLock::new(|| \
         std::env::var_os({SWITCH:?}).is_some_and(|name| name == {:?})); if *ON {{ {} }} else {{ {} }} }})",
        bug.name, bug.wrong, bug.right
    );
    Ok(text.replace(&bug.right, &switched))
}

/// Seconds to the finding for each seed, none where it was not found.
async fn hunt(
    bug: &Bug,
    body: &Body,
    binary: &Path,
    seeds: &Path,
    plan: &Plan,
) -> Result<Vec<Option<f64>>, Failure> {
    let dictionary = seeds.join(format!("{}.dict", body.name));
    let mut times = Vec::new();
    for seed in 1..=plan.seeds {
        let empty = places::builds().join("hunt").join(&bug.name).join(seed.to_string());
        if empty.exists() {
            fs::remove_dir_all(&empty).map_err(Failure::at(&empty))?;
        }
        let (corpus, artifacts) = (empty.join("corpus"), empty.join("artifacts"));
        places::make(&corpus)?;
        places::make(&artifacts)?;
        let session = Session {
            binary,
            body,
            corpus: &corpus,
            seeds: None,
            dictionary: dictionary.exists().then_some(&*dictionary),
            artifacts: &artifacts,
            time: plan.time,
            seed: Some(seed),
            environment: vec![(SWITCH.to_owned(), bug.name.clone())],
        };
        let outcome = session.run(&CancellationToken::new(), |_| {}).await?;
        times.push(outcome.broke.map(|_| outcome.seconds));
    }
    Ok(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bug_can_be_planted_and_has_a_target() {
        let bugs = bugs().unwrap();
        assert!(bugs.len() >= 10);
        for bug in bugs {
            assert!(Body::named(&bug.target).is_some(), "{}", bug.name);
            let text = fs::read_to_string(places::workspace().join(&bug.file)).unwrap();
            let planted = planted(&text, &bug).unwrap_or_else(|failure| panic!("{failure}"));
            assert!(planted.contains(&bug.wrong) && planted.contains(&bug.right));
        }
    }
}
