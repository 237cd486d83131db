use std::{io, time::Duration};

use bytes::Bytes;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::wire::{Body, request::Plan};

/// Up to this size a body goes out in one write with its head, as common clients do it.
const JOINED: usize = 16 * 1024;

pub(super) async fn send(writer: &mut (impl AsyncWrite + Unpin), plan: &Plan) -> io::Result<()> {
    let mut head = head(plan);
    match &plan.body {
        Body::Absent => writer.write_all(&head).await?,
        Body::Bytes(bytes) if bytes.len() <= JOINED => {
            head.extend_from_slice(bytes);
            writer.write_all(&head).await?;
        }
        Body::Bytes(bytes) => {
            writer.write_all(&head).await?;
            writer.write_all(bytes).await?;
        }
        Body::Chunked { chunks, pause } => {
            writer.write_all(&head).await?;
            send_chunks(writer, chunks, *pause).await?;
        }
    }
    writer.flush().await
}

async fn send_chunks(
    writer: &mut (impl AsyncWrite + Unpin),
    chunks: &[Bytes],
    pause: Duration,
) -> io::Result<()> {
    for (index, chunk) in chunks.iter().filter(|chunk| !chunk.is_empty()).enumerate() {
        if index > 0 && !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        let mut framed = format!("{:x}\r\n", chunk.len()).into_bytes();
        framed.extend_from_slice(chunk);
        framed.extend_from_slice(b"\r\n");
        writer.write_all(&framed).await?;
        writer.flush().await?;
    }
    writer.write_all(b"0\r\n\r\n").await
}

fn head(plan: &Plan) -> Vec<u8> {
    let mut head = format!("{} {} HTTP/1.1\r\n", plan.method, plan.target.path_and_query).into_bytes();
    for (name, value) in plan.headers.iter() {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(if value.is_empty() { b":" } else { b": " });
        head.extend_from_slice(value);
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}
