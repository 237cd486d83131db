//! What is measured, and in which order: each round asks every server in turn, so that all see the same machine.

use std::{io, time::Duration};

use crate::{
    connection::Connection,
    live, memory,
    process::{Server, own_work},
    rates,
    table::{self, Unit},
};

/// How much is done for a figure.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    rounds: usize,
    /// Of one measurement of a rate.
    time: Duration,
    /// Streams, messages.
    many: usize,
    /// Waiting readers.
    readers: usize,
}

impl Effort {
    pub(crate) fn new(quick: bool, rounds: usize) -> Self {
        match quick {
            false => Self { rounds, time: Duration::from_secs(1), many: 100_000, readers: 1000 },
            true => {
                Self { rounds: rounds.min(3), time: Duration::from_millis(200), many: 5_000, readers: 200 }
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Line {
    AppendOne,
    AppendMany,
    CatchUp,
    NotModified,
    WakeUp,
    FanOut,
    IdleStream,
    Message,
    WaitingReader,
    DeletedStream,
}

const LINES: [(Line, &str, Unit); 10] = [
    (Line::AppendOne, "appends of 100 bytes to one stream, 64 connections", Unit::ASecond),
    (Line::AppendMany, "appends of 100 bytes to 1,000 streams, 64 connections", Unit::ASecond),
    (Line::CatchUp, "reads of 64 KiB, 16 connections", Unit::ASecond),
    (Line::NotModified, "conditional reads answered 304, 64 connections", Unit::ASecond),
    (Line::WakeUp, "from an append to the answer of a waiting long-poll", Unit::Microseconds),
    (Line::FanOut, "events to readers of one event stream, all together", Unit::ASecond),
    (Line::IdleStream, "memory of an idle stream", Unit::Bytes),
    (Line::Message, "memory of a message of 100 bytes", Unit::Bytes),
    (Line::WaitingReader, "memory of a waiting reader", Unit::Bytes),
    (Line::DeletedStream, "memory still held for a deleted stream of 1 KiB", Unit::Bytes),
];

pub(crate) async fn measure(servers: &[Server], effort: Effort, only: &str) -> io::Result<()> {
    for (line, name, unit) in LINES.into_iter().filter(|(_, name, _)| name.contains(only)) {
        let mut figures = vec![Vec::new(); servers.len()];
        let mut work = vec![Duration::ZERO; servers.len()];
        let mut has_failed = vec![false; servers.len()];
        for round in 0..effort.rounds {
            for (at, server) in
                servers.iter().enumerate().filter(|(at, _)| !has_failed[*at]).collect::<Vec<_>>()
            {
                let before = server.work();
                match look(line, server, effort, &format!("bench-{round}")).await {
                    Ok(value) => figures[at].extend(value),
                    // The others are measured all the same.
                    Err(error) => {
                        eprintln!("{}: {name}: {error}; it is left out of this line", server.name);
                        has_failed[at] = true;
                        figures[at].clear();
                    }
                }
                work[at] +=
                    server.work().zip(before).map_or(Duration::ZERO, |(after, before)| after - before);
            }
        }
        let medians: Vec<(&str, Option<f64>)> = servers
            .iter()
            .zip(figures)
            .map(|(server, values)| (server.name.as_str(), table::median(values)))
            .collect();
        table::print(name, unit, &medians);
        if matches!(unit, Unit::ASecond) {
            print_costs(servers, &medians, &work, effort);
        }
    }
    if let Some(own) = own_work() {
        println!("\nThe load itself took {:.1} s of processor time.", own.as_secs_f64());
    }
    Ok(())
}

/// Processor time a request: it tells more than a rate where the machine has other work, too.
fn print_costs(servers: &[Server], medians: &[(&str, Option<f64>)], work: &[Duration], effort: Effort) {
    let time = effort.time.as_secs_f64() * effort.rounds as f64;
    let costs = servers.iter().zip(medians).zip(work).filter_map(|((server, (_, rate)), work)| {
        let requests = rate.filter(|rate| *rate > 0.0)? * time;
        Some(format!("{} {:.1}", server.name, work.as_secs_f64() * 1e6 / requests))
    });
    println!("\nProcessor time of the server, us each: {}", costs.collect::<Vec<_>>().join(", "));
}

/// One measurement; none where the system does not tell.
async fn look(line: Line, server: &Server, effort: Effort, name: &str) -> io::Result<Option<f64>> {
    let root = &server.root;
    let Effort { time, many, readers, .. } = effort;
    match line {
        Line::AppendOne => append(server, 1, time, name).await.map(Some),
        Line::AppendMany => append(server, 1000, time, name).await.map(Some),
        Line::CatchUp => {
            filled(server, name).await?;
            let read = root.get(&format!("{name}?offset=-1"), "");
            let rate = rates::rate(server, vec![read], &[200], 16, time).await?.a_second;
            remove(server, 1, name).await.map(|()| Some(rate))
        }
        Line::NotModified => {
            filled(server, name).await?;
            let path = format!("{name}?offset=-1");
            let tag = Connection::to(root).await?.expect(&root.get(&path, ""), &[200]).await?.entity_tag;
            let conditional = root.get(&path, &format!("If-None-Match: {}\r\n", tag.unwrap_or_default()));
            let rate = rates::rate(server, vec![conditional], &[304], 64, time).await?.a_second;
            remove(server, 1, name).await.map(|()| Some(rate))
        }
        Line::WakeUp => {
            let wait = live::wake_up(server, name, if many > 5_000 { 200 } else { 20 }).await?;
            Ok(Some(wait.as_secs_f64() * 1e6))
        }
        Line::FanOut => live::fan_out(server, name, readers, 20).await.map(Some),
        Line::IdleStream | Line::Message | Line::WaitingReader | Line::DeletedStream => {
            let Some(server) = &server.anew().await? else { return Ok(None) };
            match line {
                Line::IdleStream => memory::of_idle_streams(server, name, many).await,
                Line::Message => memory::of_messages(server, name, many).await,
                Line::DeletedStream => memory::of_deleted_streams(server, name, many).await,
                _ => memory::of_readers(server, name, readers).await,
            }
        }
    }
}

async fn append(server: &Server, streams: usize, time: Duration, name: &str) -> io::Result<f64> {
    let root = &server.root;
    let names: Vec<String> = (0..streams).map(|number| of_many(name, number)).collect();
    rates::once(root, names.iter().map(|name| root.put(name)).collect(), &[200, 201]).await?;
    let posts = names.iter().map(|name| root.post(name, &[b'x'; 100])).collect();
    let rate = rates::rate(server, posts, &[200, 204], 64, time).await?;
    remove(server, streams, name).await?;
    Ok(rate.a_second)
}

/// A stream of 64 KiB, in messages of 1 KiB.
async fn filled(server: &Server, name: &str) -> io::Result<()> {
    let root = &server.root;
    let name = of_many(name, 0);
    let mut connection = Connection::to(root).await?;
    connection.expect(&root.put(&name), &[200, 201]).await?;
    let post = root.post(&name, &[b'x'; 1024]);
    for _ in 0..64 {
        connection.expect(&post, &[200, 204]).await?;
    }
    Ok(())
}

async fn remove(server: &Server, streams: usize, name: &str) -> io::Result<()> {
    let deletes = (0..streams).map(|number| server.root.delete(&of_many(name, number))).collect();
    rates::once(&server.root, deletes, &[200, 204]).await.map(drop)
}

fn of_many(name: &str, number: usize) -> String {
    match number {
        0 => name.to_owned(),
        _ => format!("{name}-{number}"),
    }
}
