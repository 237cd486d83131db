//! Every line arrives, once and in order, whoever else reads.

use futures_util::future::try_join_all;

use super::{LogReader, Scenario};
use crate::{
    case::On,
    rule::Capability,
    run::{Halt, Stage},
};

const RULE: &str = "logs.no-loss-in-order";
const ASKS: &[On] = &[On::Logs, On::Emit];
const NEEDS: &[Capability] = &[Capability::Logs];

pub(super) static BURST: Scenario = Scenario::new(
    "a-burst-of-five-thousand-lines-arrives-whole",
    "A reader gets every line of a burst of 5000, once and in order.",
    &[RULE],
    |stage| Box::pin(read_all(stage, Crowd { lines: 5000, staying: 1, leaving: 0 })),
)
.needing(NEEDS)
.asking(ASKS);

pub(super) static SEVERAL_READERS: Scenario = Scenario::new(
    "several-readers-each-get-every-line",
    "Several readers of one job each get every line of it, once and in order.",
    &[RULE],
    |stage| Box::pin(read_all(stage, Crowd { lines: 1000, staying: 4, leaving: 0 })),
)
.needing(NEEDS)
.asking(ASKS);

pub(super) static MANY_READERS: Scenario = Scenario::new(
    "readers-that-leave-disturb-no-other",
    "Of a hundred readers of one job half leave while lines come; the others get every line, once and in order.",
    &[RULE],
    |stage| Box::pin(read_all(stage, Crowd { lines: 200, staying: 50, leaving: 50 })),
)
.needing(NEEDS)
.asking(ASKS);

/// Who reads, and how much.
#[derive(Clone, Copy)]
struct Crowd {
    lines: usize,
    staying: usize,
    leaving: usize,
}

async fn read_all(stage: &Stage, crowd: Crowd) -> Result<(), Halt> {
    let mut staying = open(stage, crowd.staying).await?;
    let leaving = open(stage, crowd.leaving).await?;
    let lines: Vec<_> = (0..crowd.lines).map(|number| stage.line(number)).collect();
    let (before, after) = lines.split_at(crowd.lines / 2);
    stage.emit(before.to_vec()).await?;
    drop(leaving);
    stage.emit(after.to_vec()).await?;
    // What comes twice has done so by the time a later line comes.
    stage.emit(vec![stage.line(LAST)]).await?;
    try_join_all(staying.iter_mut().map(|reader| reader.until_line(LAST))).await?;
    staying.iter().try_for_each(|reader| has_all(reader, crowd.lines))
}

/// The line behind all others.
const LAST: &str = "last";

async fn open(stage: &Stage, readers: usize) -> Result<Vec<LogReader<'_>>, Halt> {
    try_join_all((0..readers).map(|_| stage.read_own_log())).await
}

/// Demands that all lines have come, each once and in its place.
fn has_all(reader: &LogReader<'_>, lines: usize) -> Result<(), Halt> {
    let seen = reader.lines();
    let wanted = (0..lines).map(|number| number.to_string()).chain([LAST.to_owned()]);
    let differing = wanted.enumerate().find_map(|(place, wanted)| {
        let seen = seen.get(place).map_or("the end of what has come", |line| line.message.as_str());
        (seen != wanted).then(|| format!("{seen} in place of line {wanted}"))
    });
    let differing = differing.or_else(|| {
        let surplus = seen.get(lines + 1)?;
        Some(format!("{} once more behind all of them", surplus.message))
    });
    let actual = differing.as_ref().map(|differing| format!("{} lines, with {differing}", seen.len()));
    reader.stage.proof(RULE).demand(
        differing.is_none(),
        "lines",
        format_args!("{lines} lines, each once, in order"),
        actual.unwrap_or_default(),
        reader.exchange(),
    )
}
