//! Many offsets of one stream.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use futures_util::future::try_join_all;
use rand::Rng as _;

use super::{Scenario, proof::Proof, stream::Stream};
use crate::run::{Halt, Stage};

/// Counters that are not padded are found out where they gain a digit: at the 10th, 100th or 1000th append.
const APPENDS: usize = 1200;
/// Writers of those, side by side.
const WRITERS: usize = 6;
/// Appends sent all at once.
const BURST: usize = 24;

pub(super) static INCREASING: Scenario = Scenario::new(
    "offsets-increase-over-many-appends",
    "Over more than a thousand appends, many of them at once, each offset is greater, byte by byte, than all that were known before.",
    &["offset.strictly-increasing"],
    |stage| Box::pin(increasing(stage)),
);

async fn increasing(stage: &Stage) -> Result<(), Halt> {
    let stream = stage.stream("stream", "application/octet-stream");
    let highest = Mutex::new(stream.create().await?);
    let proof = stage.proof("offset.strictly-increasing");
    let random = &mut stage.random(INCREASING.id);
    let mut sizes = (0..APPENDS).map(|index| match index % 100 {
        0 => 4000,
        _ => random.random_range(1..120),
    });
    let shares: Vec<Vec<usize>> =
        (0..WRITERS).map(|_| sizes.by_ref().take(APPENDS / WRITERS).collect()).collect();
    let writers = shares.into_iter().map(|sizes| write(&stream, sizes, &highest, proof));
    try_join_all(writers).await?;
    let burst = (1..=BURST).map(|size| write(&stream, vec![size * 7], &highest, proof));
    try_join_all(burst).await.map(drop)
}

/// Appends one after another. Every offset is greater than any that was answered before its append was sent;
/// appends that overlap may be answered in any order.
async fn write(
    stream: &Stream<'_>,
    sizes: Vec<usize>,
    highest: &Mutex<String>,
    proof: Proof<'_>,
) -> Result<(), Halt> {
    for size in sizes {
        let before = highest.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let request = stream.appending(Bytes::from(vec![b'x'; size]))?;
        let answer = stream.stage.set_up(request, "append.success-204").await?;
        let offset = answer.next_offset("append.response-next-offset")?;
        proof.demand(
            offset.as_bytes() > before.as_bytes(),
            "Stream-Next-Offset",
            format_args!("greater, byte by byte, than {before:?}, which was known before this append"),
            format_args!("{offset:?}"),
            answer.exchange,
        )?;
        let mut highest = highest.lock().unwrap_or_else(PoisonError::into_inner);
        if offset.as_bytes() > highest.as_bytes() {
            *highest = offset;
        }
    }
    Ok(())
}

pub(super) static UNIQUE: Scenario = Scenario::new(
    "every-position-has-offsets-of-its-own",
    "No offset that an append, a HEAD or a read gives for one position is given for another.",
    &["offset.unique-positions"],
    |stage| Box::pin(unique(stage)),
);

async fn unique(stage: &Stage) -> Result<(), Halt> {
    const POSITIONS: usize = 24;
    let stream = stage.stream("stream", "text/plain");
    let random = &mut stage.random(UNIQUE.id);
    let proof = stage.proof("offset.unique-positions");
    // The position, in bytes, that each token was first seen for.
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut tail = stream.create().await?;
    let mut position = 0;
    for _ in 0..POSITIONS {
        let read = stream.rest(&tail).await?;
        for token in [Some(tail), Some(stream.tail().await?), read.end()].into_iter().flatten() {
            let first = *known.entry(token.clone()).or_insert(position);
            proof.demand(
                first == position,
                "offset",
                format_args!("another offset after {position} bytes than after {first}"),
                format_args!("{token:?} for both"),
                read.last(),
            )?;
        }
        let size = random.random_range(1..9);
        tail = stream.append("x".repeat(size)).await?;
        position += size;
    }
    Ok(())
}
