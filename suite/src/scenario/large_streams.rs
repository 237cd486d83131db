//! Streams that are larger than what a server may want to return at once.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Scenario, pages::Pages, random, stream::Stream};
use crate::{
    rule::{Capability, RuleId},
    run::{Halt, Leafing, Stage},
};

/// Bytes in one append, and appends.
const PIECE: usize = 96 * 1024;
const PIECES: usize = 32;

pub(super) static PAGES: Scenario = Scenario::new(
    "a-large-stream-is-read-page-by-page",
    "Following Stream-Next-Offset gives 3 MiB once and whole, and only the last page says that it is up to date.",
    &["read.pagination-complete", "read.up-to-date-not-on-partial"],
    |stage| Box::pin(pages(stage)),
)
.moving_much();

async fn pages(stage: &Stage) -> Result<(), Halt> {
    let stream = stage.stream("stream", "application/octet-stream");
    let content = fill(&stream, PAGES.id).await?;
    let tail = stream.tail().await?;
    let read = read_all(&stream, &content).await?;
    let early = read.all.iter().find(|page| {
        let next = page.answer.header("Stream-Next-Offset");
        next.is_some_and(|next| next != tail) && page.answer.header("Stream-Up-To-Date").is_some()
    });
    let shown = early.map(|page| page.answer.exchange);
    stage.proof("read.up-to-date-not-on-partial").demand(
        early.is_none(),
        "header Stream-Up-To-Date of a page short of the tail",
        "absent",
        "present",
        shown,
    )
}

pub(super) static CLOSED_PAGES: Scenario = Scenario::new(
    "a-large-closed-stream-shows-its-end-at-its-end",
    "Of the pages of a closed stream of 3 MiB only the one that reaches the end says that it is closed.",
    &["read.closed-not-on-partial"],
    |stage| Box::pin(closed_pages(stage)),
)
.needing(&[Capability::Closure])
.moving_much();

async fn closed_pages(stage: &Stage) -> Result<(), Halt> {
    let stream = stage.stream("stream", "application/octet-stream");
    let content = fill(&stream, CLOSED_PAGES.id).await?;
    stream.close().await?;
    let tail = stream.tail().await?;
    let proof = stage.proof("read.closed-not-on-partial");
    let mut from = "-1".to_owned();
    let mut size = 0;
    let mut leafing = Leafing::begin();
    // Pages that say too early that they are the last are followed all the same.
    while size < content.len() {
        let page = stream.page(&from, super::stream::Mode::CatchUp, None).await?;
        let next = page.next_offset("read.next-offset")?;
        size += page.body().len();
        let is_partial = next != tail && size < content.len();
        if is_partial && page.header("Stream-Closed").is_some() {
            return proof.demand(
                false,
                "header Stream-Closed of a page short of the end",
                "absent",
                "present",
                page.exchange,
            );
        }
        if next == from || page.body().is_empty() {
            return Err(Halt::Blocked {
                rule: Some(RuleId::new("read.pagination-complete")),
                why: format!("the pages end after {size} of {} bytes", content.len()),
            });
        }
        leafing.turn(stage)?;
        from = next;
    }
    Ok(())
}

pub(super) static EVENT_PAGES: Scenario = Scenario::new(
    "a-large-backlog-is-up-to-date-at-its-end",
    "Of the control events of a backlog of 3 MiB only the one at the tail says that the client is up to date.",
    &["sse.control-up-to-date-not-early"],
    |stage| Box::pin(event_pages(stage)),
)
.needing(&[Capability::Sse])
.moving_much();

