//! Pings come in their time.

use std::time::{Duration, Instant};

use super::{LogReader, Scenario};
use crate::{
    case::{On, Wait},
    check::{self, EventLog, Finding, LogEnd},
    rule::Capability,
    run::{Blame, Halt, Stage},
};

const RULE: &str = "logs.heartbeat-interval";
const EVENTS: &str = "logs.event-types";
const NEEDS: &[Capability] = &[Capability::Logs];

/// A ping that is late is waited for so many intervals long, to tell how late it is.
const PATIENCE: u32 = 4;
/// How many lines come in an interval of a busy stream.
const LINES_AN_INTERVAL: u32 = 4;

pub(super) static SERVICE: Scenario = Scenario::new(
    "pings-come-on-the-log-stream-of-the-service",
    "An idle log stream of the service gets a ping in every interval, each with its timestamp.",
    &[RULE, EVENTS],
    |stage| Box::pin(service(stage)),
)
.needing(NEEDS)
.asking(&[On::Logs])
.waiting_for(Wait::Heartbeats, 1);

pub(super) static JOB: Scenario = Scenario::new(
    "pings-come-on-the-log-stream-of-a-job",
    "An idle log stream of a job gets a ping in every interval, each with its timestamp.",
    &[RULE, EVENTS],
    |stage| Box::pin(job(stage)),
)
.needing(NEEDS)
.asking(&[On::Logs, On::Emit])
.waiting_for(Wait::Heartbeats, 1);

pub(super) static BUSY: Scenario = Scenario::new(
    "pings-come-on-a-busy-log-stream",
    "A log stream on which lines keep coming gets a ping in every interval, too.",
    &[RULE],
    |stage| Box::pin(busy(stage)),
)
.needing(NEEDS)
.asking(&[On::Logs, On::Emit])
.waiting_for(Wait::Heartbeats, 1);

async fn service(stage: &Stage) -> Result<(), Halt> {
    idle(stage.read_log("scope=service").await?).await
}

async fn job(stage: &Stage) -> Result<(), Halt> {
    idle(stage.read_own_log().await?).await
}

async fn idle(mut reader: LogReader<'_>) -> Result<(), Halt> {
    see_pings(&mut reader).await?;
    let stage = reader.stage;
    let odd = check::ill_formed(&reader.log()).into_iter().collect();
    stage.judge(odd, &stage.blame_of(EVENTS, stage.written()), Some(reader.exchange()))
}

async fn busy(stage: &Stage) -> Result<(), Halt> {
    let mut reader = stage.read_own_log().await?;
    let spacing = stage.target().heartbeat() / LINES_AN_INTERVAL;
    let writing = async {
        loop {
            stage.emit(vec![stage.line("still busy")]).await?;
            tokio::time::sleep(spacing).await;
        }
    };
    tokio::select! {
        seen = see_pings(&mut reader) => seen,
        stopped = writing => stopped,
    }
}

/// Demands one ping after the other, as many as there is time for.
async fn see_pings(reader: &mut LogReader<'_>) -> Result<(), Halt> {
    let stage = reader.stage;
    let proof = stage.proof(RULE);
    let period = stage.target().heartbeat();
    let tolerance = tolerance(period);
    let mut pings: Vec<Instant> = Vec::new();
    let mut put_off = 0;
    while pings.len() < stage.target().pings_to_see() as usize {
        let before = pings.last().copied().unwrap_or(reader.opened);
        let ping = next_ping(reader, pings.len(), before + period * PATIENCE).await?;
        if let Some(odd) = ping.as_ref().and_then(|ping| check::odd_ping(ping)) {
            reader.show();
            stage.judge(vec![odd], &stage.blame_of(RULE, stage.written()), Some(reader.exchange()))?;
        }
        let at = ping.map(|ping| ping.at);
        let waited = at.unwrap_or_else(Instant::now).saturating_duration_since(before);
        if waited > period + tolerance {
            let log = reader.log();
            let silent = silence(&log, before, at.unwrap_or_else(Instant::now));
            match silent <= period + tolerance {
                // Once a busy machine may be late as well; a server that counts anew is late each time.
                true if at.is_some() && put_off == 0 => put_off += 1,
                true => return warn_of_restart(reader, period, waited),
                false => too_late(reader, period, at.is_some(), waited).await?,
            }
        }
        match at {
            Some(at) => pings.push(at),
            None => return Ok(()),
        }
    }
    let (Some(first), Some(last)) = (pings.first(), pings.last()) else { return Ok(()) };
    let gap = last.saturating_duration_since(*first) / (pings.len() as u32 - 1).max(1);
    reader.show();
    let actual = format!("{gap:.0?}; where the target sends them more often, say --heartbeat");
    let expected = format!("{period:?}");
    proof.demand(gap + tolerance >= period, "time between two pings", expected, actual, reader.exchange())
}

/// How much later or earlier than in its time a ping may come.
fn tolerance(period: Duration) -> Duration {
    (period / 5).max(Duration::from_millis(250))
}

/// The ping after those that are known, where it comes by then.
async fn next_ping(
    reader: &mut LogReader<'_>,
    known: usize,
    until: Instant,
) -> Result<Option<std::sync::Arc<check::SeenEvent>>, Halt> {
    loop {
        let log = reader.log();
        let ping = log.events.iter().filter(|event| event.name == "ping").nth(known);
        if let Some(ping) = ping {
            return Ok(Some(ping.clone()));
        }
        Halt::where_cut(&log)?;
        if log.end != LogEnd::Open {
            let actual = "the end of the log stream";
            reader.show();
            reader.stage.proof(RULE).demand(
                false,
                "ping",
                "one in every interval",
                actual,
                reader.exchange(),
            )?;
            return Err(Halt::Failed);
        }
        if Instant::now() >= until {
            return Ok(None);
        }
        reader.events.changed_by(until).await;
    }
}

/// The longest time between two events of any name, from one instant to another.
fn silence(log: &EventLog, from: Instant, to: Instant) -> Duration {
    let between = log.events.iter().map(|event| event.at).filter(|at| *at > from && *at < to);
    let mut last = from;
    let mut longest = Duration::ZERO;
    for at in between.chain([to]) {
        longest = longest.max(at.saturating_duration_since(last));
        last = at;
    }
    longest
}

async fn too_late(
    reader: &LogReader<'_>,
    period: Duration,
    has_come: bool,
    waited: Duration,
) -> Result<(), Halt> {
    let tolerance = tolerance(period);
    let actual = match has_come {
        true => format!("{waited:.1?}; where the target sends them less often, say --heartbeat"),
        false => format!("no ping in {waited:.1?}"),
    };
    let expected = format!("{period:?}, and no more than {tolerance:?} beside");
    // How late it is tells whether slowness explains it.
    let lateness = waited.saturating_sub(period).max(tolerance);
    reader.stage.late(RULE, "time until a ping", expected, actual, lateness, reader).await
}

/// A server whose every event puts off the next ping is never silent for longer, and yet sends no ping in its time.
fn warn_of_restart(reader: &LogReader<'_>, period: Duration, waited: Duration) -> Result<(), Halt> {
    let stage = reader.stage;
    let warn = Some("other events put off the next ping".to_owned());
    let blame = Blame { warn, ..stage.blame_of(RULE, stage.written()) };
    reader.show();
    let actual = format!("none in {waited:.1?}, in which other events came");
    let finding = Finding::new("ping", format!("one every {period:?}"), actual);
    stage.judge(vec![finding], &blame, Some(reader.exchange()))
}
