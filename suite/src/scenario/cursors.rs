//! Cursors, many of them.

use std::collections::BTreeSet;

use super::{Scenario, stream::Stream};
use crate::{
    rule::{Capability, RuleId},
    run::{Answer, Halt, Stage},
};

/// The default epoch, 2024-10-09T00:00:00Z, in seconds, and the default interval.
const EPOCH: i64 = 1_728_432_000;
const INTERVAL: i64 = 20;
/// The greatest advance: 3600 s, should an interval be one second.
const MOST_JITTER: u128 = 3600;
const SAMPLES: usize = 20;

pub(super) static INTERVALS: Scenario = Scenario::new(
    "a-cursor-counts-the-intervals-of-time",
    "Without a client's cursor the cursor is the number of 20 s intervals since 2024-10-09, or, on another scale, a number that does not fall.",
    &["cursor.interval-value"],
    |stage| Box::pin(intervals(stage)),
)
.needing(&[Capability::LongPoll]);

async fn intervals(stage: &Stage) -> Result<(), Halt> {
    let stream = with_content(stage).await?;
    let proof = stage.proof("cursor.interval-value");
    let first = proof.look(stream.long_polling("-1")?).await?;
    let cursor = cursor_of(&first)?;
    let Ok(value) = cursor.parse::<u128>() else {
        return proof.demand(false, "header Stream-Cursor", "decimal digits", cursor, first.exchange);
    };
    if counts_usual_intervals(value, &first) {
        return Ok(());
    }
    let present = present_interval(&first);
    let second = proof.look(stream.long_polling("-1")?).await?;
    let later = cursor_of(&second)?;
    let rises = later.parse::<u128>().is_ok_and(|later| later >= value);
    let expected = format!("a number from {value} on, as it is not {present}, the number of 20 s intervals");
    proof.demand(rises, "header Stream-Cursor", expected, later, second.exchange)
}

/// Whether a cursor is the number of intervals as long as by default, from where they are counted by default.
fn counts_usual_intervals(cursor: u128, answer: &Answer) -> bool {
    u128::try_from(present_interval(answer)).is_ok_and(|present| cursor.abs_diff(present) <= 1)
}

fn present_interval(answer: &Answer) -> i64 {
    (server_time(answer) - EPOCH).div_euclid(INTERVAL)
}

/// The target's clock, as far as it tells it, in seconds since 1970.
fn server_time(answer: &Answer) -> i64 {
    let told = answer
        .header("Date")
        .and_then(|date| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date.trim()).ok());
    told.unwrap_or_else(jiff::Timestamp::now).as_second()
}

pub(super) static JITTER: Scenario = Scenario::new(
    "a-cursor-ahead-is-passed-by-a-random-step",
    "A cursor 1000 intervals ahead is always passed, by steps from 1 to 3600 that are not all the same.",
    &["cursor.advances-past-client", "cursor.jitter"],
    |stage| Box::pin(jitter(stage)),
)
.needing(&[Capability::LongPoll]);

async fn jitter(stage: &Stage) -> Result<(), Halt> {
    let stream = with_content(stage).await?;
    let advance = stage.proof("cursor.advances-past-client");
    let first = advance.look(stream.long_polling("-1")?).await?;
    let present = number(&first)?;
    let sent = present + 1000;
    let mut steps = BTreeSet::new();
    for _ in 0..SAMPLES {
        let answer = advance.look(stream.long_polling_after("-1", &sent.to_string())?).await?;
        let cursor = cursor_of(&answer)?;
        let value = cursor.parse::<u128>().ok().filter(|value| *value > sent);
        let expected = format!("more than {sent}, the cursor of the client");
        advance.demand(value.is_some(), "header Stream-Cursor", expected, cursor, answer.exchange)?;
        steps.extend(value.map(|value| value - sent));
    }
    if !counts_usual_intervals(present, &first) {
        // The jitter is in seconds: in other intervals it may be a million steps, or never more than one.
        return Ok(());
    }
    let jitter = stage.proof("cursor.jitter");
    let widest = steps.last().copied().unwrap_or_default();
    let expected = format!("from 1 to {MOST_JITTER}");
    jitter.demand(widest <= MOST_JITTER, "steps past the cursor of the client", expected, widest, None)?;
    let expected = format!("different ones among {SAMPLES}");
    jitter.demand(
        steps.len() > 1,
        "steps past the cursor of the client",
        expected,
        format!("always {widest}"),
        None,
    )
}

pub(super) static CHAIN: Scenario = Scenario::new(
    "a-chain-of-cursors-never-falls",
    "In a chain of 20 long-polls that echo the last cursor no cursor is smaller than the one before.",
    &["cursor.monotonic"],
    |stage| Box::pin(chain(stage)),
)
.needing(&[Capability::LongPoll]);

async fn chain(stage: &Stage) -> Result<(), Halt> {
    let stream = with_content(stage).await?;
    let proof = stage.proof("cursor.monotonic");
    let first = proof.look(stream.long_polling("-1")?).await?;
    let mut last = number(&first)?;
    for _ in 0..SAMPLES {
        let answer = proof.look(stream.long_polling_after("-1", &last.to_string())?).await?;
        let value = number(&answer)?;
        let expected = format!("{last} or more");
        proof.demand(value >= last, "header Stream-Cursor", expected, value, answer.exchange)?;
        last = value;
    }
    Ok(())
}

async fn with_content(stage: &Stage) -> Result<Stream<'_>, Halt> {
    let stream = stage.stream("stream", "text/plain");
    stream.create().await?;
    stream.append("hello").await?;
    Ok(stream)
}

fn cursor_of(answer: &Answer) -> Result<String, Halt> {
    answer.needed("Stream-Cursor", "cursor.on-every-live-response")
}

fn number(answer: &Answer) -> Result<u128, Halt> {
    let cursor = cursor_of(answer)?;
    cursor.parse().map_err(|_| Halt::Blocked {
        rule: Some(RuleId::new("cursor.on-every-live-response")),
        why: format!("the cursor {cursor:?} is no decimal number"),
    })
}
