//! A server on a socket: accepting, and ending gracefully.

use std::{
    convert::Infallible,
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

use ::http::Request;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulShutdown, Watcher},
    },
    service::TowerToHyperService,
};
use jiff::Timestamp;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{interval, sleep, timeout},
};
use tokio_io_timeout::TimeoutWriter;
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::{
    beside::Beside,
    config::Config,
    core::{path::StreamRoot, store::Store},
    fault::FaultPlan,
    http::{App, BoxError, Response, StreamService},
    sabotage::{self, Faults, Outbound, TamperedService},
    subscriptions::ControlSpace,
    tls::Identity,
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
        let App { store, connections, .. } = &*self.app;
        Census {
            connections: connections.load(Ordering::Relaxed),
            streams: store.count(),
            live_readers: store.live_readers(),
            bytes: store.memory().used(),
        }
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

async fn sweep(app: Arc<App>) {
    let mut ticks = interval(app.config.sweep_interval);
    loop {
        ticks.tick().await;
        app.store.sweep(Timestamp::now());
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

/// Live reads of one client may share a connection.
const MAX_HTTP2_STREAMS: u32 = 4096;

/// All open connections.
struct Connections {
    builder: auto::Builder<TokioExecutor>,
    service: StreamService,
    /// Around the service, where something is to go wrong on purpose.
    tampered: Option<TamperedService>,
    /// Around both, where things go wrong on the way.
    plan: Option<Arc<FaultPlan>>,
    app: Arc<App>,
    /// Around the socket, where the server speaks TLS.
    tls: Option<Identity>,
    watcher: GracefulShutdown,
    /// Cancelled to end what has not ended by itself.
    cut: CancellationToken,
}

impl Connections {
    fn new(app: &Arc<App>) -> Self {
        let service = StreamService::new(app.clone());
        let faults = Faults::of(&app.config.sabotages, &app.config.variants);
        let tampered = faults.map(|faults| TamperedService::new(service.clone(), app.clone(), faults));
        let plan = FaultPlan::of(&app.config.faults, app.config.fault_seed);
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(app.config.idle_timeout);
        builder.http1().title_case_headers(app.config.title_case_headers);
        builder.http2().timer(TokioTimer::new()).max_concurrent_streams(MAX_HTTP2_STREAMS);
        Self {
            builder,
            service,
            tampered,
            plan,
            app: app.clone(),
            tls: app.config.tls.clone(),
            watcher: GracefulShutdown::new(),
            cut: CancellationToken::new(),
        }
    }

    fn serve(&self, socket: TcpStream) {
        // Answers are small and awaited; a socket that refuses the option works without it.
        let _ = socket.set_nodelay(true);
        let host = self.host();
        match self.tls.clone() {
            None => host.serve(socket),
            Some(identity) => {
                let cut = self.cut.clone();
                tokio::spawn(async move {
                    tokio::select! {
                        socket = identity.accept(socket) => {
                            if let Some(socket) = socket {
                                host.serve(socket);
                            }
                        }
                        () = cut.cancelled() => {}
                    }
                });
            }
        }
    }

    fn host(&self) -> Host {
        Host {
            builder: self.builder.clone(),
            service: self.service.clone(),
            tampered: self.tampered.clone(),
            plan: self.plan.clone(),
            app: self.app.clone(),
            watcher: self.watcher.watcher(),
            cut: self.cut.clone(),
        }
    }

    /// Lets requests in progress finish, for as long as `grace`.
    async fn end(self, grace: Duration) {
        if timeout(grace, self.watcher.shutdown()).await.is_err() {
            self.cut.cancel();
        }
    }
}

/// What one connection needs.
struct Host {
    builder: auto::Builder<TokioExecutor>,
    service: StreamService,
    tampered: Option<TamperedService>,
    plan: Option<Arc<FaultPlan>>,
    app: Arc<App>,
    watcher: Watcher,
    cut: CancellationToken,
}

impl Host {
    fn serve<S>(self, socket: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        match &self.tampered {
            None => {
                let service = self.service.clone();
                self.attend_through_faults(socket, service);
            }
            Some(tampered) => {
                let (socket, service) = tampered.connect(socket);
                self.attend_through_faults(socket, service);
            }
        }
    }

    fn attend_through_faults<S, V>(self, socket: S, service: V)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        V: Service<Request<Incoming>, Response = Response, Error = Infallible>
            + Clone
            + Send
            + Sync
            + 'static,
        V::Future: Send,
    {
        match self.plan.clone() {
            None => self.attend(socket, service),
            Some(plan) => {
                let service = plan.around(service, self.app.clone());
                self.attend(socket, service);
            }
        }
    }

    fn attend<S, V>(self, socket: S, service: V)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        V: Service<Request<Incoming>, Response = Response> + Clone + Send + Sync + 'static,
        V::Error: Into<BoxError>,
        V::Future: Send,
    {
        let service = TowerToHyperService::new(service);
        // A client that takes nothing would hold its connection, and what it is sent, for ever.
        let mut socket = TimeoutWriter::new(socket);
        socket.set_timeout(Some(self.app.config.write_timeout));
        let connection = self.builder.serve_connection(TokioIo::new(Box::pin(socket)), service).into_owned();
        let watched = self.watcher.watch(connection);
        let cut = self.cut;
        let counted = Counted::new(self.app);
        tokio::spawn(async move {
            let _counted = counted;
            tokio::select! {
                // A client that breaks off is no concern of the server.
                _ = watched => {}
                () = cut.cancelled() => {}
            }
        });
    }
}

/// An open connection, as the census counts it.
struct Counted(Arc<App>);

impl Counted {
    fn new(app: Arc<App>) -> Self {
        app.connections.fetch_add(1, Ordering::Relaxed);
        Self(app)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
