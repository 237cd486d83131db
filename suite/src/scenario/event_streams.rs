//! Appends that race with the switch from stored data to live data.

use std::time::Duration;

use futures_util::future::try_join_all;
use rand::Rng as _;

use super::{Scenario, events::says_up_to_date, stream::Stream};
use crate::{
    case::filled,
    check::EventLog,
    rule::{Capability, RuleId},
    run::{Halt, Stage},
};

pub(super) static BACKLOG_THEN_LIVE: Scenario = Scenario::new(
    "appends-beside-the-start-of-an-event-stream-come-once",
    "Data stored before, and appends that race with the start of an event stream, are delivered once each and in order.",
    &["sse.backlog-then-live"],
    |stage| Box::pin(backlog_then_live(stage)),
)
.needing(&[Capability::Sse]);

pub(super) static UP_TO_DATE_NOT_EARLY: Scenario = Scenario::new(
    "no-control-event-says-up-to-date-before-all-stored-data-came",
    "Across a large backlog, no control event says upToDate before everything that is stored has been sent.",
    &["sse.control-up-to-date-not-early"],
    |stage| Box::pin(up_to_date_not_early(stage)),
)
.needing(&[Capability::Sse])
.moving_much();

/// A backlog that servers send in several parts.
const PARTS: usize = 40;
const PART: usize = 64 << 10;

async fn up_to_date_not_early(stage: &Stage) -> Result<(), Halt> {
    let proof = stage.proof("sse.control-up-to-date-not-early");
    let stream = stage.stream("stream", "text/plain");
    stream.create().await?;
    // On one line: what is to be seen is the number of events, not of lines.
    let part: String = String::from_utf8_lossy(&filled(PART)).replace('\n', " ");
    for _ in 0..PARTS {
        stream.append(part.clone()).await?;
    }
    let mut events = stream.events("-1").await?;
    let whole = |log: &EventLog| log.content(false).is_ok_and(|seen| seen.len() >= PARTS * PART);
    let log = events.until(whole).await?;
    for index in (0..log.events.len()).filter(|index| says_up_to_date(&log.events[*index])) {
        let sent = log.content_before(index, false).unwrap_or_default().len();
        proof.demand(
            sent >= PARTS * PART,
            "control event",
            format!("no upToDate before all {} stored bytes are sent", PARTS * PART),
            format!("upToDate behind {sent} bytes"),
            events.exchange(),
        )?;
    }
    match whole(&log) {
        true => Ok(()),
        false => Err(Halt::Blocked {
            rule: Some(RuleId::new("sse.backlog-then-live")),
            why: "not all that is stored was sent".to_owned(),
        }),
    }
}

/// Streams side by side; appends before the reader comes, and beside it.
const STREAMS: usize = 16;
const STORED: usize = 3;
const LIVE: usize = 6;

async fn backlog_then_live(stage: &Stage) -> Result<(), Halt> {
    let mut random = stage.random(BACKLOG_THEN_LIVE.id);
    let streams = (0..STREAMS).map(|index| {
        let content_type = if index % 4 == 3 { "application/octet-stream" } else { "text/plain" };
        // Half of them close around the switch, the others spread over 100 ms.
        let longest = if index % 2 == 0 { 3_000 } else { 25_000 };
        let pauses = (0..LIVE).map(|_| Duration::from_micros(random.random_range(0..longest))).collect();
        listen(stage.stream(format!("stream-{index}"), content_type), pauses)
    });
    try_join_all(streams).await.map(drop)
}

async fn listen(stream: Stream<'_>, pauses: Vec<Duration>) -> Result<(), Halt> {
    let proof = stream.stage.proof("sse.backlog-then-live");
    stream.create().await?;
    let mut content = String::new();
    for index in 0..STORED {
        let body = format!("[stored {index}]");
        stream.append(body.clone()).await?;
        content.push_str(&body);
    }
    let live: Vec<String> = (0..LIVE).map(|index| format!("[live {index}]")).collect();
    let append = async {
        for (body, pause) in live.iter().zip(pauses) {
            tokio::time::sleep(pause).await;
            stream.append(body.clone()).await?;
        }
        Ok::<_, Halt>(())
    };
    let (mut events, ()) = tokio::try_join!(stream.events("-1"), append)?;
    content.extend(live);
    let log = events.until(|log| log.content(false).is_ok_and(|seen| seen.len() >= content.len())).await?;
    let seen = log.content(false).unwrap_or_else(String::into_bytes);
    proof.bytes("data events", content.as_bytes(), &seen, events.exchange())
}
