//! Targets that put orders for terminals and readers into whatever they may.

use super::{Attack, BROKEN, NOT_DONE, answering, attack};
use crate::{
    peer::{Asked, Serve, serve},
    treachery::ORDERS,
};

pub(crate) fn treacherous() -> Vec<Attack> {
    let everyone = answering(|asked| {
        let status = if asked.method == "GET" { 200 } else { 500 };
        answer(status, "text/plain", ORDERS).into_bytes()
    });
    vec![
        attack("sends orders to everyone", BROKEN, &["expected"], everyone),
        attack("sends orders to readers", BROKEN, &["expected"], readers()).keeping_some_rules(),
    ]
}

fn readers() -> Serve {
    serve(|mut peer| async move {
        while let Some(asked) = peer.request().await {
            if !peer.send(answer_to(&asked)).await {
                break;
            }
        }
    })
}

fn answer_to(asked: &Asked) -> String {
    let json = serde_json::json!([ORDERS]).to_string();
    match asked.method.as_str() {
        "PUT" => answer(201, "text/plain", ""),
        "GET" if asked.target.contains("live=sse") => {
            let events = format!("event: data\ndata: {ORDERS}\n\nevent: control\ndata: {json}\n\n");
            answer(200, "text/event-stream", &events)
        }
        "GET" => answer(200, "application/json", &json),
        "HEAD" => NOT_DONE.to_owned(),
        _ => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
    }
}

/// An answer with orders in every field that may hold them; control characters may not stand in a head.
fn answer(status: u16, media_type: &str, body: &str) -> String {
    let field: String = ORDERS.chars().filter(|order| !order.is_ascii_control()).collect();
    let length = body.len();
    format!(
        "HTTP/1.1 {status} {field}\r\nContent-Type: {media_type}\r\nLocation: {field}\r\nStream-Next-Offset: {field}\r\n\
         ETag: \"{field}\"\r\nX-Orders: {field}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}
