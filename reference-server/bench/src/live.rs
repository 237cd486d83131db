//! Readers that wait.

use std::{
    io,
    time::{Duration, Instant},
};

use futures_util::future::try_join_all;
use tokio::time::timeout;

use crate::{connection::Connection, process::Server};

/// So long a reader waits that was not woken: a bare server does not know of an append that came before its reader. A
/// server that keeps data wakes every reader, so what others lose is said.
const LOST: Duration = Duration::from_millis(500);

const CREATED: &[u16] = &[200, 201];
const APPENDED: &[u16] = &[200, 204];

/// How long it takes from an append until the waiting long-poll has its answer: the median of some.
pub(crate) async fn wake_up(server: &Server, stream: &str, times: usize) -> io::Result<Duration> {
    let root = &server.root;
    let (mut writer, mut reader) = (Connection::to(root).await?, Connection::to(root).await?);
    let created = writer.expect(&root.put(stream), CREATED).await?;
    let mut tail =
        created.next_offset.ok_or_else(|| io::Error::other("the answer to PUT names no offset"))?;
    let post = root.post(stream, &[b'x'; 100]);
    let (mut waits, mut lost) = (Vec::new(), 0);
    for _ in 0..times {
        reader.send(&root.get(&format!("{stream}?offset={tail}&live=long-poll"), "")).await?;
        // Until the reader waits.
        tokio::time::sleep(Duration::from_millis(2)).await;
        let began = Instant::now();
        writer.send(&post).await?;
        let Ok(woken) = timeout(LOST, reader.answer()).await else {
            writer.answer().await?;
            tail = writer.expect(&post, APPENDED).await?.next_offset.unwrap_or(tail);
            reader.answer().await?;
            lost += 1;
            continue;
        };
        let woken = woken?;
        waits.push(began.elapsed());
        if woken.status != 200 {
            return Err(io::Error::other(format!(
                "{}: a long-poll was answered {}",
                server.name, woken.status
            )));
        }
        tail = writer.answer().await?.next_offset.unwrap_or(tail);
    }
    writer.ask(&root.delete(stream)).await?;
    if lost > 0 {
        eprintln!("{}: {lost} of {times} readers were not woken within {LOST:?}", server.name);
    }
    waits.sort_unstable();
    waits.get(waits.len() / 2).copied().ok_or_else(|| io::Error::other("no reader was woken"))
}

/// Events a second that reach all readers of one stream, each append sent when the one before has reached all.
pub(crate) async fn fan_out(
    server: &Server,
    stream: &str,
    readers: usize,
    appends: usize,
) -> io::Result<f64> {
    let root = &server.root;
    let mut writer = Connection::to(root).await?;
    writer.expect(&root.put(stream), CREATED).await?;
    let mut open = Vec::new();
    for _ in 0..readers {
        let mut reader = Connection::to(root).await?;
        reader.send(&root.get(&format!("{stream}?offset=-1&live=sse"), "")).await?;
        let head = reader.head().await?;
        if head.status != 200 {
            return Err(io::Error::other(format!(
                "{}: an event stream was answered {}",
                server.name, head.status
            )));
        }
        open.push(reader);
    }
    let mut took = Duration::ZERO;
    for number in 0..appends {
        let mark = format!("{number:0>100}");
        let post = root.post(stream, mark.as_bytes());
        let began = Instant::now();
        writer.expect(&post, APPENDED).await?;
        try_join_all(open.iter_mut().map(|reader| reader.skip_past(mark.as_bytes()))).await?;
        took += began.elapsed();
    }
    drop(open);
    writer.ask(&root.delete(stream)).await?;
    Ok((readers * appends) as f64 / took.as_secs_f64())
}
