use std::{
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use streamgauge::wire::{Client, ClientOptions, Request, Response, Target, WireError};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// More than any test needs that does not test time itself.
pub(crate) const AMPLE: Duration = Duration::from_secs(10);

/// A server made of one function, which is given each connection and its number.
pub(crate) struct Server {
    pub(crate) target: Target,
    connections: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn new<F, W>(serve: F) -> Self
    where
        F: Fn(TcpStream, usize) -> W + Send + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = Target::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = connections.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, counter.fetch_add(1, Ordering::SeqCst)));
            }
        });
        Self { target, connections, accepting }
    }

    /// Answers the first request of each connection with these bytes, and hangs up.
    pub(crate) async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::new(move |mut stream, _| {
            let answer = answer.clone();
            async move {
                read_request(&mut stream).await;
                let _ = stream.write_all(&answer).await;
            }
        })
        .await
    }

    /// Answers every request of every connection with these bytes, and keeps them all.
    pub(crate) async fn keeping(answer: &'static [u8]) -> (Self, Arc<Mutex<Vec<String>>>) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let keep = seen.clone();
        let server = Self::new(move |mut stream, _| {
            let keep = keep.clone();
            async move {
                while let Some(request) = read_request(&mut stream).await {
                    keep.lock().unwrap().push(request);
                    if stream.write_all(answer).await.is_err() {
                        break;
                    }
                }
            }
        })
        .await;
        (server, seen)
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn get(&self) -> Request {
        Request::new("GET", self.target.clone())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Reads a request with its body and nothing after it; `None` when the connection ends first. Each byte becomes one
/// character, so that none is lost.
pub(crate) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut request = read_until(stream, "\r\n\r\n").await?;
    let head = request.to_lowercase();
    if head.contains("transfer-encoding: chunked") {
        request.push_str(&read_until(stream, "0\r\n\r\n").await?);
    } else if let Some(length) = head.lines().find_map(|line| line.strip_prefix("content-length: ")) {
        let mut body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut body).await.ok()?;
        request.extend(body.into_iter().map(char::from));
    }
    Some(request)
}

async fn read_until(stream: &mut (impl AsyncRead + Unpin), end: &str) -> Option<String> {
    let mut text = String::new();
    while !text.ends_with(end) {
        text.push(char::from(stream.read_u8().await.ok()?));
    }
    Some(text)
}

pub(crate) fn client() -> Client {
    Client::new(ClientOptions::default()).unwrap()
}

/// What a new client makes of an answer to GET.
pub(crate) async fn fetch(answer: impl Into<Vec<u8>>) -> Result<Response, WireError> {
    let server = Server::answering(answer).await;
    client().fetch(&server.get(), AMPLE).await
}
