//! The control space as one endpoint of the server.

use std::future::{Future, ready};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode};

use super::config::SubscriptionConfig;
use super::faults::SubscriptionFaults;
use super::service::Subscriptions;
use super::store::Observer;
use crate::core::path::{self, RESERVED_SEGMENT, StreamRoot};
use crate::core::store::Store;
use crate::http::{Endpoint, Response, ResponseBody, problem};
use crate::sabotage::{Outbound, Switch};

/// Everything below `__ds` (section 6).
pub(crate) struct ControlSpace {
    root: StreamRoot,
    subscriptions: Arc<Subscriptions>,
}

impl ControlSpace {
    /// Starts subscriptions to the streams of `store`, for a server that listens at `address`.
    pub(crate) fn start(
        config: SubscriptionConfig,
        store: &Arc<Store>,
        root: StreamRoot,
        scheme: &str,
        address: SocketAddr,
        outbound: Outbound,
    ) -> Arc<Self> {
        let stream_root = format!("{scheme}://{}{}", reachable(address), root.as_str());
        let faults = SubscriptionFaults { switches: store.switches, outbound };
        let subscriptions = Subscriptions::start(config, store.clone(), &stream_root, faults);
        store.observe(Arc::new(Observer(Arc::downgrade(&subscriptions))));
        Arc::new(Self { root, subscriptions })
    }

    /// Stops all deliveries and timers, and waits for them.
    pub(crate) async fn stop(&self) {
        self.subscriptions.stop().await;
    }

    fn control_path<'a>(&self, url_path: &'a str) -> Option<&'a str> {
        path::reserved(self.root.strip(url_path)?)
    }
}

/// An address that listens everywhere is no address to connect to; this machine's own stands in for it.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let loopback: IpAddr = match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        };
        address.set_ip(loopback);
    }
    address
}

impl Endpoint for ControlSpace {
    fn claims(&self, url_path: &str) -> bool {
        let switches = self.subscriptions.faults.switches;
        let is_claimed_too = |below: &str| {
            (switches.on(Switch::ReservedByFirstLetters) && below.starts_with(RESERVED_SEGMENT))
                || (switches.on(Switch::ReservedAnywhere)
                    && below.split('/').any(|part| part == RESERVED_SEGMENT))
        };
        self.control_path(url_path).is_some() || self.root.strip(url_path).is_some_and(is_claimed_too)
    }

    fn answer(&self, request: Request<Bytes>) -> Pin<Box<dyn Future<Output = Response> + Send>> {
        let response = match self.control_path(request.uri().path()) {
            Some(path) => self.subscriptions.answer(path, &request).map(ResponseBody::from),
            None => problem(StatusCode::NOT_FOUND, "not below the control space"),
        };
        Box::pin(ready(response))
    }
}
