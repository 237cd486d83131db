//! Targets that never stop sending, and those that send as much as is read.

use super::{ANY, Attack, BROKEN, EITHER, NOT_DONE, UNUSABLE, after_head, answering, attack, half_right};
use crate::peer::{Serve, serve};

pub(super) fn attacks() -> Vec<Attack> {
    [heads(), bodies(), events(), much()].into_iter().flatten().collect()
}

fn heads() -> Vec<Attack> {
    let flooding = |name, begin: &'static str, more: &'static str| {
        let serve = serve(move |mut peer| async move {
            peer.request().await;
            peer.send(begin).await;
            peer.flood(more).await;
        });
        attack(name, UNUSABLE, &["head of the answer is too large"], serve)
    };
    vec![
        flooding("sends a header line without end", "HTTP/1.1 200 OK\r\nX: ", "x"),
        flooding("sends headers without end", "HTTP/1.1 200 OK\r\n", "X: y\r\n"),
        flooding("sends interim answers without end", "", "HTTP/1.1 102 Processing\r\n\r\n"),
    ]
}

const CUT: &[&str] =
    &["cut by the limit", "holds no more than", "larger than the", "chunks, and no more are read"];

fn bodies() -> Vec<Attack> {
    let flooding = |head: &'static str, more: &'static str| {
        after_head(move |mut peer| async move {
            peer.send(head).await;
            peer.flood(more).await;
        })
    };
    const CHUNKS: &str = "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n";
    const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nStream-Next-Offset: 1\r\nStream-Up-To-Date: true\r\n\r\n";
    const JSON: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nStream-Next-Offset: 1\r\n\r\n";
    vec![
        attack("sends bodies without end", EITHER, CUT, flooding("HTTP/1.1 201 Created\r\n\r\n", "x")),
        attack("sends chunks without end", EITHER, CUT, flooding(CHUNKS, "1\r\nx\r\n")),
        attack("sends a chunk line without end", EITHER, &["chunk"], flooding(CHUNKS, "0")),
        attack("sends pages without end", EITHER, CUT, reads(PAGE, "0123456789abcdef")).keeping_some_rules(),
        attack("sends JSON that never closes", EITHER, CUT, reads(JSON, "[[[[[[[[")).keeping_some_rules(),
    ]
}

fn events() -> Vec<Attack> {
    const EVENTS: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    let flooding = |name, more: &'static str| {
        attack(name, EITHER, &["event stream"], reads(EVENTS, more)).keeping_some_rules()
    };
    vec![
        flooding("sends an event line without end", "data: x"),
        flooding("sends small events without end", "data:\n\n"),
        flooding(
            "sends control events without end",
            "event: control\ndata: {\"streamNextOffset\":\"1\"}\n\n",
        ),
        flooding("sends comments without end", ":\n\n"),
        flooding("sends an event of lines without end", "data: x\n"),
    ]
}

fn reads(head: &'static str, more: &'static str) -> Serve {
    half_right(move |mut peer, _| async move {
        peer.send(head).await;
        peer.flood(more).await;
        None
    })
}

fn much() -> Vec<Attack> {
    let large_head = || {
        let padding = format!("X-Padding: {}\r\n", "x".repeat(1000)).repeat(60);
        format!("HTTP/1.1 200 OK\r\n{padding}Stream-Next-Offset: 0\r\nContent-Length: 0\r\n\r\n")
    };
    let large_heads = answering(move |_| large_head().into_bytes());
    let large_heads_of_reads =
        half_right(move |mut peer, _| async move { peer.send(large_head()).await.then_some(peer) });
    let large_bodies = serve(|mut peer| async move {
        const PIECE: &[u8] = &[b'x'; 1 << 20];
        while let Some(asked) = peer.request().await {
            if asked.method == "HEAD" {
                peer.send(NOT_DONE).await;
                continue;
            }
            peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 7 * PIECE.len())).await;
            for _ in 0..7 {
                if !peer.send(PIECE).await {
                    return;
                }
            }
        }
    });
    let pages = half_right(|mut peer, asked| async move {
        let page = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1\r\nStream-Next-Offset: {:016}\r\n\r\nx",
            asked.before
        );
        peer.send(page).await.then_some(peer)
    });
    vec![
        attack("sends the largest heads that are read", BROKEN, &["expected"], large_heads)
            .keeping_some_rules(),
        attack("reads with the largest heads", BROKEN, &["expected"], large_heads_of_reads)
            .keeping_some_rules(),
        attack("sends the largest bodies that are read", EITHER, &["201"], large_bodies),
        Attack {
            may_pass: ANY,
            ..attack("leads on without end", BROKEN, &["each leads on to another one"], pages)
        },
    ]
}
