//! Sending webhooks: one POST each, to addresses a webhook may go to (sections 7.1 and 12.8).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Collected, Full, Limited};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;
use rustls::crypto::ring;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};
use tower::Service;

use super::config::SubscriptionConfig;
use super::effect::DeliveryOutcome;
use super::webhook_url::{WebhookUrl, may_connect};

const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// Sends signed notifications. It follows no redirect, keeps no connection open, and reads no more of a response
/// than it must.
pub(super) struct DeliveryClient<R = GuardedResolver> {
    client: Client<HttpsConnector<HttpConnector<R>>, Full<Bytes>>,
    timeout: Duration,
    response_body_bytes: usize,
}

impl DeliveryClient<GuardedResolver> {
    pub(super) fn new(config: &SubscriptionConfig) -> Self {
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the ring provider speaks the default TLS versions")
            .with_webpki_roots()
            .with_no_client_auth();
        Self::through(GuardedResolver(GaiResolver::new()), tls, config)
    }
}

impl<R: Resolver> DeliveryClient<R> {
    fn through(resolver: R, tls: ClientConfig, config: &SubscriptionConfig) -> Self {
        let mut connector = HttpConnector::new_with_resolver(resolver);
        connector.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        Self {
            client: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector),
            timeout: config.delivery_timeout,
            response_body_bytes: config.limits.response_body_bytes,
        }
    }

    /// One attempt; what was answered, if anything.
    pub(super) async fn send(&self, url: &WebhookUrl, letter: Letter) -> Option<Reply> {
        let end = Instant::now() + self.timeout;
        let mut request = Request::builder()
            .method(letter.method)
            .uri(url.normalised())
            .body(Full::new(letter.body))
            .ok()?;
        *request.headers_mut() = letter.headers;
        let response = timeout_at(end, self.client.request(request)).await.ok()?.ok()?;
        let status = response.status();
        if !status.is_success() {
            return Some(Reply { status, body: None });
        }
        let body = Limited::new(response.into_body(), self.response_body_bytes).collect();
        let body = timeout_at(end, body).await.ok().and_then(Result::ok);
        Some(Reply { status, body: body.map(Collected::to_bytes) })
    }
}

/// A signed notification, as it is sent.
pub(super) struct Letter {
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Letter {
    pub(super) fn new(signature: HeaderValue, body: Bytes) -> Self {
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (header::USER_AGENT, HeaderValue::from_static(USER_AGENT)),
            (HeaderName::from_static("webhook-signature"), signature),
        ];
        Self { method: Method::POST, headers: headers.into_iter().collect(), body }
    }
}

/// What a receiver answered.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    /// None where it was too long or too slow, or broke off.
    pub(super) body: Option<Bytes>,
}

impl DeliveryOutcome {
    /// Every failure is alike to the sender: it tries again later. A status of success says that the wake arrived; a
    /// body that did not come whole, or that is no JSON, does not unsay it.
    pub(super) fn of(reply: Option<&Reply>) -> Self {
        match reply {
            Some(Reply { status, body }) if status.is_success() => {
                Self::Received { done: body.as_deref().is_some_and(is_done) }
            }
            _ => Self::Failed,
        }
    }
}

/// A source of addresses for the names in webhook URLs.
pub(super) trait Resolver:
    Service<Name, Response = std::vec::IntoIter<SocketAddr>, Error = io::Error, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl Resolver for GuardedResolver {}

/// Whether a response body says that the wake is finished (section 7.1).
fn is_done(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body).is_ok_and(|answer| answer["done"] == true)
}

/// Looks names up as the system does and drops every address a webhook must not go to.
///
/// The addresses it lets through are the ones connected to: there is no second lookup for a changed answer.
#[derive(Clone)]
pub(super) struct GuardedResolver(GaiResolver);

impl Service<Name> for GuardedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Response>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Service::poll_ready(&mut self.0, context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let host = name.as_str().to_owned();
        let lookup = self.0.call(name);
        Box::pin(async move { permitted(&host, lookup.await?) })
    }
}

