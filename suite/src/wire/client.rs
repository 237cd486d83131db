use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio_rustls::TlsConnector;

use super::{
    Budget, Endpoint, Headers, Limits, Request, Response, Streaming, Trust, WITHHELD, WireError,
    connect::connect,
    h1, h2,
    pool::{Idle, Pool},
    raw,
    request::{Plan, plan},
    streaming::Flow,
};

/// What holds for all requests of a [`Client`].
#[derive(Debug, Clone, Default)]
pub struct ClientOptions {
    /// Headers that go with every request to an endpoint.
    pub standing: Vec<Standing>,
    pub limits: Limits,
    /// Shared by all answers being read or kept; give several clients clones of one.
    pub budget: Budget,
    /// HTTP/2 only, with prior knowledge on `http`, by ALPN on `https`.
    pub http2: bool,
    pub trust: Trust,
}

/// Headers that go with every request to one endpoint and to no other, as they may hold credentials. A request
/// that names one of them itself is sent with its own.
#[derive(Clone)]
pub struct Standing {
    pub endpoint: Endpoint,
    pub headers: Headers,
}

impl fmt::Debug for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Standing")
            .field("endpoint", &self.endpoint)
            .field("names", &names)
            .finish_non_exhaustive()
    }
}

/// Sends requests. Clones share connections and budget.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    options: ClientOptions,
    tls_http1: TlsConnector,
    tls_http2: TlsConnector,
    pool: Pool,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.0.options).finish()
    }
}

impl Client {
    /// # Errors
    ///
    /// [`WireError::Tls`] when the authorities to be trusted are not usable.
    pub fn new(options: ClientOptions) -> Result<Self, WireError> {
        let connector = |protocol: &[u8]| {
            let failed = |error: tokio_rustls::rustls::Error| WireError::Tls {
                endpoint: "any server".to_owned(),
                reason: error.to_string(),
            };
            options.trust.connector(protocol).map_err(failed)
        };
        let (tls_http1, tls_http2) = (connector(b"http/1.1")?, connector(b"h2")?);
        Ok(Self(Arc::new(Shared { options, tls_http1, tls_http2, pool: Pool::default() })))
    }

    /// Sends a request and reads the answer to its end, within `time` from now in all. An answer whose body did not end as announced
    /// is returned too, and says so ([`Response::ending`]).
    ///
    /// # Errors
    ///
    /// When no whole head of an answer came.
    pub async fn fetch(&self, request: &Request, time: Duration) -> Result<Response, WireError> {
        let started = Instant::now();
        let deadline = started + time;
        let streaming = self.begin(request, started, deadline).await?;
        let (response, flow) = streaming.collect(deadline).await;
        if response.ending.is_clean() && response.surplus.is_empty() && !request.fresh_connection {
            let idle = match flow {
                Flow::H1(flow) => flow.into_connection().map(Idle::H1),
                Flow::H2(flow) => Some(Idle::H2(flow.into_connection())),
            };
            if let Some(idle) = idle {
                self.0.pool.put(request.target.endpoint.clone(), idle);
            }
        }
        Ok(response)
    }

    /// Sends a request and returns as soon as the head of the answer is there, which must be within `time`.
    ///
    /// # Errors
    ///
    /// When no whole head of an answer came.
    pub async fn open(&self, request: &Request, time: Duration) -> Result<Streaming, WireError> {
        let started = Instant::now();
        self.begin(request, started, started + time).await
    }

    /// Whether its requests are of HTTP/2.
    pub(crate) fn speaks_http2(&self) -> bool {
        self.0.options.http2
    }

    /// A client without the standing headers, which may be credentials; `None` where there are none.
    pub fn anonymous(&self) -> Option<Self> {
        let options = ClientOptions { standing: Vec::new(), ..self.0.options.clone() };
        (!self.0.options.standing.is_empty()).then(|| Self::new(options).ok()).flatten()
    }

    /// The standing headers of an endpoint, for bytes that are sent as they are.
    pub(crate) fn standing_headers(&self, endpoint: &Endpoint) -> Option<&Headers> {
        let mut standing = self.0.options.standing.iter();
        standing.find(|standing| standing.endpoint == *endpoint).map(|standing| &standing.headers)
    }

