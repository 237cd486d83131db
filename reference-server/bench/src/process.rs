//! Servers in processes of their own.

use std::{
    io,
    net::SocketAddr,
    process::Stdio,
    str::FromStr,
    time::{Duration, Instant},
};

use tokio::{
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::sleep,
};

use crate::requests::Root;

/// How long a server may take to listen.
const STARTING: Duration = Duration::from_secs(20);

/// A server to be measured.
#[derive(Clone)]
pub(crate) struct Candidate {
    name: String,
    place: Place,
}

#[derive(Clone)]
enum Place {
    Command(Vec<String>),
    Url(Root),
}

impl FromStr for Candidate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, place) =
            text.split_once('=').ok_or_else(|| format!("{text:?}: write NAME=COMMAND or NAME=URL"))?;
        let place = match place.starts_with("http://") {
            true => Place::Url(place.parse()?),
            false => Place::Command(
                shlex::split(place).ok_or_else(|| format!("{place:?}: a quote is not closed"))?,
            ),
        };
        Ok(Self { name: name.to_owned(), place })
    }
}

/// The servers that this program brings along. The bare ones come first: they are what others are measured by.
pub(crate) fn built_in() -> Vec<Candidate> {
    let this = std::env::current_exe().unwrap_or_else(|_| "streamgauge-bench".into()).display().to_string();
    let candidate = |name: &str, what: &str| Candidate {
        name: name.to_owned(),
        place: Place::Command([&this, "serve", what, "{port}"].map(str::to_owned).to_vec()),
    };
    vec![
        candidate("bare axum", "axum"),
        candidate("bare hyper", "hyper"),
        candidate("streamgauge", "reference"),
    ]
}

/// A server that answers.
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) root: Root,
    candidate: Candidate,
    process: Option<Child>,
}

pub(crate) async fn start_all(candidates: impl Iterator<Item = Candidate>) -> io::Result<Vec<Server>> {
    let mut servers = Vec::new();
    for candidate in candidates {
        servers.push(start(candidate).await?);
    }
    Ok(servers)
}

pub(crate) async fn start(candidate: Candidate) -> io::Result<Server> {
    let Candidate { name, place } = candidate.clone();
    let words = match place {
        Place::Url(root) => return Ok(Server { name, root, candidate, process: None }),
        Place::Command(words) => words,
    };
    let port = free_port().await?;
    let mut words = words.iter().map(|word| word.replace("{port}", &port.to_string()));
    let program = words.next().unwrap_or_default();
    let process = Command::new(&program)
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("{name}: cannot run {program}: {error}")))?;
    let root = Root::at(SocketAddr::from(([127, 0, 0, 1], port)));
    wait_for(&name, &root).await?;
    Ok(Server { name, root, candidate, process: Some(process) })
}

async fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port())
}

async fn wait_for(name: &str, root: &Root) -> io::Result<()> {
    let until = Instant::now() + STARTING;
    while TcpStream::connect(root.address).await.is_err() {
        if Instant::now() > until {
            return Err(io::Error::other(format!(
                "{name} does not listen on {} after {STARTING:?}",
                root.address
            )));
        }
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

impl Server {
    /// Another one of the same, which has done nothing yet; none where this program did not start it.
    pub(crate) async fn anew(&self) -> io::Result<Option<Self>> {
        match self.process {
            Some(_) => start(self.candidate.clone()).await.map(Some),
            None => Ok(None),
        }
    }

    /// Resident memory, in bytes; `None` where the process is not ours or the system does not tell.
    pub(crate) fn memory(&self) -> Option<u64> {
        let status = self.read("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
    }

    /// Processor time used so far.
    pub(crate) fn work(&self) -> Option<Duration> {
        processor_time(&self.read("stat")?)
    }

    fn read(&self, file: &str) -> Option<String> {
        let id = self.process.as_ref()?.id()?;
        std::fs::read_to_string(format!("/proc/{id}/{file}")).ok()
    }
}

/// Processor time that this program has used so far.
pub(crate) fn own_work() -> Option<Duration> {
    processor_time(&std::fs::read_to_string("/proc/self/stat").ok()?)
}

/// User and system time of `/proc/PID/stat`, which Linux counts in hundredths of a second.
fn processor_time(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}