fn permitted(
    host: &str,
    addresses: impl Iterator<Item = SocketAddr>,
) -> io::Result<std::vec::IntoIter<SocketAddr>> {
    let permitted: Vec<SocketAddr> = addresses.filter(|address| may_connect(host, address.ip())).collect();
    if permitted.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the name leads to no address a webhook may go to",
        ));
    }
    Ok(permitted.into_iter())
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::PrivateKeyDer;
    use rustls::{RootCertStore, ServerConfig};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;

    #[test]
    fn only_permitted_addresses_of_a_name_are_connected_to() {
        let addresses =
            |list: &[&str]| -> Vec<SocketAddr> { list.iter().map(|text| text.parse().unwrap()).collect() };
        let mixed = addresses(&["10.0.0.1:0", "1.1.1.1:0", "[::1]:0"]);
        let left: Vec<_> = permitted("worker.example", mixed.into_iter()).unwrap().collect();
        assert_eq!(left, addresses(&["1.1.1.1:0"]));
        let rebound = addresses(&["127.0.0.1:0"]);
        let refusal = permitted("worker.example", rebound.into_iter()).unwrap_err();
        assert_eq!(refusal.kind(), io::ErrorKind::PermissionDenied);
    }

    #[tokio::test]
    async fn lookups_go_past_the_guard() {
        let mut resolver = GuardedResolver(GaiResolver::new());
        // Numbers are looked up without a name server, so this holds on every machine.
        let local = resolver.call("127.0.0.1".parse().unwrap()).await;
        assert_eq!(local.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        assert!(resolver.call("1.1.1.1".parse().unwrap()).await.is_ok());
    }

    #[test]
    fn only_true_is_done() {
        assert!(is_done(br#"{"done": true, "more": [1]}"#));
        for body in
            ["", "{}", "[true]", "true", r#"{"done": 1}"#, r#"{"done": "true"}"#, r#"{"done": false}"#]
        {
            assert!(!is_done(body.as_bytes()), "{body}");
        }
    }

    /// Leads every name to one address, loopback included.
    #[derive(Clone)]
    struct Fixed(SocketAddr);

    impl Resolver for Fixed {}

    impl Service<Name> for Fixed {
        type Response = std::vec::IntoIter<SocketAddr>;
        type Error = io::Error;
        type Future = std::future::Ready<io::Result<Self::Response>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Name) -> Self::Future {
            std::future::ready(Ok(vec![self.0].into_iter()))
        }
    }

    /// Posts to `https://worker.example`, where a server shows a certificate for `certified`; gives the outcome
    /// and the request as it arrived.
    async fn post_over_tls(certified: &str) -> (DeliveryOutcome, String) {
        let certificate = rcgen::generate_simple_self_signed([certified.to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(certificate.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let server = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.cert.der().clone()], key)
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.cert.der().clone()).unwrap();
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("https://worker.example:{}/hook", address.port());
        let url = WebhookUrl::parse(&url, false).unwrap();
        let client = DeliveryClient::through(Fixed(address), tls, &SubscriptionConfig::default());
        let receive = async {
            let (socket, _) = listener.accept().await.unwrap();
            let Ok(mut socket) = TlsAcceptor::from(Arc::new(server)).accept(socket).await else {
                return String::new();
            };
            let mut request = vec![0; 4096];
            let length = socket.read(&mut request).await.unwrap();
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n{\"done\":true}";
            socket.write_all(answer).await.unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        };
        let body = Bytes::from_static(b"{\"wake\":1}");
        let letter = Letter::new(HeaderValue::from_static("t=1,kid=k,ed25519=s"), body);
        let send = async { DeliveryOutcome::of(client.send(&url, letter).await.as_ref()) };
        tokio::join!(send, receive)
    }

    #[tokio::test]
    async fn deliveries_go_over_tls_to_the_certified_name_only() {
        let (outcome, request) = post_over_tls("worker.example").await;
        assert_eq!(outcome, DeliveryOutcome::Received { done: true });
        assert!(request.starts_with("POST /hook HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("webhook-signature: t=1,kid=k,ed25519=s\r\n"), "{request}");
        assert!(request.ends_with("\r\n\r\n{\"wake\":1}"), "{request}");
        let (outcome, request) = post_over_tls("other.example").await;
        assert_eq!((outcome, request.as_str()), (DeliveryOutcome::Failed, ""));
    }
}
