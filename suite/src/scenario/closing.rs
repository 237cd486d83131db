//! Closures that race with appends and with waiting readers.

use std::time::Duration;

use futures_util::future::try_join_all;
use rand::Rng as _;

use super::{Scenario, long_polls::Race, stream::Stream};
use crate::{
    check::{BodyRender, EventLog},
    rule::Capability,
    run::{Answer, Halt, Stage},
};

const LAST: &str = "<the end>";

pub(super) static ATOMIC: Scenario = Scenario::new(
    "nobody-sees-a-closed-stream-without-its-end",
    "Whoever sees a stream closed, while others append to it, sees it with its final data, and nothing comes in between.",
    &["closure.append-and-close-atomic"],
    |stage| Box::pin(atomic(stage)),
)
.needing(&[Capability::Closure]);

/// Streams side by side; writers and appends of each on each; looks by HEAD and by GET.
const STREAMS: usize = 6;
const WRITERS: usize = 3;
const APPENDS: usize = 8;
const LOOKS: usize = 25;

async fn atomic(stage: &Stage) -> Result<(), Halt> {
    let mut random = stage.random(ATOMIC.id);
    let streams = (0..STREAMS).map(|index| {
        let delay = Duration::from_micros(random.random_range(0..8_000));
        close_beside_appends(stage.stream(format!("stream-{index}"), "text/plain"), delay)
    });
    try_join_all(streams).await.map(drop)
}

async fn close_beside_appends(stream: Stream<'_>, delay: Duration) -> Result<(), Halt> {
    let proof = stream.stage.proof("closure.append-and-close-atomic");
    stream.create().await?;
    let close = async {
        tokio::time::sleep(delay).await;
        stream.stage.set_up(stream.closing_with(LAST)?, "closure.append-and-close-204").await
    };
    let writers = try_join_all((0..WRITERS).map(|writer| append_until_closed(&stream, writer)));
    let (_, written, heads, reads) = tokio::try_join!(
        close,
        writers,
        look_until_closed(&stream, true),
        look_until_closed(&stream, false)
    )?;

    let whole = stream.rest("-1").await?;
    let content = String::from_utf8_lossy(&whole.bytes()).into_owned();
    let tail = stream.tail().await?;
    for head in heads {
        let offset = head.next_offset("head.exists-200-no-body")?;
        proof.demand(
            offset == tail,
            "offset beside Stream-Closed in a HEAD",
            &tail,
            &offset,
            head.exchange,
        )?;
    }
    for read in reads {
        proof.bytes("content read with Stream-Closed", content.as_bytes(), read.body(), read.exchange)?;
    }
    let ends_well = content.ends_with(LAST) && content.matches(LAST).count() == 1;
    let shown = || BodyRender(content.as_bytes()).to_string();
    proof.demand(ends_well, "content", format_args!("{LAST:?} at its end"), shown(), whole.last())?;
    for (body, answer) in written.into_iter().flatten() {
        let (wanted, expected) = match answer.is_success() {
            true => (1, format!("{body} once, as its append was acknowledged")),
            false => (0, format!("no {body}, as its append was refused")),
        };
        let times = content.matches(body.as_str()).count();
        proof.demand(times == wanted, "content", expected, shown(), answer.exchange)?;
    }
    Ok(())
}

/// Appends until that is refused; gives what was sent with its answers.
async fn append_until_closed(stream: &Stream<'_>, writer: usize) -> Result<Vec<(String, Answer)>, Halt> {
    let proof = stream.stage.proof("closure.append-and-close-atomic");
    let mut sent = Vec::new();
    for index in 0..APPENDS {
        let body = format!("<{writer}.{index}>");
        let answer = proof.look(stream.appending(body.clone())?).await?;
        let is_refused = answer.seen.status == 409;
        let right = answer.is_success() || is_refused;
        proof.demand(
            right,
            "status",
            "2xx, or 409 once it is closed",
            answer.seen.status,
            answer.exchange,
        )?;
        sent.push((body, answer));
        if is_refused {
            break;
        }
    }
    Ok(sent)
}

