//! Many writers at once.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::{Running, Scenario};
use crate::{
    case::Method,
    check::BodyRender,
    run::{Halt, Stage},
    wire::Body,
};

/// How many appends are sent at once.
const WRITERS: usize = 24;

pub(super) const WHOLE: Scenario = Scenario {
    id: "concurrent-appends-are-stored-whole",
    title: "Every one of many appends sent at once is stored, once and in one piece.",
    proves: &["core.concurrent-appends-whole", "core.concurrent-appends-distinct-offsets"],
    needs: &[],
    waits_for: None,
    written: (file!(), line!()),
    run: whole,
};

fn whole(stage: &Stage) -> Running<'_> {
    Box::pin(async move {
        const WHOLE: &str = "core.concurrent-appends-whole";
        const DISTINCT: &str = "core.concurrent-appends-distinct-offsets";
        stage.create("stream", "text/plain", None).await?;
        let bodies: Vec<String> = (0..WRITERS).map(body).collect();
        let appends = bodies.iter().map(|body| async move {
            let mut request = stage.ask(Method::Post, "stream", "")?.header("Content-Type", "text/plain");
            request.fresh_connection = true;
            stage.look(request.body(Body::Bytes(body.clone().into())), WHOLE).await
        });
        let answers = join_all(appends).await.into_iter().collect::<Result<Vec<_>, Halt>>()?;
        for answer in &answers {
            let status = answer.seen.status;
            stage.demand(
                WHOLE,
                (200..300).contains(&status),
                "status",
                "2xx",
                status,
                Some(answer.exchange),
            )?;
        }
        let read = stage.look(stage.ask(Method::Get, "stream", "offset=-1")?, WHOLE).await?;
        let content = String::from_utf8_lossy(&read.seen.body).into_owned();
        let total: usize = bodies.iter().map(String::len).sum();
        let size = content.len();
        stage.demand(
            WHOLE,
            size == total,
            "content",
            format!("{total} bytes"),
            format!("{size} bytes"),
            Some(read.exchange),
        )?;
        for body in &bodies {
            let times = content.matches(body.as_str()).count();
            let expected = format!("{} once", BodyRender(body.as_bytes()));
            stage.demand(
                WHOLE,
                times == 1,
                "content",
                expected,
                format!("{times} times"),
                Some(read.exchange),
            )?;
        }
        let offsets: Vec<String> =
            answers.iter().filter_map(|answer| answer.seen.headers.text("Stream-Next-Offset")).collect();
        let distinct = offsets.iter().collect::<BTreeSet<_>>().len();
        stage.demand(
            DISTINCT,
            distinct == WRITERS,
            "Stream-Next-Offset of the answers",
            format!("{WRITERS} different offsets"),
            format!("{distinct} different among {}", offsets.len()),
            None,
        )
    })
}

/// Bodies of different lengths, none of which is a part of another.
fn body(index: usize) -> String {
    format!("<{index:02}{}>", "x".repeat(index * 37))
}
