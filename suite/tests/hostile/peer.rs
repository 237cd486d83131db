//! Servers on raw sockets, each made of one function.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// What a server does with a connection.
pub(crate) type Serve = Arc<dyn Fn(Peer) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

pub(crate) fn serve<W: Future<Output = ()> + Send + 'static>(
    with: impl Fn(Peer) -> W + Send + Sync + 'static,
) -> Serve {
    Arc::new(move |peer| Box::pin(with(peer)))
}

/// Listens until it is dropped; its connections end with it.
pub(crate) struct Server {
    origin: String,
    _connections: JoinSet<()>,
}

impl Server {
    pub(crate) async fn start(serve: Serve) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("its address"));
        let requests = Arc::new(AtomicUsize::new(0));
        let mut connections = JoinSet::new();
        connections.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                // The program opens no more than some hundred; a failure to accept shows in its verdicts.
                if let Ok((stream, _)) = listener.accept().await {
                    open.spawn(serve(Peer { stream, buffer: Vec::new(), requests: requests.clone() }));
                }
                while open.try_join_next().is_some() {}
            }
        });
        Self { origin, _connections: connections }
    }

    pub(crate) fn root(&self) -> String {
        format!("{}/v1/stream", self.origin)
    }
}

/// One connection, seen from the server.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
    requests: Arc<AtomicUsize>,
}

/// A request, as far as servers like these look at it.
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) target: String,
    /// How many requests this server had seen before, on all connections.
    pub(crate) before: usize,
}

impl Peer {
    /// The next request with its body; `None` when the connection ends first.
    pub(crate) async fn request(&mut self) -> Option<Asked> {
        let head = self.take_until(b"\r\n\r\n").await?;
        let head = String::from_utf8_lossy(&head).into_owned();
        let lower = head.to_lowercase();
        if lower.contains("transfer-encoding: chunked") {
            self.take_until(b"0\r\n\r\n").await?;
        } else if let Some(length) = lower.lines().find_map(|line| line.strip_prefix("content-length:")) {
            let length = length.trim().parse().unwrap_or(0);
            while self.buffer.len() < length {
                self.read().await?;
            }
            self.buffer.drain(..length);
        }
        let mut words = head.split(' ').map(str::to_owned);
        let before = self.requests.fetch_add(1, Ordering::SeqCst);
        Some(Asked { method: words.next()?, target: words.next()?, before })
    }

    async fn take_until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = self.buffer.windows(end.len()).position(|window| window == end) {
                return Some(self.buffer.drain(..at + end.len()).collect());
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> Option<()> {
        match self.stream.read_buf(&mut self.buffer).await {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(()),
        }
    }

    /// `false` when the connection is gone.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Sends the same for ever.
    pub(crate) async fn flood(&mut self, bytes: impl AsRef<[u8]>) {
        let many = bytes.as_ref().repeat(1 + 16 * 1024 / bytes.as_ref().len());
        while self.send(&many).await {}
    }

    /// Says no more and keeps the connection until the other side leaves.
    pub(crate) async fn hang(mut self) {
        while self.read().await.is_some() {
            self.buffer.clear();
        }
    }

    /// Ends the connection.
    pub(crate) async fn leave(self) {}

    /// Ends the connection with a reset.
    pub(crate) fn reset(self) {
        let _ = self.stream.set_zero_linger();
    }
}
