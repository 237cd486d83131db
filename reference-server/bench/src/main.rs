//! Measures servers of the protocol side by side: the reference server, others given as commands or URLs, and bare
//! servers that answer the same bytes without doing anything, which are the limit.

mod answer;
mod bare;
mod connection;
mod growth;
mod lines;
mod live;
mod memory;
mod process;
mod rates;
mod requests;
mod soak;
mod suite;
mod table;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::net::TcpListener;

use crate::{bare::Library, lines::Effort, process::Candidate, soak::SoakArguments, suite::SuiteArguments};

#[derive(Parser)]
#[command(about, version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    /// Another server: NAME=COMMAND, where {port} stands for its port, or NAME=URL of its stream root; repeatable.
    #[arg(long = "server", value_name = "NAME=COMMAND")]
    servers: Vec<Candidate>,

    /// Only lines whose name contains this.
    #[arg(long, default_value = "")]
    only: String,

    /// How often every line is measured; the figure is the median.
    #[arg(long, default_value_t = 7)]
    rounds: usize,

    /// Short and rough: for a look whether anything broke.
    #[arg(long)]
    quick: bool,

    /// How the reference server bears a million streams, and one stream of 1 GiB, instead of the comparison.
    #[arg(long)]
    growth: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Serves on a port of 127.0.0.1; the comparison starts these itself.
    Serve { what: Library, port: u16 },
    /// How long the suite takes, and how much memory.
    Suite(SuiteArguments),
    /// Mixed load on a reference server for a long time, with the suite run against it again and again.
    Soak(SoakArguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match &arguments.command {
        Some(Command::Serve { what, port }) => serve(*what, *port),
        Some(Command::Suite(arguments)) => {
            one_thread().and_then(|runtime| runtime.block_on(suite::measure(arguments)))
        }
        Some(Command::Soak(arguments)) => {
            one_thread().and_then(|runtime| runtime.block_on(soak::soak(arguments)))
        }
        None => measure(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn serve(what: Library, port: u16) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        what.serve(listener).await
    })
}

/// The load comes from one thread: it must be cheaper than the servers, and leave them the rest of the machine.
fn measure(arguments: &Arguments) -> std::io::Result<()> {
    one_thread()?.block_on(async {
        if arguments.growth {
            return growth::measure(arguments.quick).await;
        }
        let effort = Effort::new(arguments.quick, arguments.rounds);
        let candidates = process::built_in().into_iter().chain(arguments.servers.iter().cloned());
        let servers = process::start_all(candidates).await?;
        lines::measure(&servers, effort, &arguments.only).await
    })
}

fn one_thread() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
