//! A webhook receiver on loopback: it answers by a script and keeps what it was sent.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::wire::{
    Exchange, Headers, Outcome, RecordedBody, RecordedHeader, RecordedRequest, RecordedResponse,
};

/// The largest delivery that is taken.
const LARGEST_DELIVERY: usize = 1 << 20;

/// How many deliveries are kept.
const MOST_DELIVERIES: usize = 200;

/// What the receiver answers to one delivery.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// Nothing: the connection is closed without an answer.
    pub(super) status: Option<u16>,
    pub(super) body: Bytes,
    pub(super) delay: Duration,
}

/// One request that the target sent.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: Headers,
    pub(super) body: Bytes,
    pub(super) at: Instant,
    answered: Option<u16>,
}

/// A receiver that listens until it is dropped.
pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
    changed: watch::Receiver<usize>,
    /// How many deliveries steps have taken.
    taken: usize,
    task: JoinHandle<()>,
}

/// The script wants the connection closed; hyper does so for any error.
#[derive(Debug, thiserror::Error)]
#[error("the receiver hangs up")]
struct HangsUp;

struct Shared {
    /// Where deliveries are expected. Whoever had this port before may still be delivered to.
    path: String,
    script: Vec<Answer>,
    deliveries: Mutex<Vec<Delivery>>,
}

impl Receiver {
    /// Listens on a free port of 127.0.0.1. The last answer of the script is given again to all that follow;
    /// an empty script means 200 without a body.
    pub(super) async fn start(script: Vec<Answer>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let path = format!("/hook-{:016x}", rand::random::<u64>());
        let shared = Arc::new(Shared { path, script, deliveries: Mutex::default() });
        let (changes, changed) = watch::channel(0);
        let task = tokio::spawn(accept(listener, Arc::clone(&shared), changes));
        Ok(Self { address, shared, changed, taken: 0, task })
    }

    /// Where it wants deliveries: nobody can guess the path.
    pub(super) fn url(&self) -> String {
        format!("http://{}{}", self.address, self.shared.path)
    }

    /// The next delivery that no step has taken, if it comes until then.
    pub(super) async fn next_by(&mut self, until: Instant) -> Option<Delivery> {
        loop {
            let next = self.shared.deliveries().get(self.taken).cloned();
            if let Some(delivery) = next {
                self.taken += 1;
                return Some(delivery);
            }
            match tokio::time::timeout_at(until.into(), self.changed.changed()).await {
                Ok(Ok(())) => {}
                _ => return None,
            }
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Delivery {
    /// The delivery as an exchange in which the target asks and the suite answers.
    pub(super) fn record(&self, receiver: SocketAddr, epoch: Instant) -> Exchange {
        let headers = self.headers.iter().map(|(name, value)| RecordedHeader {
            name: name.to_owned(),
            value: String::from_utf8_lossy(value).into_owned(),
        });
        Exchange {
            started_at: self.at.saturating_duration_since(epoch),
            duration: Duration::ZERO,
            request: RecordedRequest {
                method: self.method.clone(),
                url: format!("http://{receiver}{}", self.path),
                headers: headers.collect(),
                body: RecordedBody::of(&self.body, self.body.len(), 4096),
            },
            outcome: match self.answered {
                Some(status) => Outcome::Response(RecordedResponse {
                    version: "HTTP/1.1".to_owned(),
                    status,
                    headers: Vec::new(),
                    body: RecordedBody::default(),
                    complete: true,
                    ending: "answered by the suite's own receiver".to_owned(),
                    to_head: Duration::ZERO,
                }),
                None => Outcome::Failure("the suite's own receiver closed the connection".to_owned()),
            },
        }
    }
}

impl Shared {
    fn deliveries(&self) -> MutexGuard<'_, Vec<Delivery>> {
        self.deliveries.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, changes: watch::Sender<usize>) {
    let changes = Arc::new(changes);
    // Connections end with the receiver: the set aborts them when it is dropped.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        let (shared, changes) = (Arc::clone(&shared), Arc::clone(&changes));
        connections.spawn(async move {
            let service =
                service_fn(move |request| receive(request, Arc::clone(&shared), Arc::clone(&changes)));
            // A target that breaks off its own delivery is judged by what it delivers next.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn receive(
    request: Request<Incoming>,
    shared: Arc<Shared>,
    changes: Arc<watch::Sender<usize>>,
) -> Result<Response<Full<Bytes>>, HangsUp> {
    let at = Instant::now();
    let (head, body) = request.into_parts();
    if head.uri.path() != shared.path {
        let mut response = Response::new(Full::default());
        *response.status_mut() = http::StatusCode::GONE;
        return Ok(response);
    }
    let body =
        Limited::new(body, LARGEST_DELIVERY).collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let headers = head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let answer = {
        let mut deliveries = shared.deliveries();
        let answer = shared.script.get(deliveries.len()).or(shared.script.last()).cloned();
        let answer =
            answer.unwrap_or(Answer { status: Some(200), body: Bytes::new(), delay: Duration::ZERO });
        if deliveries.len() < MOST_DELIVERIES {
            deliveries.push(Delivery {
                method: head.method.to_string(),
                path: head.uri.path().to_owned(),
                headers,
                body,
                at,
                answered: answer.status,
            });
        }
        answer
    };
    changes.send_modify(|count| *count += 1);
    tokio::time::sleep(answer.delay).await;
    let status = answer.status.ok_or(HangsUp)?;
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::OK);
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
    Ok(response)
}
