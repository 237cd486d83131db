//! Readers beside a writer.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::try_join_all;

use super::{Scenario, random, stream::Stream};
use crate::run::{Halt, Stage};

const READERS: usize = 3;
/// How often each reader reads at most while the writer writes.
const READS: usize = 30;
const PAUSE: Duration = Duration::from_millis(4);

pub(super) static PREFIX: Scenario = Scenario::new(
    "a-read-beside-a-writer-is-a-prefix",
    "What is read while another client appends is a beginning of the final content, with all that was acknowledged before.",
    &["core.order-and-prefix", "core.read-your-writes"],
    |stage| Box::pin(prefix(stage)),
);

/// What one reader saw, and how much was acknowledged when it began to look.
struct Snapshot {
    content: Vec<u8>,
    acknowledged: usize,
    shown_by: Option<usize>,
}

async fn prefix(stage: &Stage) -> Result<(), Halt> {
    let stream = stage.stream("stream", "application/octet-stream");
    stream.create().await?;
    let random = &mut stage.random(PREFIX.id);
    let content = random::all_byte_values(random, 8);
    let pieces = random::cut(random, &content, 120);

    let acknowledged = AtomicUsize::new(0);
    let done = AtomicBool::new(false);
    let snapshots = Mutex::new(Vec::new());
    let readers = (0..READERS).map(|_| read(&stream, &acknowledged, &done, &snapshots));
    let (written, read) = tokio::join!(write(&stream, pieces, &acknowledged, &done), try_join_all(readers));
    written?;
    read?;

    let last = stream.rest("-1").await?;
    let last = Snapshot { content: last.bytes(), acknowledged: content.len(), shown_by: last.last() };
    let snapshots = snapshots.into_inner().unwrap_or_else(PoisonError::into_inner);
    for Snapshot { content: seen, acknowledged, shown_by } in snapshots.into_iter().chain([last]) {
        let wanted = &content[..seen.len().min(content.len())];
        stage.proof("core.order-and-prefix").bytes("content", wanted, &seen, shown_by)?;
        stage.proof("core.read-your-writes").demand(
            seen.len() >= acknowledged,
            "content",
            format_args!("at least the {acknowledged} bytes acknowledged before the read"),
            format_args!("{} bytes", seen.len()),
            shown_by,
        )?;
    }
    Ok(())
}

async fn write(
    stream: &Stream<'_>,
    pieces: Vec<Bytes>,
    acknowledged: &AtomicUsize,
    done: &AtomicBool,
) -> Result<(), Halt> {
    let mut result = Ok(());
    for piece in pieces {
        let size = piece.len();
        result = stream.append(piece).await.map(drop);
        if result.is_err() {
            break;
        }
        acknowledged.fetch_add(size, Ordering::SeqCst);
    }
    done.store(true, Ordering::SeqCst);
    result
}

async fn read(
    stream: &Stream<'_>,
    acknowledged: &AtomicUsize,
    done: &AtomicBool,
    snapshots: &Mutex<Vec<Snapshot>>,
) -> Result<(), Halt> {
    for _ in 0..READS {
        if done.load(Ordering::SeqCst) {
            break;
        }
        let before = acknowledged.load(Ordering::SeqCst);
        let pages = stream.rest("-1").await?;
        let snapshot = Snapshot { content: pages.bytes(), acknowledged: before, shown_by: pages.last() };
        snapshots.lock().unwrap_or_else(PoisonError::into_inner).push(snapshot);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}
