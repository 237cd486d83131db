//! Lines are gathered for a short time, no longer and no shorter.

use std::time::{Duration, Instant};

use super::{LogReader, SLACK, Scenario};
use crate::{
    case::On,
    rule::Capability,
    run::{Halt, Stage},
};

const RULE: &str = "logs.batching-interval";
const ASKS: &[On] = &[On::Logs, On::Emit];
const NEEDS: &[Capability] = &[Capability::Logs];

/// Lines that come alone, one after the other.
const LONE_LINES: usize = 4;
/// Lines of a burst, handed in by two requests.
const BURST_LINES: usize = 50;
/// For how long a steady load lasts, at most.
const STEADY: Duration = Duration::from_secs(6);

pub(super) static LONE: Scenario = Scenario::new(
    "a-lone-line-comes-within-the-batch-interval",
    "A line that comes alone is sent within the batch interval.",
    &[RULE],
    |stage| Box::pin(lone(stage)),
)
.needing(NEEDS)
.asking(ASKS);

pub(super) static BURST: Scenario = Scenario::new(
    "a-burst-of-lines-shares-a-batch",
    "Lines that come at once are sent in two logs events at most, the first within the batch interval.",
    &[RULE],
    |stage| Box::pin(burst(stage)),
)
.needing(NEEDS)
.asking(ASKS);

pub(super) static STEADY_LOAD: Scenario = Scenario::new(
    "a-steady-load-is-sent-once-an-interval",
    "Under a steady load of lines, logs events come once in each batch interval.",
    &[RULE],
    |stage| Box::pin(steady(stage)),
)
.needing(NEEDS)
.asking(ASKS);

/// Each line is handed in right after the one before has come: a server that sends by a clock of its own, whatever the
/// lines, makes each of them wait for almost a whole turn.
async fn lone(stage: &Stage) -> Result<(), Halt> {
    let mut reader = stage.read_own_log().await?;
    let mut longest = Duration::ZERO;
    let (done, plain) = stage
        .beside(async {
            for number in 0..LONE_LINES {
                longest = longest.max(time_of(stage, &mut reader, &number.to_string()).await?);
            }
            Ok(())
        })
        .await;
    done?;
    in_time(stage, &reader, "time until a lone line comes", longest, plain).await
}

/// Hands in a line and waits for it; how long it took to come.
async fn time_of(stage: &Stage, reader: &mut LogReader<'_>, message: &str) -> Result<Duration, Halt> {
    stage.emit(vec![stage.line(message)]).await?;
    let handed_in = Instant::now();
    match reader.until_line(message).await? {
        Some(line) => Ok(line.at.saturating_duration_since(handed_in)),
        None => {
            stage.proof(RULE).demand(false, "a lone line", "sent", "never sent", reader.exchange())?;
            Err(Halt::Failed)
        }
    }
}

/// The interval, and what is to be allowed beside it.
async fn in_time(
    stage: &Stage,
    reader: &LogReader<'_>,
    subject: &str,
    took: Duration,
    plain: Duration,
) -> Result<(), Halt> {
    let interval = stage.target().batch_interval();
    let slack = SLACK + plain;
    if took <= interval + slack {
        return Ok(());
    }
    let expected = format!("{interval:?}, and no more than {slack:.0?} beside");
    let actual = format!("{took:.0?}; where the target gathers lines for longer, say --batch-interval");
    stage.late(RULE, subject, expected, actual, slack, reader).await
}

async fn burst(stage: &Stage) -> Result<(), Halt> {
    let mut reader = stage.read_own_log().await?;
    let interval = stage.target().batch_interval();
    let lines: Vec<_> = (0..BURST_LINES).map(|number| stage.line(number)).collect();
    let (first_half, second_half) = lines.split_at(BURST_LINES / 2);
    let mut timing = (Duration::ZERO, Instant::now());
    let (done, plain) = stage
        .beside(async {
            let began = Instant::now();
            stage.emit(first_half.to_vec()).await?;
            let handed_in = Instant::now();
            stage.emit(second_half.to_vec()).await?;
            timing = (began.elapsed(), handed_in);
            reader.until_line(&(BURST_LINES - 1).to_string()).await
        })
        .await;
    done?;
    let (handing_in, handed_in) = timing;
    let seen = reader.lines();
    let mut events: Vec<usize> = seen.iter().map(|line| line.event).collect();
    events.dedup();
    // Where handing in takes its time, the lines come in as many windows more.
    let most = 2 + handing_in.as_millis() / interval.as_millis().max(1);
    let few = !events.is_empty() && events.len() as u128 <= most;
    let counted = format!("{} for {} lines", events.len(), seen.len());
    stage.proof(RULE).demand(
        few,
        "logs events for a burst",
        format!("at most {most}"),
        counted,
        reader.exchange(),
    )?;
    let first = seen.first().map(|line| line.at.saturating_duration_since(handed_in));
    let first = first.unwrap_or_default();
    in_time(stage, &reader, "time until the first lines of a burst come", first, plain).await
}

async fn steady(stage: &Stage) -> Result<(), Halt> {
    let mut reader = stage.read_own_log().await?;
    let interval = stage.target().batch_interval();
    let rounds = (STEADY.as_millis() / interval.as_millis().max(1)).clamp(3, 10) as u32;
    let spacing = (interval / 10).max(Duration::from_millis(10));
    let mut load = Load { lines: 0, longest_gap: Duration::ZERO, began: Instant::now() };
    let (done, plain) = stage
        .beside(async {
            load = load_for(stage, interval * rounds, spacing).await?;
            reader.until_line(&(load.lines - 1).to_string()).await
        })
        .await;
    done?;
    let seen = reader.lines();
    let mut times: Vec<Instant> = Vec::new();
    for line in &seen {
        if times.last() != Some(&line.at) {
            times.push(line.at);
        }
    }
    // Events that come in one read are two all the same.
    let mut events: Vec<usize> = seen.iter().map(|line| line.event).collect();
    events.dedup();
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        let nothing = "none";
        return stage.proof(RULE).demand(
            false,
            "logs events under a steady load",
            "some",
            nothing,
            reader.exchange(),
        );
    };
    let gap = match events.len() {
        1 => last.saturating_duration_since(load.began),
        many => last.saturating_duration_since(*first) / (many as u32 - 1),
    };
    let rate = |gap: Duration| format!("one every {gap:.0?}");
    stage.proof(RULE).demand(
        gap >= interval * 4 / 5,
        "logs events under a steady load",
        format!("about {}", rate(interval)),
        format!("{}: {} for {} lines", rate(gap), events.len(), seen.len()),
        reader.exchange(),
    )?;
    let gap = gap.saturating_sub(load.longest_gap);
    in_time(stage, &reader, "time between two logs events under a steady load", gap, plain).await
}

/// Lines handed in one by one.
struct Load {
    lines: usize,
    longest_gap: Duration,
    began: Instant,
}

async fn load_for(stage: &Stage, time: Duration, spacing: Duration) -> Result<Load, Halt> {
    let began = Instant::now();
    let mut load = Load { lines: 0, longest_gap: Duration::ZERO, began };
    let mut before = began;
    while began.elapsed() < time {
        stage.emit(vec![stage.line(load.lines)]).await?;
        load.lines += 1;
        load.longest_gap = load.longest_gap.max(before.elapsed());
        before = Instant::now();
        tokio::time::sleep(spacing).await;
    }
    Ok(load)
}
