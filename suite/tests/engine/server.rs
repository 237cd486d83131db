//! A server of streams in memory, with the habits that a test gives it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{Instant, sleep, timeout_at},
};

/// What the server does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habits {
    /// Before every answer.
    pub(crate) slowness: Duration,
    /// Before a write takes effect.
    pub(crate) writes_take: Duration,
    pub(crate) long_poll_timeout: Duration,
    pub(crate) woken: Woken,
    pub(crate) events: Events,
    /// Before the head of an event stream.
    pub(crate) head_after: Duration,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            slowness: Duration::ZERO,
            writes_take: Duration::ZERO,
            long_poll_timeout: Duration::from_millis(600),
            woken: Woken::WithData,
            events: Events::AsTheyHappen,
            head_after: Duration::ZERO,
        }
    }
}

/// How an append answers a long-poll that waits.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Woken {
    WithData,
    WithDataAfter(Duration),
    /// Like a timeout, at once.
    With204,
    /// Not before the timeout.
    Not,
    /// It is never answered at all.
    Never,
    /// Long-polls are answered 204 at once and wait for nothing.
    BeforeItWaits,
}

/// What an event stream carries.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Events {
    AsTheyHappen,
    /// And the last control event again and again.
    RepeatedControl,
    /// What is stored, and nothing after it.
    StoredOnly,
    /// All events, each one late.
    Late(Duration),
    /// The connection breaks after what is stored.
    BreakingOff,
    /// The response ends after that time.
    EndingAfter(Duration),
    /// All data twice.
    Twice,
    /// Data byte by byte, with that time between.
    Trickling(Duration),
}

type Streams = Arc<Mutex<BTreeMap<String, String>>>;

#[derive(Clone)]
struct Server {
    habits: Habits,
    streams: Streams,
    changes: watch::Sender<u64>,
}

struct Asked {
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    body: String,
}

/// Starts a server, which lives as long as the test's runtime, and gives its stream root.
pub(crate) async fn start(habits: Habits) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let root = format!("http://{}/streams", listener.local_addr().expect("an address"));
    let server = Server { habits, streams: Streams::default(), changes: watch::Sender::new(0) };
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let server = server.clone();
            // A client that leaves in the middle is nothing to fail for.
            tokio::spawn(async move { server.serve(connection).await.ok() });
        }
    });
    root
}