async fn event_pages(stage: &Stage) -> Result<(), Halt> {
    let stream = stage.stream("stream", "text/plain");
    stream.create().await?;
    for _ in 0..PIECES {
        stream.append(vec![b'x'; PIECE]).await?;
    }
    let tail = stream.tail().await?;
    let is_tail = |control: &BTreeMap<String, Value>| control.get("streamNextOffset") == Some(&json!(tail));
    let mut events = stream.events("-1").await?;
    let log = events.until(|log| log.controls().iter().any(is_tail)).await?;
    let controls = log.controls();
    if !controls.iter().any(is_tail) {
        return Err(Halt::Blocked {
            rule: Some(RuleId::new("sse.control-next-offset")),
            why: format!("no control event of the backlog names the tail {tail}"),
        });
    }
    let early =
        controls.iter().find(|control| !is_tail(control) && control.get("upToDate") == Some(&json!(true)));
    let actual = early.map_or(String::new(), |control| json!(control).to_string());
    stage.proof("sse.control-up-to-date-not-early").demand(
        early.is_none(),
        "control event short of the tail",
        "upToDate absent or false",
        actual,
        events.exchange(),
    )
}

async fn fill(stream: &Stream<'_>, id: &str) -> Result<Vec<u8>, Halt> {
    stream.create().await?;
    let content = random::bytes(&mut stream.stage.random(id), PIECE * PIECES);
    for piece in content.chunks(PIECE) {
        stream.append(Bytes::copy_from_slice(piece)).await?;
    }
    Ok(content)
}

async fn read_all(stream: &Stream<'_>, content: &[u8]) -> Result<Pages, Halt> {
    let proof = stream.stage.proof("read.pagination-complete");
    let pages = stream.rest_for(proof, "-1").await?;
    if let Some(why) = pages.stuck {
        proof.demand(false, "pages", "progress up to the tail", why, pages.last())?;
    }
    let mut rest = content;
    for page in &pages.all {
        let body = page.answer.body();
        let (wanted, after) = rest.split_at(body.len().min(rest.len()));
        let subject = format!("page from byte {}", content.len() - rest.len());
        proof.bytes(&subject, wanted, body, page.answer.exchange)?;
        rest = after;
    }
    let expected = format!("{} bytes", content.len());
    let actual = format!("{} bytes", content.len() - rest.len());
    proof.demand(rest.is_empty(), "content of all pages", expected, actual, pages.last())?;
    Ok(pages)
}

pub(super) static JSON_PAGES: Scenario = Scenario::new(
    "every-page-of-a-large-json-stream-is-an-array",
    "Every page of a JSON stream of 1.5 MiB is a complete array, and together they hold all messages in order.",
    &["json.read-array", "json.message-boundaries"],
    |stage| Box::pin(json_pages(stage)),
)
.needing(&[Capability::Json])
.moving_much();

async fn json_pages(stage: &Stage) -> Result<(), Halt> {
    const BATCHES: usize = 12;
    const MESSAGES: usize = 32;
    const FILL: usize = 4000;
    let stream = stage.stream("stream", "application/json");
    stream.create().await?;
    let fill = "],[{\"".repeat(FILL / 6);
    let messages: Vec<String> =
        (0..BATCHES * MESSAGES).map(|index| json!({ "n": index, "fill": fill }).to_string()).collect();
    for batch in messages.chunks(MESSAGES) {
        stream.append(format!("[{}]", batch.join(","))).await?;
    }
    let arrays = stage.proof("json.read-array");
    let pages = stream.rest_for(arrays, "-1").await?;
    let mut wanted = messages.iter();
    for page in &pages.all {
        let found = match page.messages() {
            Ok(found) => found,
            Err(no_array) => {
                return arrays.demand(false, "page", "one JSON array", no_array.why, no_array.shown_by);
            }
        };
        for message in found {
            let wanted = wanted.next().map(|text| text.parse::<Value>());
            let found = message.get().parse::<Value>();
            let same = matches!((&wanted, &found), (Some(Ok(wanted)), Ok(found)) if wanted == found);
            let number = |value: Option<&Value>| {
                value.map_or("no message".to_owned(), |value| format!("message n = {}", value["n"]))
            };
            stage.proof("json.message-boundaries").demand(
                same,
                "message",
                number(wanted.as_ref().and_then(|wanted| wanted.as_ref().ok())),
                number(found.as_ref().ok()),
                page.answer.exchange,
            )?;
        }
    }
    let left = wanted.len();
    arrays.demand(left == 0, "messages", "all", format_args!("{left} are missing"), pages.last())
}
