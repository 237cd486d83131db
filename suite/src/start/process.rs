//! A server's process group from its beginning to its end.

use std::{
    fs::File,
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use tokio::{
    process::{Child, Command},
    task::JoinHandle,
    time::{sleep, timeout},
};

#[cfg(unix)]
use super::keeper::Keeper;
use super::{Start, StartError, Tail};
use crate::wire::{Client, Request, Target};

/// How long a server may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(5);
/// Time between two looks whether it answers, or whether its processes are gone.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How long one look for an answer may take.
const LOOK: Duration = Duration::from_secs(2);
/// How long the rest of the output of a server that has ended is waited for.
const REST: Duration = Duration::from_millis(300);

/// A server that was started. Where it is dropped without [`StartedServer::stop`], as by a panic, all of its process
/// group is killed at once; where this program is killed, a moment later.
#[derive(Debug)]
pub struct StartedServer {
    child: Child,
    group: Group,
    command: String,
    tail: Tail,
    readers: Vec<JoinHandle<()>>,
    stopped: bool,
}

impl StartedServer {
    /// Starts the server; [`StartedServer::ready`] waits until it answers.
    ///
    /// # Errors
    /// Something answers at `url` already, the log cannot be written, or the program cannot be run.
    pub async fn start(start: &Start, client: &Client, url: &Target) -> Result<Self, StartError> {
        if answers(client, url, LOOK).await.is_ok() {
            return Err(StartError::Occupied { url: url.to_string() });
        }
        let log = start
            .log
            .as_ref()
            .map(|path| File::create(path).map_err(|reason| StartError::Log { path: path.clone(), reason }))
            .transpose()?;
        let mut command = Command::new(start.invocation.program());
        command.args(start.invocation.arguments());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        if let Some(folder) = &start.folder {
            command.current_dir(folder);
        }
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(|reason| StartError::NotRun {
            program: start.invocation.program().to_owned(),
            reason,
        })?;
        let tail = Tail::new(log);
        let mut readers = Vec::new();
        readers.extend(child.stdout.take().map(|pipe| tokio::spawn(tail.clone().follow(pipe))));
        readers.extend(child.stderr.take().map(|pipe| tokio::spawn(tail.clone().follow(pipe))));
        let group = Group::led_by(&child);
        Ok(Self { child, group, command: start.invocation.to_string(), tail, readers, stopped: false })
    }

    /// Waits until the server answers HTTP at `url`. Any answer will do but 503, which says that it is not ready.
    ///
    /// # Errors
    /// The server ended, or did not answer in that time.
    pub async fn ready(&mut self, client: &Client, url: &Target, time: Duration) -> Result<(), StartError> {
        let until = Instant::now() + time;
        loop {
            if let Some(status) = self.ended() {
                self.gather_rest().await;
                return Err(StartError::Ended {
                    url: url.to_string(),
                    command: self.command.clone(),
                    status: status.to_string(),
                });
            }
            let left = until.saturating_duration_since(Instant::now());
            let reason = match answers(client, url, left.min(LOOK)).await {
                Ok(()) => return Ok(()),
                Err(reason) => reason,
            };
            if Instant::now() >= until {
                return Err(StartError::Silent { url: url.to_string(), timeout: time, reason });
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// How the process that was started has ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// What it printed last.
    pub fn tail(&self) -> &Tail {
        &self.tail
    }

    /// Ends the server and all that it has started: asks first (SIGTERM), kills after a grace.
    pub async fn stop(mut self) {
        self.group.ask_to_end();
        let until = Instant::now() + GRACE;
        while Instant::now() < until && (self.ended().is_none() || self.group.is_alive()) {
            sleep(LOOK_AGAIN).await;
        }
        self.kill();
        // Leaves no zombie behind.
        let _ = timeout(GRACE, self.child.wait()).await;
        self.group.has_ended().await;
        self.gather_rest().await;
    }

    fn kill(&mut self) {
        self.stopped = true;
        self.group.kill();
        // On systems without process groups, and where the leader has left its group.
        let _ = self.child.start_kill();
    }

    /// The pipes may be held open by processes that left the group: they are not waited for.
    async fn gather_rest(&mut self) {
        for mut reader in self.readers.drain(..) {
            if timeout(REST, &mut reader).await.is_err() {
                reader.abort();
            }
        }
    }
}

impl Drop for StartedServer {
    fn drop(&mut self) {
        if !self.stopped {
            self.kill();
        }
        for reader in &self.readers {
            reader.abort();
        }
    }
}

async fn answers(client: &Client, url: &Target, time: Duration) -> Result<(), String> {
    let mut request = Request::new("HEAD", url.clone());
    request.fresh_connection = true;
    match client.open(&request, time).await {
        Ok(answer) if answer.head.status == 503 => Err("it answers 503".to_owned()),
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(unix)]
#[derive(Debug)]
struct Group {
    leader: Option<rustix::process::Pid>,
    keeper: Option<Keeper>,
}

#[cfg(unix)]
impl Group {
    fn led_by(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let leader = id.and_then(rustix::process::Pid::from_raw);
        Self { leader, keeper: leader.map(Keeper::of) }
    }

    /// No process of it is left.
    async fn has_ended(&mut self) {
        if let Some(keeper) = self.keeper.take() {
            keeper.dismiss().await;
        }
    }

    fn ask_to_end(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    fn kill(&self) {
        self.signal(rustix::process::Signal::KILL);
    }

    fn signal(&self, signal: rustix::process::Signal) {
        if let Some(leader) = self.leader {
            // A group that is gone has ended, which is all that is wanted.
            let _ = rustix::process::kill_process_group(leader, signal);
        }
    }

    fn is_alive(&self) -> bool {
        self.leader.is_some_and(|leader| rustix::process::test_kill_process_group(leader).is_ok())
    }
}

/// Elsewhere only the process itself can be ended.
#[cfg(not(unix))]
#[derive(Debug)]
struct Group;

#[cfg(not(unix))]
impl Group {
    fn led_by(_child: &Child) -> Self {
        Self
    }

    async fn has_ended(&mut self) {}

    fn ask_to_end(&self) {}

    fn kill(&self) {}

    fn is_alive(&self) -> bool {
        false
    }
}
