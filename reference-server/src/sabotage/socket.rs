//! Faults below HTTP: bytes behind the end of a message, and names of headers taken literally. An HTTP
//! library would repair them, so they are made on the socket itself.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, ready},
};

use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What goes wrong on a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SocketEdit {
    /// Bytes written behind the response.
    pub(super) surplus: String,
    /// Headers that are known in this spelling only.
    pub(super) exact_names: Vec<String>,
}

/// What the service wants to be written behind the response that it is about to return.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surplus(Arc<Mutex<Order>>);

#[derive(Debug, Default)]
struct Order {
    bytes: Vec<u8>,
    /// The response has been written, at least its beginning.
    response_began: bool,
}

impl Surplus {
    pub(super) fn order(&self, bytes: &str) {
        let mut order = self.lock();
        order.bytes = bytes.as_bytes().to_vec();
        order.response_began = false;
    }

    fn lock(&self) -> MutexGuard<'_, Order> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// A connection that does such things.
pub(crate) struct TamperedSocket<S> {
    socket: S,
    surplus: Surplus,
    exact_names: Arc<[String]>,
}

impl<S> TamperedSocket<S> {
    pub(super) fn new(socket: S, surplus: Surplus, exact_names: Arc<[String]>) -> Self {
        Self { socket, surplus, exact_names }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TamperedSocket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.socket).poll_read(context, buffer));
        for name in self.exact_names.iter() {
            hide_other_spellings(&mut buffer.filled_mut()[before..], name);
        }
        Poll::Ready(read)
    }
}

/// Gives a header that is spelled otherwise a name that nobody knows.
fn hide_other_spellings(bytes: &mut [u8], name: &str) {
    let line_start = 2;
    let length = line_start + name.len() + 1;
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(bytes.len());
    for at in 0..head.saturating_sub(length - 1) {
        let (start, found) = (&bytes[at..at + line_start], &bytes[at + line_start..at + length - 1]);
        let is_header = start == b"\r\n" && bytes[at + length - 1] == b':';
        if is_header && found.eq_ignore_ascii_case(name.as_bytes()) && found != name.as_bytes() {
            bytes[at + line_start] = b'Q';
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TamperedSocket<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.socket).poll_write(context, bytes));
        self.surplus.lock().response_began = true;
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let surplus = self.surplus.clone();
        let mut order = surplus.lock();
        while order.response_began && !order.bytes.is_empty() {
            let written = ready!(Pin::new(&mut self.socket).poll_write(context, &order.bytes))?;
            order.bytes.drain(..written);
        }
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_spelling_is_left() {
        let mut head = *b"PUT / HTTP/1.1\r\nstream-seq: a\r\nStream-Seq: b\r\nHost: x\r\n\r\nstream-seq: c";
        hide_other_spellings(&mut head, "Stream-Seq");
        let text = std::str::from_utf8(&head).unwrap();
        assert!(text.contains("\r\nQtream-seq: a\r\nStream-Seq: b\r\n"), "{text}");
        assert!(text.ends_with("\r\n\r\nstream-seq: c"), "{text}");
    }
}
