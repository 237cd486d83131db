//! How many requests a server answers in a second, and what each costs it.

use std::{
    io,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::task::LocalSet;

use crate::{connection::Connection, process::Server, requests::Root};

/// Requests a second.
pub(crate) struct Rate {
    pub(crate) a_second: f64,
}

/// Sends requests from `connections` at once for `time`; each takes the next of the requests in turn. Any other status is an error.
pub(crate) async fn rate(
    server: &Server,
    requests: Vec<Vec<u8>>,
    status: &'static [u16],
    connections: usize,
    time: Duration,
) -> io::Result<Rate> {
    let requests = Rc::new(requests);
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::to(&server.root).await?);
    }
    let tasks = LocalSet::new();
    let began = Instant::now();
    let until = began + time;
    let running: Vec<_> = open
        .into_iter()
        .enumerate()
        .map(|(number, mut connection)| {
            let requests = Rc::clone(&requests);
            tasks.spawn_local(async move {
                let mut at = number * requests.len() / connections;
                let mut done = 0_u64;
                while Instant::now() < until {
                    connection.expect(&requests[at % requests.len()], status).await?;
                    at += 1;
                    done += 1;
                }
                io::Result::Ok(done)
            })
        })
        .collect();
    tasks.await;
    let took = began.elapsed();
    let mut done = 0;
    for task in running {
        done += task.await.map_err(io::Error::other)??;
    }
    Ok(Rate { a_second: done as f64 / took.as_secs_f64() })
}

/// Sends all requests once, from 64 connections.
pub(crate) async fn once(
    root: &Root,
    requests: Vec<Vec<u8>>,
    status: &'static [u16],
) -> io::Result<Duration> {
    const CONNECTIONS: usize = 64;
    let requests = Rc::new(requests);
    let tasks = LocalSet::new();
    let began = Instant::now();
    let running: Vec<_> = (0..CONNECTIONS.min(requests.len()))
        .map(|first| {
            let (requests, root) = (Rc::clone(&requests), root.clone());
            tasks.spawn_local(async move {
                let mut connection = Connection::to(&root).await?;
                for request in requests.iter().skip(first).step_by(CONNECTIONS) {
                    connection.expect(request, status).await?;
                }
                io::Result::Ok(())
            })
        })
        .collect();
    tasks.await;
    for task in running {
        task.await.map_err(io::Error::other)??;
    }
    Ok(began.elapsed())
}
