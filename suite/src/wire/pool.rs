use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use super::{Endpoint, h1, h2};

/// How long a connection may rest before it is used again. Servers close idle connections after five seconds
/// and more; one that rested this short is not about to be closed under the next request.
const LONGEST_REST: Duration = Duration::from_secs(1);

/// How many connections to one endpoint may rest.
const MOST_RESTING: usize = 64;

/// A connection on which another request can be made.
pub(super) enum Idle {
    H1(h1::Connection),
    H2(h2::Connection),
}

/// Connections that rest between requests. Each serves one request at a time, HTTP/2 ones too, so that no
/// exchange can slow or break another.
#[derive(Default)]
pub(super) struct Pool {
    resting: Mutex<HashMap<Endpoint, Vec<(Instant, Idle)>>>,
}

impl Pool {
    /// The connection that rested shortest, if one is still usable.
    pub(super) fn take(&self, endpoint: &Endpoint) -> Option<Idle> {
        let mut resting = self.resting.lock().ok()?;
        sweep(&mut resting);
        let connections = resting.get_mut(endpoint)?;
        while let Some((_, mut idle)) = connections.pop() {
            let usable = match &mut idle {
                Idle::H1(connection) => connection.is_quiet(),
                Idle::H2(connection) => connection.is_ready(),
            };
            if usable {
                return Some(idle);
            }
        }
        None
    }

    pub(super) fn put(&self, endpoint: Endpoint, idle: Idle) {
        let Ok(mut resting) = self.resting.lock() else { return };
        sweep(&mut resting);
        let connections = resting.entry(endpoint).or_default();
        if connections.len() < MOST_RESTING {
            connections.push((Instant::now(), idle));
        }
    }
}

fn sweep(resting: &mut HashMap<Endpoint, Vec<(Instant, Idle)>>) {
    resting.retain(|_, connections| {
        connections.retain(|(since, _)| since.elapsed() < LONGEST_REST);
        !connections.is_empty()
    });
}
