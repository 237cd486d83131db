//! Whether the reference server's costs stay flat while it grows, and whether it gives memory back.

use std::{io, time::Duration};

use crate::{connection::Connection, memory, process, rates};

pub(crate) async fn measure(quick: bool) -> io::Result<()> {
    let reference = process::built_in().pop().ok_or_else(|| io::Error::other("no server"))?;
    let (streams, pieces) = if quick { (10_000, 64) } else { (1_000_000, 1024) };
    let server = process::start(reference.clone()).await?;
    streams_grow(&server, streams).await?;
    drop(server);
    let server = process::start(reference).await?;
    one_stream_grows(&server, pieces).await
}

async fn streams_grow(server: &process::Server, streams: usize) -> io::Result<()> {
    let root = &server.root;
    println!("\n| streams | create | append 100 bytes | resident memory |\n|---:|---:|---:|---:|");
    let tenth = streams / 10;
    for part in 0..10 {
        let names: Vec<String> =
            (part * tenth..(part + 1) * tenth).map(|number| format!("s-{number}")).collect();
        let created = rates::once(root, names.iter().map(|name| root.put(name)).collect(), &[201]).await?;
        let posts: Vec<Vec<u8>> =
            names.iter().step_by(10).map(|name| root.post(name, &[b'x'; 100])).collect();
        let number = posts.len();
        let appended = rates::once(root, posts, &[204]).await?;
        println!(
            "| {} | {} | {} | {} |",
            (part + 1) * tenth,
            each(created, tenth),
            each(appended, number),
            mebibytes(memory::settled(server).await)
        );
    }
    let deletes = (0..streams).map(|number| root.delete(&format!("s-{number}"))).collect();
    let deleted = rates::once(root, deletes, &[204]).await?;
    println!(
        "\nAll deleted, {} each: {} of memory are left.",
        each(deleted, streams),
        mebibytes(memory::given_back(server).await)
    );
    Ok(())
}

async fn one_stream_grows(server: &process::Server, pieces: usize) -> io::Result<()> {
    const PIECE: usize = 1 << 20;
    let root = &server.root;
    let mut connection = Connection::to(root).await?;
    let mut tail = connection.expect(&root.put("one"), &[201]).await?.next_offset.unwrap_or_default();
    let large = root.post("one", &vec![b'x'; PIECE]);
    let small = root.post("one", &[b'x'; 100]);
    println!(
        "\n| MiB in one stream | append 1 MiB | append 100 bytes | read at the tail | resident memory |"
    );
    println!("|---:|---:|---:|---:|---:|");
    let part = pieces / 8;
    for eighth in 1..=8 {
        let (mut of_large, mut of_small, mut of_reads) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
        for _ in 0..part {
            let began = std::time::Instant::now();
            let appended = connection.expect(&large, &[204]).await?;
            of_large += began.elapsed();
            tail = appended.next_offset.unwrap_or(tail);
        }
        const SMALL: usize = 1000;
        for _ in 0..SMALL {
            let began = std::time::Instant::now();
            let appended = connection.expect(&small, &[204]).await?;
            of_small += began.elapsed();
            let read = root.get(&format!("one?offset={tail}"), "");
            let began = std::time::Instant::now();
            connection.expect(&read, &[200]).await?;
            of_reads += began.elapsed();
            tail = appended.next_offset.unwrap_or(tail);
        }
        println!(
            "| {} | {} | {} | {} | {} |",
            eighth * part,
            each(of_large, part),
            each(of_small, SMALL),
            each(of_reads, SMALL),
            mebibytes(memory::settled(server).await)
        );
    }
    connection.expect(&root.delete("one"), &[204]).await?;
    println!("\nDeleted: {} of memory are left.", mebibytes(memory::given_back(server).await));
    Ok(())
}

fn each(time: Duration, number: usize) -> String {
    format!("{:.1} us", time.as_secs_f64() * 1e6 / number as f64)
}

fn mebibytes(bytes: Option<u64>) -> String {
    bytes.map_or("unknown".to_owned(), |bytes| format!("{} MiB", bytes >> 20))
}
