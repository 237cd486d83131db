//! A webhook receiver on loopback that answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use ed25519_dalek::{Signature, VerifyingKey};
use http::{HeaderMap, Method, Request, Uri};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{sleep, timeout};

use super::client::{Client, PATIENCE, QUIET};

pub(crate) struct Receiver {
    pub(crate) url: String,
    arrived: UnboundedReceiver<Delivery>,
    script: Arc<Mutex<VecDeque<Scripted>>>,
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) raw: Bytes,
}

/// What to answer. Once the script is used up, every delivery is answered 200 with `{}`.
pub(crate) enum Scripted {
    Status(u16),
    Redirect(&'static str),
    Body(String),
    /// Status 200, a length, and then nothing.
    Stalled,
    /// `{"done": true}`, after a while.
    DoneAfter(Duration),
    Never,
}

struct Shared {
    arrived: UnboundedSender<Delivery>,
    script: Arc<Mutex<VecDeque<Scripted>>>,
}

impl Receiver {
    pub(crate) async fn start(script: impl IntoIterator<Item = Scripted>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener, script)
    }

    pub(crate) fn on(listener: TcpListener, script: impl IntoIterator<Item = Scripted>) -> Self {
        let (sender, arrived) = unbounded_channel();
        let script = Arc::new(Mutex::new(script.into_iter().collect()));
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let shared = Arc::new(Shared { arrived: sender, script: Arc::clone(&script) });
        let router = Router::new().fallback(take).with_state(shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, arrived, script }
    }

    pub(crate) fn then(&self, scripted: Scripted) {
        self.script.lock().unwrap().push_back(scripted);
    }

    pub(crate) async fn next(&mut self) -> Delivery {
        timeout(PATIENCE, self.arrived.recv()).await.expect("nothing was delivered").unwrap()
    }

    pub(crate) async fn stays_quiet(&mut self) {
        let delivery = timeout(QUIET, self.arrived.recv()).await;
        assert!(delivery.is_err(), "{delivery:?}");
    }
}

async fn take(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let raw = body.collect().await.unwrap().to_bytes();
    let delivery = Delivery { method: head.method, uri: head.uri, headers: head.headers, raw };
    let scripted = shared.script.lock().unwrap().pop_front();
    // The test may be over, and with it whoever listened.
    let _ = shared.arrived.send(delivery);
    let answer =
        |status: u16, body: String| Response::builder().status(status).body(Body::from(body)).unwrap();
    match scripted {
        None => answer(200, "{}".to_owned()),
        Some(Scripted::Status(status)) => answer(status, json!({ "done": true }).to_string()),
        Some(Scripted::Redirect(to)) => {
            Response::builder().status(307).header("location", to).body(Body::empty()).unwrap()
        }
        Some(Scripted::Body(body)) => answer(200, body),
        Some(Scripted::Stalled) => {
            let nothing = futures_util::stream::pending::<Result<Bytes, std::io::Error>>();
            Response::new(Body::from_stream(nothing))
        }
        Some(Scripted::DoneAfter(span)) => {
            sleep(span).await;
            answer(200, json!({ "done": true }).to_string())
        }
        Some(Scripted::Never) => std::future::pending().await,
    }
}

impl Delivery {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.raw).unwrap()
    }

    pub(crate) fn generation(&self) -> u64 {
        self.json()["generation"].as_u64().unwrap()
    }

    /// The parts of `Webhook-Signature`: time, key and signature.
    pub(crate) fn signature(&self) -> (i64, String, Vec<u8>) {
        let header = self.headers["webhook-signature"].to_str().unwrap();
        let [time, kid, signature] = header.split(',').collect::<Vec<_>>()[..] else {
            panic!("not three parts: {header}");
        };
        (
            time.strip_prefix("t=").unwrap().parse().unwrap(),
            kid.strip_prefix("kid=").unwrap().to_owned(),
            URL_SAFE_NO_PAD.decode(signature.strip_prefix("ed25519=").unwrap()).unwrap(),
        )
    }

    /// Whether the signature holds for `body`, by the key set the server publishes now.
    pub(crate) async fn verifies(&self, client: &Client, body: &[u8]) -> bool {
        let (time, kid, signature) = self.signature();
        let set = client.get("__ds/jwks.json").await.json();
        let keys = set["keys"].as_array().unwrap();
        let Some(key) = keys.iter().find(|key| key["kid"] == *kid) else {
            return false;
        };
        let x = URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap();
        let key = VerifyingKey::from_bytes(&x.try_into().unwrap()).unwrap();
        let signed = [format!("{time}.").as_bytes(), body].concat();
        key.verify_strict(&signed, &Signature::from_slice(&signature).unwrap()).is_ok()
    }

    /// Answers through the callback, as a receiver would.
    pub(crate) async fn call_back(&self, client: &Client, acks: &Value, done: bool) -> super::client::Answer {
        let body = self.json();
        let url = body["callback_url"].as_str().unwrap();
        let path = url.strip_prefix(&format!("{}/", client.root)).expect("a callback below the stream root");
        let report = json!({
            "wake_id": body["wake_id"], "generation": body["generation"], "acks": acks, "done": done,
        });
        client.call_with(Method::POST, path, &report, body["callback_token"].as_str()).await
    }
}
