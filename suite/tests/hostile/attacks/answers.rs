//! Targets that answer everything the same.

use super::{Attack, BROKEN, EITHER, answering, attack};

pub(super) fn attacks() -> Vec<Attack> {
    let same =
        |name, told, answer: &'static str| attack(name, BROKEN, told, answering(move |_| answer.into()));
    let patience = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 99999999\r\nContent-Length: 0\r\n\r\n";
    vec![
        same("answers an empty 200", &["200"], "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        same("answers 418", &["418"], "HTTP/1.1 418 I'm a teapot\r\nContent-Length: 0\r\n\r\n"),
        // To deletions of what is not there this is right.
        same("answers 404", &["404"], "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            .keeping_some_rules(),
        same("answers 500", &["500"], "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"),
        same("answers 999", &["999"], "HTTP/1.1 999 Beyond\r\nContent-Length: 0\r\n\r\n"),
        same(
            "redirects for ever",
            &["302"],
            "HTTP/1.1 302 Found\r\nLocation: /v1/stream/again\r\nContent-Length: 0\r\n\r\n",
        ),
        same("switches protocols", &["101"], "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
        Attack { exits: EITHER, waits: true, ..same("asks for patience", &["429"], patience) },
    ]
}
