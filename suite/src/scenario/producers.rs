//! A producer that does not wait for its answers.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use rand::seq::SliceRandom as _;

use super::{Scenario, stream::Stream};
use crate::{
    rule::Capability,
    run::{Halt, Stage},
};

/// Requests of one producer at once, and streams side by side.
const REQUESTS: usize = 10;
const STREAMS: usize = 4;

/// How soon a refused request is sent again, and until when.
const RETRY: Duration = Duration::from_millis(3);
const PATIENCE: Duration = Duration::from_secs(6);

pub(super) static PIPELINE: Scenario = Scenario::new(
    "a-pipelined-producer-is-stored-in-order",
    "Ten requests of one producer, sent at once on connections of their own and again where refused with 409, are stored once each and in order.",
    &["producer.concurrent-pipeline-exactly-once"],
    |stage| Box::pin(pipeline(stage)),
)
.needing(&[Capability::Producers]);

async fn pipeline(stage: &Stage) -> Result<(), Halt> {
    let mut random = stage.random(PIPELINE.id);
    let streams = (0..STREAMS).map(|index| {
        let mut order: Vec<usize> = (0..REQUESTS).collect();
        order.shuffle(&mut random);
        produce(stage.stream(format!("stream-{index}"), "text/plain"), order)
    });
    try_join_all(streams).await.map(drop)
}

async fn produce(stream: Stream<'_>, order: Vec<usize>) -> Result<(), Halt> {
    let proof = stream.stage.proof("producer.concurrent-pipeline-exactly-once");
    stream.create().await?;
    try_join_all(order.into_iter().map(|seq| send_until_taken(&stream, seq))).await?;
    let wanted: String = (0..REQUESTS).map(body).collect();
    let read = stream.rest("-1").await?;
    proof.bytes("content", wanted.as_bytes(), &read.bytes(), read.last())
}

/// A server may refuse what comes before its turn, or hold it; so it takes no turn of the suite's.
async fn send_until_taken(stream: &Stream<'_>, seq: usize) -> Result<(), Halt> {
    let proof = stream.stage.proof("producer.concurrent-pipeline-exactly-once");
    let until = Instant::now() + PATIENCE;
    loop {
        let request = stream.appending(body(seq))?;
        let mut request = request
            .header("Producer-Id", "pipeline")
            .header("Producer-Epoch", "0")
            .header("Producer-Seq", seq.to_string());
        request.fresh_connection = true;
        let answer = proof.wait(request).await?;
        if answer.seen.status == 409 && Instant::now() < until {
            tokio::time::sleep(RETRY).await;
            continue;
        }
        let subject = format!("status for Producer-Seq {seq}");
        let expected = "2xx, or 409 until its turn has come";
        return proof.demand(answer.is_success(), &subject, expected, answer.seen.status, answer.exchange);
    }
}

fn body(seq: usize) -> String {
    format!("<{seq}{}>", ".".repeat(seq))
}
