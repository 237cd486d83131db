//! One run of a libFuzzer binary: started, watched, stopped, and what it says at the end.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use streamgauge_fuzz_targets::Body;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::Failure;

/// How a run is set up.
pub(crate) struct Session<'a> {
    pub(crate) binary: &'a Path,
    pub(crate) body: &'a Body,
    /// Where inputs come from, and new ones go to.
    pub(crate) corpus: &'a Path,
    /// More inputs to begin with.
    pub(crate) seeds: Option<&'a Path>,
    pub(crate) dictionary: Option<&'a Path>,
    pub(crate) artifacts: &'a Path,
    pub(crate) time: Duration,
    pub(crate) seed: Option<u32>,
    pub(crate) environment: Vec<(String, String)>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) runs: u64,
    pub(crate) seconds: f64,
    pub(crate) edges_at_start: u64,
    pub(crate) edges: u64,
    pub(crate) new_inputs: u64,
    /// The input that broke something.
    pub(crate) broke: Option<Broke>,
}

#[derive(Debug)]
pub(crate) struct Broke {
    pub(crate) input: PathBuf,
    /// Where and how, in one line.
    pub(crate) what: String,
}

/// How long libFuzzer gets to come to its end once it is told to.
const GRACE: Duration = Duration::from_secs(15);

/// Longest that one input may take.
const INPUT_SECONDS: u32 = 15;

impl Session<'_> {
    /// Runs until the time is over, something breaks, or `stop` is cancelled. `progress` is told now and then how far it is.
    pub(crate) async fn run(
        &self,
        stop: &CancellationToken,
        progress: impl Fn(&Outcome),
    ) -> Result<Outcome, Failure> {
        let begun = Instant::now();
        let mut child = self.command().spawn().map_err(Failure::at(self.binary))?;
        let mut log = Log::default();
        let stderr = child.stderr.take().ok_or_else(|| Failure::new("a fuzzer without standard error"))?;
        let mut lines = BufReader::new(stderr).split(b'\n');
        let deadline = self.time + Duration::from_secs(u64::from(INPUT_SECONDS)) + GRACE;
        let mut stopped = false;
        loop {
            let left = deadline.saturating_sub(begun.elapsed());
            let line = tokio::select! {
                line = timeout(left, lines.next_segment()) => line,
                () = stop.cancelled(), if !stopped => {
                    stopped = true;
                    interrupt(&child);
                    continue;
                }
            };
            let Ok(Ok(Some(line))) = line else { break };
            let line = String::from_utf8_lossy(&line);
            log.take(&line);
            if line.starts_with('#') {
                log.outcome.seconds = begun.elapsed().as_secs_f64();
                progress(&log.outcome);
            }
        }
        let status = match timeout(GRACE, child.wait()).await {
            Ok(status) => status.map_err(Failure::at(self.binary))?,
            Err(_) => {
                child.kill().await.map_err(Failure::at(self.binary))?;
                return Err(Failure::new(format!("{} does not come to an end", self.body.name)));
            }
        };
        let mut outcome = log.outcome;
        outcome.seconds = begun.elapsed().as_secs_f64();
        outcome.broke = log.artifact.map(|input| {
            let what = log.panic.unwrap_or_else(|| log.summary.unwrap_or_else(|| "no panic".to_owned()));
            Broke { input, what }
        });
        if !status.success() && !stopped && outcome.broke.is_none() {
            return Err(Failure::new(format!("{} ended with {status}: {}", self.body.name, log.last)));
        }
        Ok(outcome)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.binary);
        command
            .arg(self.corpus)
            .args(self.seeds)
            .arg(format!("-max_total_time={}", self.time.as_secs().max(1)))
            .arg(format!("-max_len={}", self.body.longest))
            .arg(format!("-timeout={INPUT_SECONDS}"))
            .arg("-rss_limit_mb=2048")
            .arg("-print_final_stats=1")
            .arg(format!("-artifact_prefix={}/", self.artifacts.display()))
            .args(self.seed.map(|seed| format!("-seed={seed}")))
            .args(self.dictionary.map(|dictionary| format!("-dict={}", dictionary.display())))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            // A Ctrl-C in the terminal is for the driver, which passes it on.
            .process_group(0);
        command
    }
}

fn interrupt(child: &Child) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended by itself meanwhile.
        let _ = kill_process(pid, Signal::INT);
    }
}

/// libFuzzer's output, as far as it is needed.
#[derive(Default)]
struct Log {
    outcome: Outcome,
    panic: Option<String>,
    summary: Option<String>,
    artifact: Option<PathBuf>,
    last: String,
    wants_message: bool,
}

