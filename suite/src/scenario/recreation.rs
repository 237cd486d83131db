//! Streams that come and go while others write to them.

use futures_util::future::try_join_all;

use super::{Scenario, stream::Stream};
use crate::{
    check::BodyRender,
    run::{Halt, Stage},
};

pub(super) static FRESH: Scenario = Scenario::new(
    "an-append-beside-a-delete-leaves-nothing",
    "What was appended while a stream was deleted is not in the stream that follows at its URL.",
    &["core.recreate-is-fresh"],
    |stage| Box::pin(fresh(stage)),
);

/// Streams side by side, and lives of each.
const STREAMS: usize = 6;
const LIVES: usize = 4;

async fn fresh(stage: &Stage) -> Result<(), Halt> {
    try_join_all((0..STREAMS).map(|index| live(stage.stream(format!("stream-{index}"), "text/plain"))))
        .await
        .map(drop)
}

async fn live(stream: Stream<'_>) -> Result<(), Halt> {
    let stage = stream.stage;
    let proof = stage.proof("core.recreate-is-fresh");
    stream.create().await?;
    for life in 0..LIVES {
        stream.append(format!("[stored in life {life}]")).await?;
        // Either may come first, so an append may be told that there is no such stream.
        let append = async { proof.look(stream.appending(format!("[beside delete {life}]"))?).await };
        let delete = async { stage.set_up(stream.deleting()?, "delete.success-204").await };
        tokio::try_join!(append, delete)?;
        let created = proof.look(stream.creating()?).await?;
        if matches!(created.seen.status, 409 | 410) {
            return Ok(());
        }
        proof.status(&created, 201)?;
        let read = stream.rest("-1").await?;
        let content = read.bytes();
        proof.demand(
            content.is_empty(),
            "content of the new stream",
            "nothing",
            BodyRender(&content),
            read.last(),
        )?;
    }
    Ok(())
}
