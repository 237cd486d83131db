//! Many writers at once.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use super::Scenario;
use crate::{
    check::BodyRender,
    run::{Halt, Stage},
};

/// How many appends are sent at once.
const WRITERS: usize = 24;

pub(super) static WHOLE: Scenario = Scenario::new(
    "concurrent-appends-are-stored-whole",
    "Every one of many appends sent at once is stored, once and in one piece.",
    &["core.concurrent-appends-whole", "core.concurrent-appends-distinct-offsets"],
    |stage| Box::pin(whole(stage)),
);

async fn whole(stage: &Stage) -> Result<(), Halt> {
    let whole = stage.proof("core.concurrent-appends-whole");
    let stream = stage.stream("stream", "text/plain");
    stream.create().await?;
    let bodies: Vec<String> = (0..WRITERS).map(body).collect();
    let appends = bodies.iter().map(|body| async {
        let mut request = stream.appending(body.clone())?;
        request.fresh_connection = true;
        let answer = whole.look(request).await?;
        whole.success(&answer)?;
        Ok(answer)
    });
    let answers = try_join_all(appends).await?;

    let read = stream.rest_for(whole, "-1").await?;
    let content = String::from_utf8_lossy(&read.bytes()).into_owned();
    let size = |size: usize| format!("{size} bytes");
    let total: usize = bodies.iter().map(String::len).sum();
    whole.demand(content.len() == total, "content", size(total), size(content.len()), read.last())?;
    for body in &bodies {
        let times = content.matches(body.as_str()).count();
        let expected = format!("{} once", BodyRender(body.as_bytes()));
        whole.demand(times == 1, "content", expected, format!("{times} times"), read.last())?;
    }

    let offsets: BTreeSet<String> =
        answers.iter().filter_map(|answer| answer.header("Stream-Next-Offset")).collect();
    stage.proof("core.concurrent-appends-distinct-offsets").demand(
        offsets.len() == WRITERS,
        "Stream-Next-Offset of the answers",
        format_args!("{WRITERS} different offsets"),
        format_args!("{} different", offsets.len()),
        None,
    )
}

/// Bodies of different lengths, none of which is a part of another.
fn body(index: usize) -> String {
    format!("<{index:02}{}>", "x".repeat(index * 37))
}
