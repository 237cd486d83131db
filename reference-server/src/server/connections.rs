//! What happens on each connection, from its socket to the service.

use std::{
    convert::Infallible,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use ::http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulShutdown, Watcher},
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_io_timeout::TimeoutWriter;
use tokio_util::sync::CancellationToken;
use tower::{Service, ServiceExt};

use super::idle::Idleness;
use crate::{
    fault::FaultPlan,
    http::{App, BoxError, Response, StreamService},
    sabotage::{Faults, TamperedService},
    tls::Identity,
};

/// Live reads of one client may share a connection.
const MAX_HTTP2_STREAMS: u32 = 4096;

/// All open connections.
pub(super) struct Connections {
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
    pub(super) fn new(app: &Arc<App>) -> Self {
        let service = StreamService::new(app.clone());
        let faults = Faults::of(&app.config.sabotages, &app.config.variants);
        let tampered = faults.map(|faults| TamperedService::new(service.clone(), app.clone(), faults));
        let plan = FaultPlan::of(&app.config.faults, app.config.fault_seed);
        let mut builder = auto::Builder::new(TokioExecutor::new());
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

    pub(super) fn serve(&self, socket: TcpStream) {
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
    pub(super) async fn end(self, grace: Duration) {
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
        let idleness = Idleness::new();
        let attended = idleness.clone();
        let service = service_fn(move |request| {
            let request_in_progress = attended.end();
            let answer = service.clone().oneshot(request);
            async move { Ok::<_, V::Error>(request_in_progress.until_sent(answer.await?)) }
        });
        // A client that takes nothing would hold its connection, and what it is sent, for ever.
        let mut socket = TimeoutWriter::new(socket);
        socket.set_timeout(Some(self.app.config.write_timeout));
        let connection = self.builder.serve_connection(TokioIo::new(Box::pin(socket)), service).into_owned();
        let watched = self.watcher.watch(connection);
        let cut = self.cut;
        let idle_timeout = self.app.config.idle_timeout;
        let counted = Counted::new(self.app);
        tokio::spawn(async move {
            let _counted = counted;
            tokio::select! {
                // A client that breaks off is no concern of the server.
                _ = watched => {}
                () = idleness.lasts(idle_timeout) => {}
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
