//! What hostile and broken targets do.

mod answers;
mod endless;
mod framing;
pub(crate) mod midway;
mod orders;
mod silence;

use std::{future::Future, sync::Arc};

pub(crate) use self::orders::treacherous;
use crate::peer::{Asked, Peer, Serve, serve};

pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) serve: Serve,
    /// The exit statuses that are right.
    pub(crate) exits: &'static [i32],
    /// What has to be told; one of these.
    pub(crate) told: &'static [&'static str],
    /// How many cases may pass: none, unless the server keeps some rules.
    pub(crate) may_pass: u64,
    /// A run against it waits more than it works.
    pub(crate) waits: bool,
}

/// The target cannot be used.
const UNUSABLE: &[i32] = &[3];
/// A rule is seen broken.
const BROKEN: &[i32] = &[1];
/// Both are right: what comes first decides.
const EITHER: &[i32] = &[1, 3];

/// The server keeps rules.
const ANY: u64 = u64::MAX;

pub(crate) fn all() -> Vec<Attack> {
    [silence::attacks(), framing::attacks(), endless::attacks(), answers::attacks(), treacherous()]
        .into_iter()
        .flatten()
        .collect()
}

fn attack(name: &'static str, exits: &'static [i32], told: &'static [&'static str], serve: Serve) -> Attack {
    Attack { name, serve, exits, told, may_pass: 0, waits: false }
}

impl Attack {
    fn keeping_some_rules(self) -> Self {
        Self { may_pass: ANY, ..self }
    }

    fn waiting(self) -> Self {
        Self { waits: true, ..self }
    }
}

/// Says the same to whoever connects and asks, and hangs up.
fn saying(bytes: &'static [u8]) -> Serve {
    serve(move |mut peer| async move {
        peer.request().await;
        peer.send(bytes).await;
    })
}

/// No right answer to anything; to HEAD, which the suite asks first, it shows that somebody is there.
const NOT_DONE: &str = "HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\n\r\n";

/// Answers HEAD with 501, and all else with this.
fn answering(answer: impl Fn(&Asked) -> Vec<u8> + Send + Sync + 'static) -> Serve {
    let answer = Arc::new(answer);
    serve(move |mut peer| {
        let answer = Arc::clone(&answer);
        async move {
            while let Some(asked) = peer.request().await {
                let is_head = asked.method == "HEAD";
                let bytes = if is_head { NOT_DONE.into() } else { answer(&asked) };
                if !peer.send(bytes).await {
                    break;
                }
            }
        }
    })
}

/// Answers HEAD likewise; whatever else is asked comes to `then`, and with it the connection.
fn after_head<W: Future<Output = ()> + Send + 'static>(
    then: impl Fn(Peer) -> W + Send + Sync + 'static,
) -> Serve {
    let then = Arc::new(then);
    serve(move |mut peer| {
        let then = Arc::clone(&then);
        async move {
            while let Some(asked) = peer.request().await {
                if asked.method != "HEAD" {
                    return then(peer).await;
                }
                peer.send(NOT_DONE).await;
            }
        }
    })
}

/// Takes writes as a right server does, nearly; a read comes to `read`, which gives the connection back to go on.
fn half_right<W: Future<Output = Option<Peer>> + Send + 'static>(
    read: impl Fn(Peer, Asked) -> W + Send + Sync + 'static,
) -> Serve {
    let read = Arc::new(read);
    serve(move |mut peer| {
        let read = Arc::clone(&read);
        async move {
            while let Some(asked) = peer.request().await {
                if asked.method == "GET" {
                    match read(peer, asked).await {
                        Some(same) => peer = same,
                        None => break,
                    }
                } else if !peer.send(half_right_answer(&asked)).await {
                    break;
                }
            }
        }
    })
}

fn half_right_answer(asked: &Asked) -> &'static str {
    match asked.method.as_str() {
        "PUT" => {
            "HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nStream-Next-Offset: 0\r\nContent-Length: 0\r\n\r\n"
        }
        "POST" | "DELETE" => "HTTP/1.1 204 No Content\r\nStream-Next-Offset: 1\r\n\r\n",
        _ => NOT_DONE,
    }
}