impl Server {
    /// Answers one request and closes the connection.
    async fn serve(self, connection: TcpStream) -> std::io::Result<()> {
        let mut connection = BufReader::new(connection);
        let asked = read_request(&mut connection).await?;
        let mut connection = connection.into_inner();
        sleep(self.habits.slowness).await;
        if matches!(asked.method.as_str(), "PUT" | "POST") {
            sleep(self.habits.writes_take).await;
        }
        let (status, headers, body) = match (asked.method.as_str(), asked.query.get("live")) {
            ("GET", Some(live)) if live == "sse" => return self.carry_events(&asked, connection).await,
            ("GET", Some(_)) => match self.wait_for_data(&asked).await {
                Some(answer) => answer,
                None => return std::future::pending().await,
            },
            _ => self.answer(&asked),
        };
        let head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n{headers}");
        let length =
            if status == 204 { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        connection.write_all(format!("{head}{length}\r\n{body}").as_bytes()).await?;
        connection.shutdown().await
    }

    fn answer(&self, asked: &Asked) -> (u16, String, String) {
        let mut streams = self.streams.lock().expect("no panic holds the lock");
        let status = match asked.method.as_str() {
            "PUT" | "POST" => {
                streams.entry(asked.path.clone()).or_default().push_str(&asked.body);
                if asked.method == "PUT" { 201 } else { 204 }
            }
            "DELETE" => streams.remove(&asked.path).map_or(404, |_| 204),
            _ => streams.get(&asked.path).map_or(404, |_| 200),
        };
        let stored = streams.get(&asked.path).cloned().unwrap_or_default();
        drop(streams);
        self.changes.send_modify(|count| *count += 1);
        let body = if asked.method == "GET" { rest(&stored, asked) } else { String::new() };
        (status, next_offset(&stored), body)
    }

    fn stored(&self, asked: &Asked) -> String {
        self.streams.lock().expect("no panic holds the lock").get(&asked.path).cloned().unwrap_or_default()
    }

    async fn wait_for_data(&self, asked: &Asked) -> Option<(u16, String, String)> {
        let until = Instant::now() + self.habits.long_poll_timeout;
        let mut changes = self.changes.subscribe();
        if matches!(self.habits.woken, Woken::BeforeItWaits) {
            return Some((204, next_offset(&self.stored(asked)), String::new()));
        }
        loop {
            let stored = self.stored(asked);
            let body = rest(&stored, asked);
            let wakes = !matches!(self.habits.woken, Woken::Not | Woken::Never);
            if !body.is_empty() && wakes {
                if let Woken::WithDataAfter(time) = self.habits.woken {
                    sleep(time).await;
                }
                let status = if matches!(self.habits.woken, Woken::With204) { 204 } else { 200 };
                return Some((
                    status,
                    next_offset(&stored),
                    if status == 204 { String::new() } else { body },
                ));
            }
            if timeout_at(until, changes.changed()).await.is_err() {
                let times_out = !matches!(self.habits.woken, Woken::Never);
                return times_out.then(|| (204, next_offset(&stored), String::new()));
            }
        }
    }

    async fn carry_events(&self, asked: &Asked, mut connection: TcpStream) -> std::io::Result<()> {
        sleep(self.habits.head_after).await;
        let head = "HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
        connection.write_all(head.as_bytes()).await?;
        let began = Instant::now();
        let mut changes = self.changes.subscribe();
        let mut sent = 0;
        loop {
            let stored = self.stored(asked);
            let is_first = sent == 0;
            let silent = !is_first && matches!(self.habits.events, Events::StoredOnly);
            if (is_first || stored.len() > sent) && !silent {
                if let Events::Late(time) = self.habits.events {
                    sleep(time).await;
                }
                let times = if matches!(self.habits.events, Events::Twice) { 2 } else { 1 };
                let data = stored[sent..].replace('\n', "\ndata:");
                let data = if data.is_empty() { data } else { format!("event:data\ndata:{data}\n\n") };
                match self.habits.events {
                    Events::Trickling(time) => trickle(&mut connection, &data, time).await?,
                    _ => send_chunk(&mut connection, &data.repeat(times)).await?,
                }
                sent = stored.len();
            }
            let control = format!("event:control\ndata:{{\"streamNextOffset\":\"{sent:06}\"}}\n\n");
            if is_first || matches!(self.habits.events, Events::RepeatedControl) || !silent {
                send_chunk(&mut connection, &control).await?;
            }
            match self.habits.events {
                Events::BreakingOff => return Ok(()),
                Events::EndingAfter(time) => {
                    if timeout_at(began + time, changes.changed()).await.is_err() {
                        connection.write_all(b"0\r\n\r\n").await?;
                        return connection.shutdown().await;
                    }
                }
                Events::RepeatedControl => {
                    timeout_at(Instant::now() + Duration::from_millis(20), changes.changed()).await.ok();
                }
                _ => changes.changed().await.map_err(std::io::Error::other)?,
            }
        }
    }
}

async fn send_chunk(connection: &mut TcpStream, text: &str) -> std::io::Result<()> {
    match text {
        "" => Ok(()),
        text => connection.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes()).await,
    }
}

async fn trickle(connection: &mut TcpStream, text: &str, between: Duration) -> std::io::Result<()> {
    for byte in text.chars() {
        sleep(between).await;
        send_chunk(connection, byte.encode_utf8(&mut [0; 4])).await?;
    }
    Ok(())
}

fn next_offset(stored: &str) -> String {
    format!("Stream-Next-Offset: {:06}\r\n", stored.len())
}

fn rest(stored: &str, asked: &Asked) -> String {
    let offset = asked.query.get("offset").and_then(|offset| offset.parse().ok()).unwrap_or(0);
    stored.get(offset..).unwrap_or_default().to_owned()
}

async fn read_request(connection: &mut BufReader<TcpStream>) -> std::io::Result<Asked> {
    let mut line = String::new();
    connection.read_line(&mut line).await?;
    let mut words = line.split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut length = 0;
    loop {
        let mut field = String::new();
        connection.read_line(&mut field).await?;
        match field.trim().to_ascii_lowercase().split_once(':') {
            Some(("content-length", value)) => length = value.trim().parse().unwrap_or(0),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let parameter = |parameter: &str| {
        let (name, value) = parameter.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    };
    let query = query.split('&').filter_map(parameter).collect();
    Ok(Asked { method, path: path.to_owned(), query, body: String::from_utf8_lossy(&body).into_owned() })
}