    /// The header fields with which a request goes out: its own, the standing ones, and the ones added.
    ///
    /// # Errors
    ///
    /// [`WireError::Unsendable`] when it would not go out.
    pub fn headers_as_sent(&self, request: &Request) -> Result<Headers, WireError> {
        Ok(self.plan(request)?.headers)
    }

    /// The same for people to read: values of standing headers are withheld, as they may be secret.
    pub(super) fn headers_for_show(&self, request: &Request) -> Headers {
        let withheld = self.standing_for(request).map(|(name, _)| (name, WITHHELD.as_bytes()));
        plan(request, withheld).map_or_else(|_| request.headers.clone(), |plan| plan.headers)
    }

    /// Sends bytes as they are and reads the answers, within `time` in all; see [`raw`].
    ///
    /// # Errors
    ///
    /// When not even one whole head of an answer came.
    pub async fn raw(
        &self,
        endpoint: &Endpoint,
        script: &raw::Script,
        time: Duration,
    ) -> Result<raw::Transcript, WireError> {
        let started = Instant::now();
        let deadline = started + time;
        let transport = connect(endpoint, &self.0.tls_http1, started, deadline).await?;
        let Shared { options: ClientOptions { limits, budget, .. }, .. } = &*self.0;
        raw::exchange(transport, script, *limits, budget, started, deadline).await
    }

    async fn begin(
        &self,
        request: &Request,
        started: Instant,
        deadline: Instant,
    ) -> Result<Streaming, WireError> {
        let plan = self.plan(request)?;
        if !request.fresh_connection
            && let Some(idle) = self.0.pool.take(&request.target.endpoint)
        {
            match self.converse(idle, &plan, started, deadline).await {
                Err(error) if may_be_the_connections_fault(&error) => {
                    if !plan.is_safe() {
                        return Err(with_doubt(error));
                    }
                }
                outcome => return outcome,
            }
        }
        let connection = self.connect(&request.target.endpoint, started, deadline).await?;
        self.converse(connection, &plan, started, deadline).await
    }

    fn plan(&self, request: &Request) -> Result<Plan, WireError> {
        plan(request, self.standing_for(request))
    }

    fn standing_for<'a>(&'a self, request: &'a Request) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let standing = self.0.options.standing.iter();
        let fitting = standing.filter(|standing| standing.endpoint == request.target.endpoint);
        fitting.flat_map(|standing| standing.headers.iter())
    }

    async fn connect(
        &self,
        endpoint: &Endpoint,
        started: Instant,
        deadline: Instant,
    ) -> Result<Idle, WireError> {
        if self.0.options.http2 {
            let transport = connect(endpoint, &self.0.tls_http2, started, deadline).await?;
            return h2::Connection::over(transport, &self.0.options.limits, started, deadline)
                .await
                .map(Idle::H2);
        }
        let transport = connect(endpoint, &self.0.tls_http1, started, deadline).await?;
        Ok(Idle::H1(h1::Connection::over(transport)))
    }

    async fn converse(
        &self,
        connection: Idle,
        plan: &Plan,
        started: Instant,
        deadline: Instant,
    ) -> Result<Streaming, WireError> {
        let limits = &self.0.options.limits;
        let (opening, flow) = match connection {
            Idle::H1(connection) => {
                let (opening, flow) = connection.ask(plan, limits, started, deadline).await?;
                (opening, Flow::H1(flow))
            }
            Idle::H2(connection) => {
                let (opening, flow) = connection.ask(plan, started, deadline).await?;
                (opening, Flow::H2(flow))
            }
        };
        Ok(Streaming::new(opening, flow, self.0.options.budget.hold(), limits.body))
    }
}

/// Whether a failure on a connection that was used before may come from what happened on it before: the server
/// hung up just when it was used again, which is its right, or sent late what belongs to no answer. A safe request
/// is then repeated on a new connection; any other one may have been carried out.
fn may_be_the_connections_fault(error: &WireError) -> bool {
    matches!(
        error,
        WireError::Closed { received: 0 }
            | WireError::Broken { received: 0, .. }
            | WireError::Malformed { .. }
    )
}

fn with_doubt(error: WireError) -> WireError {
    match error {
        WireError::Malformed { reason } => WireError::Malformed {
            reason: format!("{reason} (these bytes may belong to the answer before, on the same connection)"),
        },
        other => other,
    }
}
