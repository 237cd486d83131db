//! Targets that do not answer, or not in HTTP.

use std::time::Duration;

use tokio::time::sleep;

use super::{Attack, EITHER, UNUSABLE, after_head, attack, half_right, saying};
use crate::peer::{Peer, serve};

const NO_ANSWER: &[&str] = &["no answer within"];
const CLOSED: &[&str] = &["closed the connection before it answered"];
const BROKE: &[&str] = &["the connection broke before the server answered"];

pub(super) fn attacks() -> Vec<Attack> {
    [from_the_beginning(), in_other_protocols(), after_the_head()].into_iter().flatten().collect()
}

fn from_the_beginning() -> Vec<Attack> {
    let request_then_reset = |mut peer: Peer| async move {
        peer.request().await;
        peer.reset();
    };
    vec![
        attack("never answers", UNUSABLE, NO_ANSWER, serve(Peer::hang)).waiting(),
        attack(
            "hangs up at once",
            UNUSABLE,
            &["before it answered", "before the server answered"],
            serve(Peer::leave),
        ),
        attack("hangs up after the request", UNUSABLE, CLOSED, saying(b"")),
        attack("resets", UNUSABLE, BROKE, serve(request_then_reset)),
        attack("trickles a head", UNUSABLE, NO_ANSWER, serve(trickle_a_head)).waiting(),
        attack(
            "breaks off inside the head",
            UNUSABLE,
            &["(22 bytes had come)"],
            saying(b"HTTP/1.1 200 OK\r\nConte"),
        ),
    ]
}

async fn trickle_a_head(mut peer: Peer) {
    peer.request().await;
    for byte in b"HTTP/1.1 200 OK\r\nX: ".iter().chain([b'x'].iter().cycle()) {
        if !peer.send([*byte]).await {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
}

fn in_other_protocols() -> Vec<Attack> {
    let speaks = |name, bytes| attack(name, UNUSABLE, &["the answer is not HTTP"], saying(bytes));
    vec![
        speaks("speaks SSH", b"SSH-2.0-OpenSSH_9.9\r\n"),
        speaks("speaks TLS", b"\x15\x03\x01\x00\x02\x02\x28"),
        speaks("speaks HTTP/2", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80"),
        speaks("speaks HTTP/0.9", b"<html>hello</html>"),
        speaks("sends orders for the terminal", b"\x1b[2J\x1b]0;owned\x07\x00\xe2\x80\xae"),
        speaks("sends control bytes in the status line", b"HTTP/1.1 200 \x1b[2J\r\n\r\n"),
        speaks("sends control bytes in a header", b"HTTP/1.1 200 OK\r\nX: \x1b[2J\0\r\n\r\n"),
        speaks("sends a status of four digits", b"HTTP/1.1 2000 OK\r\n\r\n"),
        speaks("sends a status below 100", b"HTTP/1.1 007 Bond\r\n\r\n"),
    ]
}

fn after_the_head() -> Vec<Attack> {
    let hang_on_reads = half_right(|peer, _| async move {
        peer.hang().await;
        None
    });
    vec![
        attack("answers HEAD and nothing else", EITHER, NO_ANSWER, after_head(Peer::hang)).waiting(),
        attack("answers HEAD and resets the rest", EITHER, BROKE, after_head(reset)),
        attack("answers HEAD and hangs up on the rest", EITHER, CLOSED, after_head(Peer::leave)),
        attack("takes writes and never answers reads", EITHER, NO_ANSWER, hang_on_reads)
            .keeping_some_rules()
            .waiting(),
    ]
}

async fn reset(peer: Peer) {
    peer.reset();
}
