//! Mixed load on one server for a long time, with the suite run against it again and again: nothing may grow, and nothing
//! may break.

use std::{
    io,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use clap::Args;
use tokio::process::Command;

use crate::{
    live, memory,
    process::{Candidate, Server, start},
    rates,
};

#[derive(Args)]
pub(crate) struct SoakArguments {
    /// For how many minutes.
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,

    /// The program that serves and checks, built as it is released.
    #[arg(long, default_value = "target/release/streamgauge")]
    program: PathBuf,
}

/// What the server is set to, and what the suite is told of it.
const TIMINGS: [&str; 4] = ["--long-poll-timeout", "500ms", "--sse-lifetime", "3s"];

pub(crate) async fn soak(arguments: &SoakArguments) -> io::Result<()> {
    let program = arguments.program.display().to_string();
    let command = format!("server={program} serve --port {{port}} {}", TIMINGS.join(" "));
    let candidate: Candidate = command.parse().map_err(io::Error::other)?;
    let server = start(candidate).await?;
    let began = Instant::now();
    let end = began + Duration::from_secs_f64(arguments.minutes * 60.0);
    println!("| minute | round | resident memory | suite |\n|---:|---:|---:|---|");
    let mut round = 0;
    while Instant::now() < end {
        round += 1;
        disturb(&server, round).await?;
        let exit = check(&arguments.program, &server).await?;
        let resident = memory::settled(&server)
            .await
            .map_or("unknown".to_owned(), |bytes| format!("{} MiB", bytes >> 20));
        let minute = began.elapsed().as_secs_f64() / 60.0;
        println!("| {minute:.1} | {round} | {resident} | exit {exit} |");
        if exit != 0 {
            return Err(io::Error::other(format!("the suite ended with {exit} in round {round}")));
        }
    }
    Ok(())
}

/// Writers, readers, those that wait and those that leave; streams that are deleted and streams that expire.
async fn disturb(server: &Server, round: usize) -> io::Result<()> {
    let root = &server.root;
    let names: Vec<String> = (0..100).map(|number| format!("soak-{round}-{number}")).collect();
    rates::once(root, names.iter().map(|name| root.put(name)).collect(), &[201]).await?;
    let posts = names.iter().map(|name| root.post(name, &[b'x'; 1000])).collect();
    rates::rate(server, posts, &[204], 16, Duration::from_secs(2)).await?;
    let reads = names.iter().map(|name| root.get(&format!("{name}?offset=-1"), "")).collect();
    rates::rate(server, reads, &[200], 16, Duration::from_secs(1)).await?;
    live::wake_up(server, &format!("soak-{round}-wake"), 50).await?;
    live::fan_out(server, &format!("soak-{round}-fan"), 200, 10).await?;
    let short_lived = (0..2000).map(|number| root.put_for(&format!("soak-{round}-short-{number}"), 1));
    rates::once(root, short_lived.collect(), &[201]).await?;
    rates::once(root, names.iter().map(|name| root.delete(name)).collect(), &[204]).await.map(drop)
}

async fn check(program: &PathBuf, server: &Server) -> io::Result<i32> {
    let status = Command::new(program)
        .args(["check", &server.root.to_string()])
        .args(TIMINGS)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await?;
    Ok(status.code().unwrap_or(-1))
}
