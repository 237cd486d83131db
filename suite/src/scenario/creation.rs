//! Many clients that create one stream.

use futures_util::future::try_join_all;

use super::{Scenario, stream::Stream};
use crate::{
    run::{Halt, Stage},
    wire::Body,
};

pub(super) static ONCE: Scenario = Scenario::new(
    "a-stream-that-many-create-begins-once",
    "Clients that create one stream at once, each with the same first content, make one stream with that content once.",
    &["create.concurrent-body-once", "create.concurrent-single-201"],
    |stage| Box::pin(once(stage)),
);

/// Streams side by side, and clients of each.
const STREAMS: usize = 8;
const CLIENTS: usize = 6;

async fn once(stage: &Stage) -> Result<(), Halt> {
    try_join_all((0..STREAMS).map(|index| create(stage.stream(format!("stream-{index}"), "text/plain"))))
        .await
        .map(drop)
}

async fn create(stream: Stream<'_>) -> Result<(), Halt> {
    const BODY: &str = "[first content]";
    let proof = stream.stage.proof("create.concurrent-body-once");
    let creations = (0..CLIENTS).map(|_| async {
        let mut request = stream.creating()?.body(Body::Bytes(BODY.into()));
        request.fresh_connection = true;
        let answer = proof.look(request).await?;
        proof.success(&answer)?;
        Ok::<_, Halt>(answer)
    });
    let answers = try_join_all(creations).await?;
    let read = stream.rest("-1").await?;
    proof.bytes("content", BODY.as_bytes(), &read.bytes(), read.last())?;

    let created = answers.iter().filter(|answer| answer.seen.status == 201).count();
    let statuses: Vec<String> = answers.iter().map(|answer| answer.seen.status.to_string()).collect();
    stream.stage.proof("create.concurrent-single-201").demand(
        created == 1 && answers.iter().all(|answer| matches!(answer.seen.status, 200 | 201)),
        "statuses",
        format_args!("201 once, else 200, of {CLIENTS}"),
        statuses.join(", "),
        None,
    )
}
