//! Bytes as they were written, wherever a read begins.

use super::{Scenario, random};
use crate::run::{Halt, Stage};

pub(super) static ANY_CHUNKING: Scenario = Scenario::new(
    "bytes-survive-any-chunking",
    "All byte values come back exactly, however they were cut into appends and wherever a read begins.",
    &["append.bytes-exact", "read.from-offset", "core.read-your-writes"],
    |stage| Box::pin(any_chunking(stage)),
);

async fn any_chunking(stage: &Stage) -> Result<(), Halt> {
    let stream = stage.stream("stream", "application/octet-stream");
    let random = &mut stage.random(ANY_CHUNKING.id);
    let content = random::all_byte_values(random, 4);
    let pieces = random::cut(random, &content, 90);
    // Where a read may begin, and how many bytes lie before.
    let mut positions = vec![(stream.create().await?, 0)];
    for piece in &pieces {
        let (before, size) = positions.last().cloned().unwrap_or_default();
        let tail = stream.append(piece.clone()).await?;
        let mut request = stream.reading(&before)?;
        request.fresh_connection = true;
        let read = stage.set_up(request, "read.from-offset").await?;
        let beginning = &piece[..read.body().len().min(piece.len())];
        stage.proof("core.read-your-writes").demand(
            !read.body().is_empty(),
            "body",
            format_args!("the {} bytes just acknowledged", piece.len()),
            "nothing",
            read.exchange,
        )?;
        stage.proof("append.bytes-exact").bytes("body", beginning, read.body(), read.exchange)?;
        positions.push((tail, size + piece.len()));
    }
    let whole = stream.rest("-1").await?;
    stage.proof("append.bytes-exact").bytes("content", &content, &whole.bytes(), whole.last())?;
    for (offset, before) in &positions {
        let rest = stream.rest_for(stage.proof("read.from-offset"), offset).await?;
        stage.proof("read.from-offset").bytes("content", &content[*before..], &rest.bytes(), rest.last())?;
    }
    Ok(())
}

pub(super) static KEPT: Scenario = Scenario::new(
    "what-was-read-at-an-offset-stays",
    "What stands at an offset stays there while this stream grows and others come and go.",
    &["core.position-immutable", "core.acknowledged-bytes-persist"],
    |stage| Box::pin(kept(stage)),
);

async fn kept(stage: &Stage) -> Result<(), Halt> {
    const ROUNDS: usize = 8;
    let stream = stage.stream("stream", "application/octet-stream");
    let random = &mut stage.random(KEPT.id);
    let mut tail = stream.create().await?;
    let mut content = Vec::new();
    let mut before: Vec<(String, Vec<u8>)> = Vec::new();
    for round in 0..ROUNDS {
        let piece = random::bytes(random, 40 + round * 11);
        content.extend_from_slice(&piece);
        let next = stream.append(piece).await?;
        let read = stream.rest(&tail).await?;
        before.push((tail, read.bytes()));
        tail = next;

        let other = stage.stream(format!("other-{round}"), "application/octet-stream");
        other.create().await?;
        other.append(random::bytes(random, 100)).await?;
        if round % 2 == 1 {
            stage.set_up(other.deleting()?, "delete.success-204").await?;
        }

        let whole = stream.rest("-1").await?;
        stage.proof("core.acknowledged-bytes-persist").bytes(
            "content",
            &content,
            &whole.bytes(),
            whole.last(),
        )?;
        for (offset, earlier) in &before {
            let later = stream.rest_for(stage.proof("core.position-immutable"), offset).await?;
            let bytes = later.bytes();
            let same = &bytes[..bytes.len().min(earlier.len())];
            stage.proof("core.position-immutable").bytes(
                "beginning of the content",
                earlier,
                same,
                later.last(),
            )?;
        }
    }
    Ok(())
}
