//! A server on a socket: accepting, and ending gracefully.

mod connections;
mod high_water;
mod idle;

use std::{
    fmt,
    future::Future,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    net::TcpListener,
    task::{JoinHandle, spawn_blocking},
    time::{interval, sleep},
};
use tokio_util::sync::CancellationToken;

use self::{connections::Connections, high_water::HighWater};
use crate::{
    beside::Beside,
    config::Config,
    core::{path::StreamRoot, store::Store},
    http::{App, StreamService},
    sabotage::{self, Outbound},
    subscriptions::ControlSpace,
};

/// Serves on `listener` until `shutdown` completes and all connections have come to their end: a
/// pending long-poll is answered 204, an event stream ends between two events.
///
/// # Errors
/// The listener has no address. A failing `accept` is tried again.
pub async fn serve(listener: TcpListener, config: Config, shutdown: impl Future) -> io::Result<()> {
    let (app, control) = assemble(config, listener.local_addr()?);
    run(listener, app, control, shutdown).await;
    Ok(())
}

async fn run(listener: TcpListener, app: Arc<App>, control: Arc<ControlSpace>, shutdown: impl Future) {
    let sweeper = tokio::spawn(sweep(app.clone()));
    let connections = Connections::new(&app);
    accept_until(&listener, &connections, shutdown).await;
    drop(listener);
    app.ending.cancel();
    connections.end(app.config.shutdown_grace).await;
    sweeper.abort();
    control.stop().await;
}

/// Starts servers inside another program, on loopback.
#[derive(Debug)]
pub struct Server;

impl Server {
    /// Starts a server on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// The port cannot be bound.
    pub async fn start(config: Config) -> io::Result<RunningServer> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let addr = listener.local_addr()?;
        let (app, control) = assemble(config, addr);
        let root_url = format!("{}://{addr}{}", app.config.scheme(), app.root.as_str().trim_end_matches('/'));
        let ending = CancellationToken::new();
        let task = tokio::spawn(run(listener, app.clone(), control, ending.clone().cancelled_owned()));
        Ok(RunningServer { addr, root_url, app, ending, task })
    }
}

/// A whole server without a socket, for callers that bring their own requests.
pub struct SocketlessServer {
    /// Answers requests.
    pub service: StreamService,
    app: Arc<App>,
    control: Arc<ControlSpace>,
}

impl SocketlessServer {
    /// Assembles a server that says of itself that it listens at `address`. Expired streams go when somebody asks for
    /// them. Needs a tokio runtime with timers; one with I/O where webhooks are to be delivered.
    pub fn new(config: Config, address: SocketAddr) -> Self {
        let (app, control) = assemble(config, address);
        Self { service: StreamService::new(app.clone()), app, control }
    }

    /// Ends live reads, deliveries and timers, and waits for the last two.
    pub async fn shutdown(self) {
        self.app.ending.cancel();
        self.control.stop().await;
    }
}

/// What a server holds at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Open connections.
    pub connections: usize,
    /// Streams, soft-deleted ones included.
    pub streams: usize,
    /// Reads that wait for what comes: long-polls and event streams.
    pub live_readers: usize,
    /// Bytes of content, and of bodies that are being taken in.
    pub bytes: u64,
}

/// A server that runs in the background; dropping it tells it to end.
pub struct RunningServer {
    /// Where it listens.
    pub addr: SocketAddr,
    /// The URL of the stream root, without a slash at its end.
    pub root_url: String,
    app: Arc<App>,
    ending: CancellationToken,
    task: JoinHandle<()>,
}

impl fmt::Debug for RunningServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RunningServer").field("root_url", &self.root_url).finish_non_exhaustive()
    }
}

impl RunningServer {
    /// What it holds now. What is being closed counts until it is gone.
    pub fn census(&self) -> Census {
        Census { live_readers: self.app.store.live_readers(), ..holdings(&self.app) }
    }

    /// Ends the server gracefully and waits for that.
    pub async fn shutdown(mut self) {
        self.ending.cancel();
        // A panic inside the server has been printed already.
        let _ = (&mut self.task).await;
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        self.ending.cancel();
    }
}

fn assemble(config: Config, address: SocketAddr) -> (Arc<App>, Arc<ControlSpace>) {
    let root = StreamRoot::new(&config.root);
    let switches = sabotage::switches(&config.sabotages);
    let store =
        Arc::new(Store::new(config.limits.clone()).with_switches(switches).with_offsets(config.offsets));
    let control = ControlSpace::start(
        config.subscriptions.clone(),
        &store,
        root.clone(),
        config.scheme(),
        address,
        Outbound::of(&config.sabotages),
    );
    let ending = CancellationToken::new();
    let beside = Arc::new(Beside::new(&config, switches, ending.clone()));
    let app = App {
        root,
        store,
        endpoints: vec![control.clone(), beside],
        ending,
        connections: AtomicUsize::new(0),
        config,
    };
    (Arc::new(app), control)
}

/// The census without its live readers, who would have to be counted one by one.
fn holdings(app: &App) -> Census {
    Census {
        connections: app.connections.load(Ordering::Relaxed),
        streams: app.store.count(),
        live_readers: 0,
        bytes: app.store.memory().used(),
    }
}

async fn sweep(app: Arc<App>) {
    let mut ticks = interval(app.config.sweep_interval);
    let mut water = HighWater::default();
    loop {
        ticks.tick().await;
        app.store.sweep(Timestamp::now());
        if water.has_fallen(&holdings(&app)) {
            spawn_blocking(streamgauge_heap::give_back);
        }
    }
}

async fn accept_until(listener: &TcpListener, connections: &Connections, shutdown: impl Future) {
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            _ = &mut shutdown => return,
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => connections.serve(socket),
                // Usually a want of file descriptors: give connections time to end.
                Err(_) => sleep(Duration::from_millis(20)).await,
            },
        }
    }
}
