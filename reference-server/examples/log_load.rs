//! Measures the log stream: does every reader get every line, or is it told what it lost?
//!
//! ```sh
//! ulimit -n 4096   # a thousand connections in each of two processes
//! cargo run --release -p streamgauge-reference-server --example log_load
//! ```
//!
//! It runs two loads of ten seconds, each against a server in a process of its own: 1,000 readers at 100 lines
//! a second, and 10 readers at 10,000 lines a second. It prints what the readers got, how late, and the most
//! memory the server ever used, and fails where a line is missing that was not said to be dropped, or where
//! the server used more than 256 MiB.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, ExitCode, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::body::Body;
use http::{Request, header};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::Deserialize;
use serde_json::json;
use streamgauge_reference_server::{Config, Server};
use tokio::{sync::Barrier, time::timeout};

/// A load, and the lines that are sent in one request, every 10 ms.
const LOADS: [Load; 2] = [Load { readers: 1_000, lines_a_turn: 1 }, Load { readers: 10, lines_a_turn: 100 }];
const TURN: Duration = Duration::from_millis(10);
const TURNS: usize = 1_000;
const MEMORY_BOUND_KIB: u64 = 256 << 10;

#[derive(Clone, Copy)]
struct Load {
    readers: usize,
    lines_a_turn: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("serve") {
        return serve().await;
    }
    let mut good = true;
    for load in LOADS {
        good &= measure(load).await;
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The server's process: prints its address, and ends with its standard input.
async fn serve() -> ExitCode {
    let server = Server::start(Config::default()).await.expect("a free port");
    println!("{}", server.addr);
    let closed = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    let _ = closed.await;
    server.shutdown().await;
    ExitCode::SUCCESS
}

async fn measure(load: Load) -> bool {
    let (mut server, address) = start_server();
    let client = Client::builder(TokioExecutor::new()).build_http();
    let total = load.lines_a_turn * TURNS;
    let began = Instant::now();
    let ready = Arc::new(Barrier::new(load.readers + 1));
    let readers: Vec<_> = (0..load.readers)
        .map(|_| tokio::spawn(read(client.clone(), address, total, began, ready.clone())))
        .collect();
    ready.wait().await;
    let writing = Instant::now();
    write(&client, address, load, began).await;
    let rate = total as f64 / writing.elapsed().as_secs_f64();
    let mut tally = Tally::default();
    for reader in readers {
        tally.add(reader.await.expect("a reader does not panic"));
    }
    let peak = peak_memory_kib(&server);
    drop(server.stdin.take());
    let _ = server.wait();
    tally.report(load, rate, total, peak)
}

fn start_server() -> (Child, SocketAddr) {
    let program = std::env::current_exe().expect("the path of this program");
    let mut server = Command::new(program)
        .arg("serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program starts once more");
    let mut line = String::new();
    BufReader::new(server.stdout.take().expect("a pipe")).read_line(&mut line).expect("the server's address");
    (server, line.trim().parse().expect("an address"))
}

/// Sends numbered lines, each with the time it was sent at.
async fn write(client: &Client<HttpConnector, Body>, address: SocketAddr, load: Load, began: Instant) {
    let mut turns = tokio::time::interval(TURN);
    let padding = "x".repeat(80);
    for turn in 0..TURNS {
        turns.tick().await;
        let sent = began.elapsed().as_micros();
        let numbers = turn * load.lines_a_turn..(turn + 1) * load.lines_a_turn;
        let line = |number| json!({"level": "info", "message": format!("{number} {sent} {padding}")});
        let lines: Vec<_> = numbers.map(line).collect();
        let body = Body::from(serde_json::to_vec(&lines).expect("plain JSON"));
        let request = Request::post(format!("http://{address}/api/logs"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)
            .expect("a right request");
        let answer = client.request(request).await.expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.into_body().collect().await.expect("a whole answer");
    }
}

/// What one reader got.
#[derive(Default)]
struct Got {
    seen: usize,
    dropped: usize,
    /// Lines that neither came nor were said to be dropped, or came twice.
    wrong: usize,
    latencies: Vec<Duration>,
}

#[derive(Deserialize)]
struct Payload {
    logs: Vec<Line>,
    meta: Meta,
}

#[derive(Deserialize)]
struct Line {
    message: String,
}

#[derive(Deserialize)]
struct Meta {
    dropped: usize,
}

async fn read(
    client: Client<HttpConnector, Body>,
    address: SocketAddr,
    total: usize,
    began: Instant,
    ready: Arc<Barrier>,
) -> Got {
    let uri = format!("http://{address}/api/logs/stream?scope=service");
    let answer = client.get(uri.parse().expect("a right URL")).await.expect("an answer");
    let mut body = answer.into_body();
    ready.wait().await;
    let (mut got, mut next, mut unread) = (Got::default(), 0, Vec::new());
    while next < total {
        let Ok(Some(Ok(frame))) = timeout(Duration::from_secs(20), body.frame()).await else {
            got.wrong += total - next;
            break;
        };
        unread.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
        while let Some(end) = unread.windows(2).position(|pair| pair == b"\n\n") {
            let event: Vec<u8> = unread.drain(..end + 2).collect();
            if let Some(json) = event.strip_prefix(b"event: logs\ndata: ") {
                let payload: Payload = serde_json::from_slice(json).expect("a payload of logs");
                got.take(payload, &mut next, began.elapsed());
            }
        }
    }
    got
}

impl Got {
    fn take(&mut self, payload: Payload, next: &mut usize, now: Duration) {
        self.dropped += payload.meta.dropped;
        *next += payload.meta.dropped;
        for line in payload.logs {
            let mut words = line.message.split(' ');
            let mut word = || words.next().and_then(|word| word.parse::<u64>().ok()).expect("a number");
            let number = usize::try_from(word()).expect("a small number");
            self.latencies.push(now.saturating_sub(Duration::from_micros(word())));
            self.wrong += number.abs_diff(*next);
            *next = number + 1;
            self.seen += 1;
        }
    }
}

/// What all readers got.
#[derive(Default)]
struct Tally {
    all: Got,
}

impl Tally {
    fn add(&mut self, got: Got) {
        self.all.seen += got.seen;
        self.all.dropped += got.dropped;
        self.all.wrong += got.wrong;
        self.all.latencies.extend(got.latencies);
    }

    /// Prints the figures; false where they are not as they must be.
    fn report(mut self, load: Load, rate: f64, total: usize, peak_kib: Option<u64>) -> bool {
        self.all.latencies.sort_unstable();
        let latencies = &self.all.latencies;
        let latency = |share: f64| {
            let index = (latencies.len() as f64 * share) as usize;
            latencies
                .get(index)
                .or(latencies.last())
                .map_or(f64::NAN, |latency| latency.as_secs_f64() * 1_000.0)
        };
        let expected = total * load.readers;
        println!("{} readers, {rate:.0} lines a second:", load.readers);
        println!("  lines      {} of {expected}, {} told as dropped", self.all.seen, self.all.dropped);
        println!("  wrong      {} (missing without a word, or twice)", self.all.wrong);
        println!(
            "  latency    median {:.0} ms, 99 % within {:.0} ms, all within {:.0} ms",
            latency(0.5),
            latency(0.99),
            latency(1.0)
        );
        match peak_kib {
            Some(kib) => println!("  memory     {:.1} MiB at most", kib as f64 / 1024.0),
            None => println!("  memory     not known on this system"),
        }
        let whole = self.all.seen + self.all.dropped == expected && self.all.wrong == 0;
        whole && peak_kib.is_none_or(|kib| kib <= MEMORY_BOUND_KIB)
    }
}

/// The most memory the process ever held, where the system tells.
fn peak_memory_kib(process: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}
