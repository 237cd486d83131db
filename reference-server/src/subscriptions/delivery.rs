//! Sending webhooks: one POST each, to addresses a webhook may go to (sections 7.1 and 12.8).

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use tower::Service;

use super::config::SubscriptionConfig;
use super::effect::DeliveryOutcome;
use super::webhook_url::{WebhookUrl, may_connect};

const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// Sends signed notifications. It follows no redirect, keeps no connection open, and reads no more of a response
/// than it must.
pub(super) struct DeliveryClient {
    client: Client<HttpsConnector<HttpConnector<GuardedResolver>>, Full<Bytes>>,
    timeout: Duration,
    response_body_bytes: usize,
}

/// The part of a response body that means something.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    done: bool,
}

impl DeliveryClient {
    pub(super) fn new(config: &SubscriptionConfig) -> Self {
        let mut connector = HttpConnector::new_with_resolver(GuardedResolver(GaiResolver::new()));
        connector.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
            .expect("the ring provider speaks the default TLS versions")
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        Self {
            client: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector),
            timeout: config.delivery_timeout,
            response_body_bytes: config.limits.response_body_bytes,
        }
    }

    /// One attempt. Every failure is alike to the sender: it tries again later.
    pub(super) async fn post(&self, url: &WebhookUrl, signature: &str, body: Bytes) -> DeliveryOutcome {
        tokio::time::timeout(self.timeout, self.exchange(url, signature, body))
            .await
            .ok()
            .flatten()
            .unwrap_or(DeliveryOutcome::Failed)
    }

    async fn exchange(&self, url: &WebhookUrl, signature: &str, body: Bytes) -> Option<DeliveryOutcome> {
        let request = Request::post(url.normalised())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, USER_AGENT)
            .header("webhook-signature", signature)
            .body(Full::new(body))
            .ok()?;
        let response = self.client.request(request).await.ok()?;
        if !response.status().is_success() {
            return Some(DeliveryOutcome::Failed);
        }
        // The status has said that the wake arrived. A body that is too long, torn or no JSON takes nothing of it.
        let body = Limited::new(response.into_body(), self.response_body_bytes)
            .collect()
            .await
            .map(|body| body.to_bytes())
            .unwrap_or_default();
        let done = serde_json::from_slice::<Answer>(&body).is_ok_and(|answer| answer.done);
        Some(DeliveryOutcome::Received { done })
    }
}

/// Looks names up as the system does and drops every address a webhook must not go to.
///
/// The addresses it lets through are the ones connected to: there is no second lookup for a changed answer.
#[derive(Clone)]
struct GuardedResolver(GaiResolver);

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
}
