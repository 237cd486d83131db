//! What things cost in memory while they rest, each seen on a server that has done nothing else.

use std::{io, time::Duration};

use tokio::time::sleep;

use crate::{connection::Connection, process::Server, rates};

const CREATED: &[u16] = &[200, 201];
const APPENDED: &[u16] = &[200, 204];

/// Until a server has settled.
const SETTLING: Duration = Duration::from_millis(300);

/// Until an allocator gives back what it has not been asked for again.
const GIVING_BACK: Duration = Duration::from_secs(2);

/// Bytes an idle stream.
pub(crate) async fn of_idle_streams(server: &Server, prefix: &str, number: usize) -> io::Result<Option<f64>> {
    let root = &server.root;
    let before = settled(server).await;
    let puts = (0..number).map(|stream| root.put(&format!("{prefix}-{stream}"))).collect();
    rates::once(root, puts, CREATED).await?;
    let after = settled(server).await;
    Ok(each(before, after, number))
}

/// Bytes a stream of 1 KiB that is not there any more: what is not given back.
pub(crate) async fn of_deleted_streams(
    server: &Server,
    prefix: &str,
    number: usize,
) -> io::Result<Option<f64>> {
    let root = &server.root;
    let names: Vec<String> = (0..number).map(|stream| format!("{prefix}-{stream}")).collect();
    let before = settled(server).await;
    rates::once(root, names.iter().map(|name| root.put(name)).collect(), CREATED).await?;
    rates::once(root, names.iter().map(|name| root.post(name, &[b'x'; 1024])).collect(), APPENDED).await?;
    rates::once(root, names.iter().map(|name| root.delete(name)).collect(), APPENDED).await?;
    // An allocator gives back after a while, when it is asked for something else.
    sleep(GIVING_BACK).await;
    rates::once(root, names.iter().take(2000).map(|name| root.put(name)).collect(), CREATED).await?;
    rates::once(root, names.iter().take(2000).map(|name| root.delete(name)).collect(), APPENDED).await?;
    let after = settled(server).await;
    Ok(each(before, after, number))
}

/// Bytes a message of 100 bytes, beside others in one stream.
pub(crate) async fn of_messages(server: &Server, stream: &str, number: usize) -> io::Result<Option<f64>> {
    let root = &server.root;
    let mut connection = Connection::to(root).await?;
    connection.expect(&root.put(stream), CREATED).await?;
    let post = root.post(stream, &[b'x'; 100]);
    let before = settled(server).await;
    rates::once(root, vec![post; number], APPENDED).await?;
    let after = settled(server).await;
    Ok(each(before, after, number))
}

/// Bytes a reader that waits in a long-poll, its connection included.
pub(crate) async fn of_readers(server: &Server, stream: &str, number: usize) -> io::Result<Option<f64>> {
    let root = &server.root;
    let mut connection = Connection::to(root).await?;
    let created = connection.expect(&root.put(stream), CREATED).await?;
    let tail = created.next_offset.unwrap_or_default();
    let before = settled(server).await;
    let poll = root.get(&format!("{stream}?offset={tail}&live=long-poll"), "");
    let mut waiting = Vec::new();
    for _ in 0..number {
        let mut reader = Connection::to(root).await?;
        reader.send(&poll).await?;
        waiting.push(reader);
    }
    let after = settled(server).await;
    drop(waiting);
    Ok(each(before, after, number))
}

pub(crate) async fn settled(server: &Server) -> Option<u64> {
    sleep(SETTLING).await;
    server.memory()
}

/// What is held when there was time to give back.
pub(crate) async fn given_back(server: &Server) -> Option<u64> {
    sleep(GIVING_BACK).await;
    server.memory()
}

fn each(before: Option<u64>, after: Option<u64>, number: usize) -> Option<f64> {
    Some(after?.saturating_sub(before?) as f64 / number as f64)
}
