//! The program in a process of its own, with its time and its memory.

use std::{
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use tokio::{
    io::AsyncReadExt,
    process::{Child, Command},
};

/// What a run may hold at its peak, whatever the target sends: 64 MiB of the program as it is released. Unoptimised,
/// the program itself is some MiB larger.
pub(crate) const MOST_MEMORY: u64 = if cfg!(debug_assertions) { 80 << 20 } else { 64 << 20 };

pub(crate) struct Outcome {
    /// None where it had not ended in time.
    pub(crate) status: Option<i32>,
    pub(crate) took: Duration,
    /// None where the system does not tell.
    pub(crate) peak_kib: Option<u64>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl Outcome {
    pub(crate) fn told(&self) -> String {
        format!("{}{}", String::from_utf8_lossy(&self.stdout), String::from_utf8_lossy(&self.stderr))
    }

    pub(crate) fn last_line(&self) -> String {
        let told = String::from_utf8_lossy(&self.stdout).into_owned();
        told.lines().last().unwrap_or_default().chars().take(200).collect()
    }

    /// The number before `passed` in the last line.
    pub(crate) fn passed(&self) -> Option<u64> {
        let line = self.last_line();
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = words.iter().position(|word| word.starts_with("passed"))?;
        words.get(at.checked_sub(1)?)?.parse().ok()
    }
}

/// Checks a target, and stops where it takes longer than `longest`.
pub(crate) async fn run(root: &str, flags: &[String], longest: Duration) -> Outcome {
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_streamgauge"))
        .args(["check", root, "--long-poll-timeout", "300ms", "--sse-lifetime", "1s", "--seed", "1"])
        .args(flags)
        .env_remove("GITHUB_ACTIONS")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program starts");
    let (mut out, mut err) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let reading_out = tokio::spawn(async move {
        let mut all = Vec::new();
        let _ = out.read_to_end(&mut all).await;
        all
    });
    let reading_err = tokio::spawn(async move {
        let mut all = Vec::new();
        let _ = err.read_to_end(&mut all).await;
        all
    });
    let (status, peak_kib) = watch(&mut child, began + longest).await;
    Outcome {
        status: status.and_then(|status| status.code()),
        took: began.elapsed(),
        peak_kib,
        stdout: reading_out.await.expect("the output is read"),
        stderr: reading_err.await.expect("the output is read"),
    }
}

/// Waits for the end and looks at the peak of the memory meanwhile, which the system keeps until then.
async fn watch(child: &mut Child, until: Instant) -> (Option<ExitStatus>, Option<u64>) {
    let mut peak = None;
    while Instant::now() < until {
        peak = child.id().and_then(peak_of).max(peak);
        if let Ok(status) = tokio::time::timeout(Duration::from_millis(10), child.wait()).await {
            return (status.ok(), peak);
        }
    }
    let _ = child.kill().await;
    (None, peak)
}

/// `VmHWM` of a process, in KiB.
fn peak_of(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
