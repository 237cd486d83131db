//! What can be asked for on the command line.

use std::{fs, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};
use streamgauge_fuzz_targets::{BODIES, Body};

use crate::{Failure, export, overnight, planted};

/// Fuzzers for the parsers and the protocol core of Streamgauge.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Names all targets.
    List,
    /// Runs inputs through a body, on the toolchain at hand; panics where its property does not hold.
    Replay {
        target: String,
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Runs all targets in turns on all cores; goes on where it was stopped. Exits 1 where something was found.
    Overnight(OvernightArguments),
    /// Plants bugs into a copy of the sources and tells how soon each is found from an empty corpus.
    Planted(PlantedArguments),
    /// Writes seeds, dictionary and options of each target into a folder, in the form of OSS-Fuzz but not zipped.
    Export { folder: PathBuf },
}

#[derive(clap::Args)]
struct OvernightArguments {
    /// How long, in hours; fractions are fine.
    #[arg(long, default_value_t = 8.0)]
    hours: f64,
    /// Seconds that a target runs before the next has its turn; left out, each gets four turns or more.
    #[arg(long)]
    turn: Option<u64>,
    /// Processes at a time; left out, as many as there are cores.
    #[arg(long)]
    jobs: Option<usize>,
    /// Only these targets.
    #[arg(long, value_delimiter = ',')]
    targets: Vec<String>,
    /// Begin anew, even if an earlier night was stopped before its end. The corpus stays.
    #[arg(long)]
    fresh: bool,
    /// Build without optimisation: soon ready, and slower.
    #[arg(long)]
    quick_build: bool,
}

#[derive(clap::Args)]
struct PlantedArguments {
    /// Seconds that a target has to find the bug.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Seeds to try for each bug.
    #[arg(long, default_value_t = 5)]
    seeds: u32,
    /// Only bugs with this in their name.
    #[arg(long)]
    only: Option<String>,
}

/// What the program does; 2 where that is not possible.
pub(crate) fn run() -> ExitCode {
    let arguments = Arguments::parse();
    match perform(arguments.task) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(2)
        }
    }
}

fn perform(task: Task) -> Result<ExitCode, Failure> {
    match task {
        Task::List => {
            BODIES.iter().for_each(|body| println!("{}", body.name));
            Ok(ExitCode::SUCCESS)
        }
        Task::Replay { target, files } => replay(&target, &files),
        Task::Overnight(arguments) => {
            let targets = chosen(&arguments.targets)?;
            if !(arguments.hours > 0.0 && arguments.hours <= 10_000.0) {
                return Err(Failure::new(format!(
                    "--hours {}: say more than 0 and at most 10000",
                    arguments.hours
                )));
            }
            overnight::run(&overnight::Plan {
                targets,
                time: Duration::from_secs_f64(arguments.hours * 3600.0),
                turn: arguments.turn.map(Duration::from_secs),
                jobs: arguments.jobs,
                fresh: arguments.fresh,
                quick_build: arguments.quick_build,
            })
        }
        Task::Planted(arguments) => planted::run(&planted::Plan {
            time: Duration::from_secs(arguments.seconds),
            seeds: arguments.seeds,
            only: arguments.only,
        }),
        Task::Export { folder } => export::write(&folder).map(|()| ExitCode::SUCCESS),
    }
}

fn chosen(names: &[String]) -> Result<Vec<Body>, Failure> {
    match names {
        [] => Ok(BODIES.to_vec()),
        names => names.iter().map(|name| named(name)).collect(),
    }
}

fn named(name: &str) -> Result<Body, Failure> {
    Body::named(name).ok_or_else(|| Failure::new(format!("there is no target {name}; `list` names all")))
}

fn replay(target: &str, files: &[PathBuf]) -> Result<ExitCode, Failure> {
    let body = named(target)?;
    for file in files {
        let input = fs::read(file).map_err(Failure::at(file))?;
        (body.run)(&input);
        println!("{}: {} holds", file.display(), body.name);
    }
    Ok(ExitCode::SUCCESS)
}
