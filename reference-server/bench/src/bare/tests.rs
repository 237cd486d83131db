use std::collections::BTreeMap;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::*;
use crate::requests::Root;

/// The sizes of an answer's header fields, by name.
async fn sizes(root: &Root, request: &[u8]) -> (String, BTreeMap<String, usize>) {
    let mut socket = TcpStream::connect(root.address).await.unwrap();
    let text =
        String::from_utf8(request.to_vec()).unwrap().replacen("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1);
    socket.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, _) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().to_owned();
    let fields = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.len()));
    (status, fields.filter(|(name, _)| name != "location").collect())
}

/// Otherwise the comparison would be with servers that send less.
#[tokio::test(flavor = "multi_thread")]
async fn the_bare_servers_send_as_many_bytes_as_the_reference() {
    let mut roots = Vec::new();
    for what in [Library::Reference, Library::Axum, Library::Hyper] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        roots.push(Root::at(listener.local_addr().unwrap()));
        tokio::spawn(what.serve(listener));
    }
    let tag = {
        let root = &roots[0];
        sizes(root, &root.put("a")).await;
        sizes(root, &root.post("a", &[b'x'; 64 * 1024])).await;
        let mut connection = crate::connection::Connection::to(root).await.unwrap();
        connection.ask(&root.get("a?offset=-1", "")).await.unwrap().entity_tag.unwrap()
    };
    let conditional = format!("If-None-Match: {tag}\r\n");
    for request in [
        |root: &Root, tag: &str| root.get("a?offset=-1", tag),
        |root: &Root, _: &str| root.get("a?offset=-1", ""),
        |root: &Root, _: &str| root.post("a", b"x"),
    ] {
        let of_reference = sizes(&roots[0], &request(&roots[0], &conditional)).await;
        for bare in &roots[1..] {
            assert_eq!(sizes(bare, &request(bare, &conditional)).await, of_reference);
        }
    }
}