/// Looks until the stream shows itself closed at its tail; gives the answers that did.
async fn look_until_closed(stream: &Stream<'_>, by_head: bool) -> Result<Vec<Answer>, Halt> {
    let mut closed = Vec::new();
    for _ in 0..LOOKS {
        let answer = match by_head {
            true => stream.stage.set_up(stream.heading()?, "head.exists-200-no-body").await?,
            false => stream.stage.set_up(stream.reading("-1")?, "read.from-start-200").await?,
        };
        if answer.says("Stream-Closed") {
            closed.push(answer);
            if closed.len() == 2 {
                break;
            }
        }
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
    Ok(closed)
}

pub(super) static WAKES: Scenario = Scenario::new(
    "waiting-readers-get-the-final-data",
    "An append that closes gives every waiting long-poll the final data, whenever it comes; a 204 would say that nothing is left.",
    &["closure.wakes-longpoll-with-final-data"],
    |stage| Box::pin(wakes(stage)),
)
.needing(&[Capability::LongPoll, Capability::Closure]);

async fn wakes(stage: &Stage) -> Result<(), Halt> {
    const ROUNDS: usize = 20;
    let mut random = stage.random(WAKES.id);
    let rounds = (0..ROUNDS).map(|index| {
        let delay = Duration::from_micros(random.random_range(0..60_000));
        wake(stage.stream(format!("stream-{index}"), "text/plain"), delay)
    });
    try_join_all(rounds).await.map(drop)
}

async fn wake(stream: Stream<'_>, delay: Duration) -> Result<(), Halt> {
    const OTHERS: usize = 2;
    let proof = stream.stage.proof("closure.wakes-longpoll-with-final-data");
    let tail = stream.create().await?;
    let others = try_join_all((0..OTHERS).map(|_| async { proof.wait(stream.long_polling(&tail)?).await }));
    let first =
        Race::run(proof, (Duration::ZERO, stream.long_polling(&tail)?), (delay, stream.closing_with(LAST)?));
    let (first, others) = tokio::try_join!(first, others)?;
    for answer in others.iter().chain([&first.poll]) {
        if answer.seen.status == 204
            && !answer.says("Stream-Closed")
            && (first.crossed() || first.came_first(answer))
        {
            continue;
        }
        let right = answer.seen.status == 200 && **answer.body() == *LAST.as_bytes();
        let actual = format!("{} {}", answer.seen.status, BodyRender(answer.body()));
        let subject = format!("long-poll, closed with data {delay:.0?} after it");
        proof.demand(right, &subject, format_args!("200 {LAST:?}"), actual, answer.exchange)?;
        if !answer.says("Stream-Closed") {
            let next = answer.next_offset("longpoll.200-catchup-headers")?;
            let read = stream.stage.set_up(stream.reading(&next)?, "read.from-offset").await?;
            let header = read.header("Stream-Closed").unwrap_or_else(|| "absent".to_owned());
            let told = read.says("Stream-Closed");
            proof.demand(told, "header Stream-Closed of the next read", "true", header, read.exchange)?;
        }
    }
    Ok(())
}

pub(super) static LAST_WORDS: Scenario = Scenario::new(
    "listeners-get-the-final-data-before-the-end",
    "An append that closes reaches the open event stream before the end is announced, whenever it comes.",
    &["sse.final-append-before-closed"],
    |stage| Box::pin(last_words(stage)),
)
.needing(&[Capability::Sse, Capability::Closure]);

async fn last_words(stage: &Stage) -> Result<(), Halt> {
    const ROUNDS: u64 = 30;
    let mut random = stage.random(LAST_WORDS.id);
    let rounds = (0..ROUNDS).map(|index| {
        let delay = Duration::from_micros(random.random_range(40_000..100_000));
        hear_last_words(stage.stream(format!("stream-{index}"), "text/plain"), delay)
    });
    try_join_all(rounds).await.map(drop)
}

async fn hear_last_words(stream: Stream<'_>, delay: Duration) -> Result<(), Halt> {
    let proof = stream.stage.proof("sse.final-append-before-closed");
    let tail = stream.create().await?;
    let mut events = stream.events(&tail).await?;
    tokio::time::sleep(delay).await;
    stream.stage.set_up(stream.closing_with(LAST)?, "closure.append-and-close-204").await?;
    let log = events.until(|log| end_announced(log).is_some()).await?;
    let before = log.content_before(end_announced(&log).unwrap_or(log.events.len()), false);
    let before = before.unwrap_or_else(String::into_bytes);
    let subject = format!("data before streamClosed, closed {delay:.0?} after the event stream began");
    proof.bytes(&subject, LAST.as_bytes(), &before, events.exchange())
}

/// Which event says that the stream is closed.
fn end_announced(log: &EventLog) -> Option<usize> {
    log.events.iter().position(|event| {
        event.name == "control"
            && serde_json::from_str::<serde_json::Value>(&event.data)
                .is_ok_and(|control| control["streamClosed"] == true)
    })
}
