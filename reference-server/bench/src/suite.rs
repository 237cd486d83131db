//! How long the suite takes, and how much memory.

use std::{
    io,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use clap::Args;
use tokio::{
    process::{Child, Command},
    time::timeout,
};

use crate::table::median;

#[derive(Args)]
pub(crate) struct SuiteArguments {
    /// The program, built as it is released.
    #[arg(long, default_value = "target/release/streamgauge")]
    program: PathBuf,

    /// Arguments of a `check` to be measured, beside the one without: a URL and what its server is set to; repeatable.
    #[arg(long, value_name = "ARGUMENTS")]
    check: Vec<String>,

    /// Another suite to be measured beside: a command; repeatable.
    #[arg(long, value_name = "COMMAND")]
    beside: Vec<String>,

    #[arg(long, default_value_t = 7)]
    rounds: usize,
}

/// Runs every command in turn, again and again.
pub(crate) async fn measure(arguments: &SuiteArguments) -> io::Result<()> {
    let program = arguments.program.display().to_string();
    let own = ["rules".to_owned(), "check".to_owned()].into_iter();
    let own = own.chain(arguments.check.iter().map(|more| format!("check {more}")));
    let mut commands: Vec<Vec<String>> = Vec::new();
    for text in own.map(|text| format!("{program} {text}")).chain(arguments.beside.iter().cloned()) {
        let words = shlex::split(&text).filter(|words| !words.is_empty());
        commands.push(words.ok_or_else(|| io::Error::other(format!("{text:?} is no command")))?);
    }
    let mut seen = vec![Vec::new(); commands.len()];
    for _ in 0..arguments.rounds {
        for (command, seen) in commands.iter().zip(&mut seen) {
            seen.push(look(command).await?);
        }
    }
    println!("| command | median time | largest memory | exit |\n|---|---:|---:|---|");
    for (command, seen) in commands.iter().zip(&seen) {
        let times = seen.iter().map(|look| look.took.as_secs_f64()).collect();
        let peak = seen.iter().filter_map(|look| look.peak).max();
        let peak = peak.map_or("unknown".to_owned(), |peak| format!("{} MiB", peak >> 20));
        let mut exits: Vec<String> = seen.iter().map(|look| look.status.to_string()).collect();
        exits.dedup();
        let time = median(times).unwrap_or_default();
        println!("| `{}` | {time:.3} s | {peak} | {} |", command.join(" "), exits.join(", "));
    }
    Ok(())
}

#[derive(Clone)]
struct Look {
    took: Duration,
    /// Bytes of the command's own process, not of those that it starts.
    peak: Option<u64>,
    status: ExitStatus,
}

async fn look(command: &[String]) -> io::Result<Look> {
    let began = Instant::now();
    let (program, arguments) = command.split_first().ok_or_else(|| io::Error::other("no command"))?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("cannot run {program}: {error}")))?;
    let (status, peak) = watch(&mut child).await?;
    Ok(Look { took: began.elapsed(), peak, status })
}

/// Waits for the end and looks at the peak of the memory meanwhile, which the system keeps until then.
async fn watch(child: &mut Child) -> io::Result<(ExitStatus, Option<u64>)> {
    let mut peak = None;
    loop {
        peak = child.id().and_then(peak_of).max(peak);
        if let Ok(status) = timeout(Duration::from_millis(5), child.wait()).await {
            return Ok((status?, peak));
        }
    }
}

fn peak_of(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}
