//! HTTP/1.1 over one connection.

mod framing;
mod head;
mod write;

use std::{future::Future, io, pin::pin, time::Instant};

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::timeout_at,
};

pub(super) use self::framing::{Decoder, Framing, Progress};
pub(super) use self::head::{HeadReader, is_interim};
use super::{
    Ending, Head, Limits, Phase, Timing, Version, WireError,
    connect::Transport,
    request::Plan,
    streaming::{End, Opening},
};

/// How much is read from a connection at once, in bytes.
const READ_SIZE: usize = 16 * 1024;

/// A connection and the bytes that were read from it but belong to no answer yet.
pub(super) struct Connection {
    transport: Transport,
    buffer: BytesMut,
}

impl Connection {
    pub(super) fn over(transport: Transport) -> Self {
        Self { transport, buffer: BytesMut::new() }
    }

    /// Whether nothing came since the last answer: neither bytes nor the end of the connection.
    pub(super) fn is_quiet(&mut self) -> bool {
        self.buffer.is_empty() && self.transport.read(&mut [0]).now_or_never().is_none()
    }

    /// Sends a request and reads the answer up to the end of its head.
    pub(super) async fn ask(
        mut self,
        plan: &Plan,
        limits: &Limits,
        started: Instant,
        deadline: Instant,
    ) -> Result<(Opening, Flow), WireError> {
        let connected = Instant::now();
        let (mut reader, mut writer) = tokio::io::split(&mut self.transport);
        let mut heads = HeadReader::new(limits);
        let mut sent = None;
        let conversation = async {
            let answer = pin!(read_final_head(&mut reader, &mut self.buffer, &mut heads));
            let sending = pin!(write::send(&mut writer, plan));
            answer_while_sending(answer, sending, &mut sent).await
        };
        let outcome = timeout_at(deadline.into(), conversation).await;
        let (interim, head) = outcome.unwrap_or_else(|_| {
            let phase = if sent.is_some() { Phase::Head } else { Phase::Send };
            Err(WireError::NoAnswer { phase, after: started.elapsed() })
        })?;
        let malformed = |reason| WireError::Malformed { reason };
        let framing = Framing::of(&head, plan.is_head()).map_err(malformed)?;
        let reusable = sent.is_some() && framing.is_delimited() && stays_open(&head, plan);
        let decoder = Decoder::new(framing);
        let now = Instant::now();
        let timing = Timing { started, connected, sent, head: now, end: now };
        Ok((Opening { head, interim, timing }, Flow { connection: self, decoder, reusable }))
    }
}

/// The rest of an answer, and the connection it comes on.
pub(super) struct Flow {
    connection: Connection,
    decoder: Decoder,
    reusable: bool,
}

/// What one look at a body gives.
pub(super) enum Step {
    /// Some content, never empty.
    Data(Bytes),
    End(End),
}

impl Flow {
    pub(super) async fn step(&mut self) -> Step {
        step(&mut self.connection.transport, &mut self.connection.buffer, &mut self.decoder).await
    }

    /// The connection, if both sides mean to go on with it.
    pub(super) fn into_connection(self) -> Option<Connection> {
        self.reusable.then_some(self.connection)
    }
}

/// Reads the next piece of a body. Dropping the future loses nothing.
pub(super) async fn step(
    reader: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
    decoder: &mut Decoder,
) -> Step {
    loop {
        let mut content = Vec::new();
        let progress = decoder.decode(buffer, &mut content);
        if !content.is_empty() {
            return Step::Data(content.into());
        }
        match progress {
            Progress::Done { trailers } => {
                let surplus = Bytes::copy_from_slice(buffer);
                return Step::End(End { ending: Ending::Clean, trailers, surplus });
            }
            Progress::Bad(reason) => return Step::End(End::torn(reason)),
            Progress::More => {}
        }
        match read_more(reader, buffer).await {
            Ok(0) => {
                return Step::End(decoder.at_close().map_or_else(End::torn, |()| End::with(Ending::Clean)));
            }
            Ok(_) => {}
            Err(error) => return Step::End(End::torn(format!("the connection broke: {error}"))),
        }
    }
}

/// Reads heads up to the one that is no 1xx; gives the interim ones beside it.
async fn read_final_head(
    reader: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
    heads: &mut HeadReader,
) -> Result<(Vec<Head>, Head), WireError> {
    let mut interim = Vec::new();
    loop {
        let head = read_head(reader, buffer, heads).await?;
        if !is_interim(&head) {
            return Ok((interim, head));
        }
        interim.push(head);
    }
}

/// Reads one head. Dropping the future loses nothing.
pub(super) async fn read_head(
    reader: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
    heads: &mut HeadReader,
) -> Result<Head, WireError> {
    loop {
        if let Some(head) = heads.next(buffer)? {
            return Ok(head);
        }
        match read_more(reader, buffer).await {
            Ok(0) => return Err(WireError::Closed { received: buffer.len() }),
            Ok(_) => {}
            // A TLS session that ends without notice is an end all the same.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(WireError::Closed { received: buffer.len() });
            }
            Err(error) => {
                return Err(WireError::Broken { received: buffer.len(), reason: error.to_string() });
            }
        }
    }
}

pub(super) async fn read_more(
    reader: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
) -> io::Result<usize> {
    buffer.reserve(READ_SIZE);
    reader.read_buf(buffer).await
}

/// Waits for the answer and sends meanwhile. An answer may come before all is sent; and a server that takes no
/// more may still have answered, so a failure to send is left for the reading side to explain.
async fn answer_while_sending<T>(
    mut answer: impl Future<Output = T> + Unpin,
    mut sending: impl Future<Output = io::Result<()>> + Unpin,
    sent: &mut Option<Instant>,
) -> T {
    tokio::select! {
        biased;
        outcome = &mut sending => {
            *sent = outcome.is_ok().then(Instant::now);
            answer.await
        }
        answer = &mut answer => answer,
    }
}

/// Whether neither side announced that it would close.
fn stays_open(head: &Head, plan: &Plan) -> bool {
    let says = |headers: &super::Headers, word: &str| {
        headers.members("Connection").iter().any(|member| member.eq_ignore_ascii_case(word))
    };
    let server_stays = match head.version {
        Version::Http10 => says(&head.headers, "keep-alive"),
        _ => !says(&head.headers, "close"),
    };
    server_stays && head.status != 101 && !says(&plan.headers, "close")
}
