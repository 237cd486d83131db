//! One connection of the load: as little work for each answer as can be.

use std::io;

use bytes::{Buf, BytesMut};
use memchr::memmem;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{answer::Answer, requests::Root};

pub(crate) struct Connection {
    stream: TcpStream,
    buffer: BytesMut,
}

impl Connection {
    pub(crate) async fn to(root: &Root) -> io::Result<Self> {
        let stream = TcpStream::connect(root.address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: BytesMut::with_capacity(128 * 1024) })
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.send(request).await?;
        self.answer().await
    }

    /// The same; an answer of another status is an error.
    pub(crate) async fn expect(&mut self, request: &[u8], status: &[u16]) -> io::Result<Answer> {
        let answer = self.ask(request).await?;
        match status.contains(&answer.status) {
            true => Ok(answer),
            false => {
                let line = String::from_utf8_lossy(request).lines().next().unwrap_or_default().to_owned();
                Err(io::Error::other(format!("{line}: answered {}, not {status:?}", answer.status)))
            }
        }
    }

    pub(crate) async fn send(&mut self, request: &[u8]) -> io::Result<()> {
        self.stream.write_all(request).await
    }

    /// Reads the whole answer to a request that was sent.
    pub(crate) async fn answer(&mut self) -> io::Result<Answer> {
        let head = self.head().await?;
        match (head.length, head.is_chunked) {
            (_, true) => self.skip_past(b"\r\n0\r\n\r\n").await?,
            (0, false) => {}
            (length, false) => self.skip(length).await?,
        }
        Ok(head)
    }

    /// Reads the head of an answer and leaves its body.
    pub(crate) async fn head(&mut self) -> io::Result<Answer> {
        loop {
            if let Some((head, size)) = Answer::parse(&self.buffer)? {
                // The last line break of the head is the first of an empty chunked body's end.
                self.buffer.advance(if head.is_chunked { size - 2 } else { size });
                return Ok(head);
            }
            self.read().await?;
        }
    }

    /// Reads past the next place where this stands.
    pub(crate) async fn skip_past(&mut self, mark: &[u8]) -> io::Result<()> {
        loop {
            if let Some(at) = memmem::find(&self.buffer, mark) {
                self.buffer.advance(at + mark.len());
                return Ok(());
            }
            // The mark may be half there.
            let done = self.buffer.len().saturating_sub(mark.len());
            self.buffer.advance(done);
            self.read().await?;
        }
    }

    async fn skip(&mut self, length: usize) -> io::Result<()> {
        let mut left = length;
        loop {
            let now = left.min(self.buffer.len());
            self.buffer.advance(now);
            left -= now;
            if left == 0 {
                return Ok(());
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> io::Result<()> {
        self.buffer.reserve(64 * 1024);
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::Error::other("the server closed the connection")),
            _ => Ok(()),
        }
    }
}
