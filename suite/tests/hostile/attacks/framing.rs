//! Targets that lie about what they send.

use std::{
    io::{Read as _, Write as _},
    sync::{Arc, LazyLock},
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};
use tokio::time::sleep;

use super::{Attack, BROKEN, EITHER, after_head, answering, attack, half_right};

pub(super) fn attacks() -> Vec<Attack> {
    let lies =
        |name, told, answer: &'static str| attack(name, BROKEN, told, answering(move |_| answer.into()));
    let waits = after_head(|mut peer| async move {
        peer.send("HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\nhello").await;
        peer.hang().await;
    });
    let trickles = half_right(|mut peer, _| async move {
        peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n").await;
        while peer.send("x").await {
            sleep(Duration::from_millis(100)).await;
        }
        None
    });
    vec![
        lies(
            "says a negative length",
            &["is no number"],
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhello",
        ),
        lies(
            "says a length beyond all numbers",
            &["is no number"],
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nhello",
        ),
        lies(
            "says two lengths",
            &["several different Content-Lengths"],
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 5\r\n\r\nhello",
        ),
        lies(
            "says a length and sends no chunks",
            &["announces no chunk"],
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n",
        ),
        lies(
            "says a chunk beyond all numbers",
            &["announces no chunk"],
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello",
        ),
        lies("says a length too short", &["201"], "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nhello"),
        attack("says a length too long, and hangs up", BROKEN, &["announced bytes"], answering_and_leaving()),
        attack(
            "says a length too long, and waits",
            EITHER,
            &["no end of its body", "unfinished", "has ceased to answer"],
            waits,
        )
        .waiting(),
        attack("trickles bodies", EITHER, &["unfinished", "end of its body", "event stream"], trickles)
            .keeping_some_rules()
            .waiting(),
        attack("compresses, though not asked to", BROKEN, &["201"], bombs()),
    ]
}

fn answering_and_leaving() -> crate::peer::Serve {
    after_head(|mut peer| async move {
        peer.send("HTTP/1.1 201 Created\r\nContent-Length: 18446744073709551615\r\n\r\nhello").await;
    })
}

/// Every answer is small, and 64 MiB to whoever unpacks it.
fn bombs() -> crate::peer::Serve {
    static BOMB: LazyLock<Arc<Vec<u8>>> = LazyLock::new(|| {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        std::io::copy(&mut std::io::repeat(0).take(64 << 20), &mut packed).expect("memory takes it");
        packed.flush().expect("memory takes it");
        Arc::new(packed.finish().expect("memory takes it"))
    });
    answering(|_| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
            BOMB.len()
        );
        [head.as_bytes(), &BOMB].concat()
    })
}
