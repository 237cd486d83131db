//! Connections that are cut while lines come.

use std::time::Duration;

use super::{LogReader, SEED, Scenario};
use crate::{
    case::On,
    check,
    rule::Capability,
    run::{Blame, Halt, Stage},
};

const RULE: &str = "logs.reconnect";
/// What is at the seam between the initial batch and the live ones is the business of this rule.
const SEAM: &str = "logs.initial-batch";

/// Lines that are written while connections are cut.
const LINES: usize = 150;
/// After so many lines each, but for the last, which stays to the end.
const CUTS: [usize; 3] = [20, 50, 90];

pub(super) static WHILE_LOGGING: Scenario = Scenario::new(
    "a-reader-that-reconnects-misses-nothing",
    "A reader that is cut off while lines come begins anew with the newest lines, and the live ones follow without a gap.",
    &[RULE, SEAM],
    |stage| Box::pin(reconnect(stage)),
)
.needing(&[Capability::Logs])
.asking(&[On::Logs, On::Emit]);

async fn reconnect(stage: &Stage) -> Result<(), Halt> {
    stage.emit(vec![stage.line(SEED)]).await?;
    let writing = async {
        for number in 0..LINES {
            stage.emit(vec![stage.line(number)]).await?;
            tokio::time::sleep(Duration::from_millis(8)).await;
        }
        Ok(())
    };
    let reading = async {
        let mut known = 0;
        for until in CUTS.into_iter().chain([LINES]) {
            known = read_on(stage, known, until).await?;
        }
        Ok(())
    };
    tokio::try_join!(writing, reading).map(drop)
}

/// Opens the log stream, where `known` lines were seen before, and reads until `until` of them have come.
async fn read_on(stage: &Stage, known: usize, until: usize) -> Result<usize, Halt> {
    let mut reader = stage.read_log(&stage.own_log()).await?;
    let last = (until - 1).to_string();
    reader.until_line(&last).await?;
    let proof = stage.proof(RULE);
    let lines = reader.lines();
    let initial = initial_lines(&reader);
    proof.demand(
        initial >= known,
        "lines of the first logs event",
        format_args!("at least the {known} that were sent to the connection before"),
        initial,
        reader.exchange(),
    )?;
    let mut next = 0;
    let mut twice = 0;
    for line in &lines {
        let number: usize = line.message.parse().unwrap_or(usize::MAX);
        let expected = format!("line {next} next");
        proof.demand(number <= next, "lines", expected, format_args!("line {number}"), reader.exchange())?;
        match number == next {
            true => next += 1,
            false => twice += 1,
        }
    }
    proof.demand(next >= until, "lines", format_args!("{until} or more"), next, reader.exchange())?;
    warn_of_doubles(&reader, twice)?;
    Ok(next)
}

/// How many numbered lines the first `logs` event has.
fn initial_lines(reader: &LogReader<'_>) -> usize {
    let lines = check::own_lines(&reader.log(), &reader.stage.mark());
    lines.iter().filter(|line| line.event == 0 && line.message != SEED).count()
}

/// A server that subscribes before it reads sends what comes in between twice, which clients can bear.
fn warn_of_doubles(reader: &LogReader<'_>, twice: usize) -> Result<(), Halt> {
    if twice == 0 {
        return Ok(());
    }
    let stage = reader.stage;
    let warn = Some("a line shows twice, in the initial batch and live".to_owned());
    let blame = Blame { warn, ..stage.blame_of(SEAM, stage.written()) };
    let finding = check::Finding::new("lines", "each once", format!("{twice} of them twice"));
    stage.judge(vec![finding], &blame, Some(reader.exchange()))
}