impl Log {
    fn take(&mut self, line: &str) {
        if self.wants_message && !line.trim().is_empty() {
            self.wants_message = false;
            if let Some(panic) = &mut self.panic {
                panic.push_str(&format!(": {}", shortened(line)));
            }
        }
        if let Some(number) = line.strip_prefix("stat::number_of_executed_units:") {
            self.outcome.runs = number.trim().parse().unwrap_or(0);
        } else if let Some((runs, edges)) = runs_and_edges(line) {
            // Where it is interrupted, no statistics follow.
            (self.outcome.runs, self.outcome.edges) = (runs, edges);
            self.outcome.new_inputs += u64::from(line.contains("\tNEW "));
            if line.contains("\tINITED") {
                self.outcome.edges_at_start = edges;
            }
        } else if let Some((_, place)) = line.split_once("panicked at ") {
            self.panic = Some(place.trim_end_matches(':').to_owned());
            self.wants_message = true;
        } else if let Some(summary) = line.strip_prefix("SUMMARY: ") {
            self.summary = Some(summary.to_owned());
        } else if let Some((_, path)) = line.split_once("Test unit written to ") {
            self.artifact = Some(path.trim().into());
        }
        if !line.trim().is_empty() {
            self.last = shortened(line);
        }
    }
}

/// Runs and edges in a line such as `#2048 pulse cov: 212 ft: 800 corp: 30/1Kb exec/s: 1024 rss: 40Mb`.
fn runs_and_edges(line: &str) -> Option<(u64, u64)> {
    let words: Vec<&str> = line.strip_prefix('#')?.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "cov:")?;
    Some((words.first()?.parse().ok()?, words.get(at + 1)?.parse().ok()?))
}

fn shortened(line: &str) -> String {
    line.trim().chars().take(160).collect()
}

/// Makes an input smaller that breaks a target; what cannot be made smaller stays as it is.
pub(crate) async fn minimise(
    binary: &Path,
    input: &Path,
    to: &Path,
    time: Duration,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let status = Command::new(binary)
        .arg("-minimize_crash=1")
        .arg(format!("-max_total_time={}", time.as_secs()))
        .arg(format!("-exact_artifact_path={}", to.display()))
        .arg(input)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .process_group(0)
        .status();
    // Its status does not tell whether it made anything smaller; whether the file is there does.
    tokio::select! {
        _ = timeout(time + GRACE, status) => {}
        () = stop.cancelled() => {}
    }
    if !to.exists() {
        std::fs::copy(input, to).map_err(Failure::at(input))?;
    }
    Ok(())
}

/// Keeps the smallest set of inputs that reaches all that the corpus reaches.
pub(crate) async fn merge(
    binary: &Path,
    corpus: &Path,
    longest: usize,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let fresh = corpus.with_extension("merging");
    if fresh.exists() {
        std::fs::remove_dir_all(&fresh).map_err(Failure::at(&fresh))?;
    }
    crate::places::make(&fresh)?;
    let mut command = Command::new(binary);
    command
        .args(["-merge=1", "-timeout=15", "-rss_limit_mb=2048"])
        .arg(format!("-max_len={longest}"))
        .arg(&fresh)
        .arg(corpus)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .process_group(0);
    let merged = tokio::select! {
        status = command.status() => status.is_ok_and(|status| status.success()),
        () = stop.cancelled() => false,
    };
    if merged {
        std::fs::remove_dir_all(corpus).map_err(Failure::at(corpus))?;
        std::fs::rename(&fresh, corpus).map_err(Failure::at(corpus))?;
    } else {
        std::fs::remove_dir_all(&fresh).map_err(Failure::at(&fresh))?;
    }
    Ok(())
}

/// Findings are the same where their places are.
pub(crate) fn place_of(what: &str) -> &str {
    what.split(": ").next().unwrap_or(what)
}

/// Those known already.
#[derive(Default)]
pub(crate) struct Known(HashSet<(String, String)>);

impl Known {
    pub(crate) fn learn(&mut self, target: &str, what: &str) -> bool {
        self.0.insert((target.to_owned(), place_of(what).to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_is_read() {
        let mut log = Log::default();
        log.take("#2\tINITED cov: 98 ft: 98 corp: 1/1b exec/s: 0 rss: 30Mb");
        log.take("#2000\tNEW    cov: 212 ft: 800 corp: 30/1Kb exec/s: 1000 rss: 40Mb L: 9/9 MS: 1 CopyPart-");
        log.take("#2048\tpulse  cov: 212 ft: 800 corp: 30/1Kb exec/s: 1024 rss: 40Mb");
        assert_eq!((log.outcome.runs, log.outcome.new_inputs), (2048, 1));
        for line in [
            "thread '<unnamed>' panicked at fuzz/src/bodies/ttl.rs:14:5:",
            "assertion `left == right` failed: \"1\"",
            "SUMMARY: libFuzzer: deadly signal",
            "artifact_prefix='x/'; Test unit written to x/crash-356a192b",
            "stat::number_of_executed_units: 4711",
        ] {
            log.take(line);
        }
        assert_eq!((log.outcome.edges_at_start, log.outcome.edges), (98, 212));
        assert_eq!((log.outcome.runs, log.outcome.new_inputs), (4711, 1));
        assert_eq!(log.artifact, Some("x/crash-356a192b".into()));
        let what = log.panic.unwrap();
        assert_eq!(place_of(&what), "fuzz/src/bodies/ttl.rs:14:5");
        assert!(what.ends_with("failed: \"1\""), "{what}");
    }

    #[test]
    fn the_same_place_is_the_same_finding() {
        let mut known = Known::default();
        assert!(known.learn("ttl", "a.rs:1:2: left"));
        assert!(!known.learn("ttl", "a.rs:1:2: right"));
        assert!(known.learn("offset", "a.rs:1:2: left"));
    }
}
