//! How a subscription shows itself (section 6.3).

use jiff::Timestamp;
use serde::Serialize;

use super::link::LinkType;
use super::settings::DeliveryKind;
use super::subscription::Subscription;

/// The representation in answers to PUT and GET. What does not apply to the type is `null`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct SubscriptionView {
    id: String,
    subscription_id: String,
    r#type: &'static str,
    pattern: Option<String>,
    streams: Vec<LinkView>,
    webhook: Option<WebhookView>,
    wake_stream: Option<String>,
    lease_ttl_ms: u128,
    created_at: String,
    status: &'static str,
    description: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct LinkView {
    path: String,
    link_type: LinkType,
    acked_offset: String,
}

#[derive(Clone, Debug, Serialize)]
struct WebhookView {
    url: String,
    signing: SigningView,
}

/// Where receivers find the keys to verify deliveries with.
#[derive(Clone, Debug, Serialize)]
pub(super) struct SigningView {
    pub(super) alg: &'static str,
    pub(super) kid: String,
    pub(super) jwks_url: String,
}

impl SubscriptionView {
    pub(super) fn of(subscription: &Subscription, signing: impl FnOnce() -> SigningView) -> Self {
        let settings = &subscription.settings;
        let (r#type, webhook, wake_stream) = match &settings.delivery {
            DeliveryKind::Webhook(url) => {
                let url = url.as_given().to_owned();
                let signing = signing();
                ("webhook", Some(WebhookView { url, signing }), None)
            }
            DeliveryKind::PullWake { wake_stream } => {
                ("pull-wake", None, Some(wake_stream.as_str().to_owned()))
            }
        };
        let streams = subscription.links.iter().map(|(path, link)| LinkView {
            path: path.to_owned(),
            link_type: link.link_type,
            acked_offset: link.acked.clone(),
        });
        Self {
            id: subscription.id.clone(),
            subscription_id: subscription.id.clone(),
            r#type,
            pattern: settings.pattern.as_ref().map(|pattern| pattern.as_str().to_owned()),
            streams: streams.collect(),
            webhook,
            wake_stream,
            lease_ttl_ms: settings.lease.as_millis(),
            created_at: in_milliseconds(subscription.created_at),
            status: if subscription.backoff.is_some() { "failed" } else { "active" },
            description: settings.description.clone(),
        }
    }
}

fn in_milliseconds(instant: Timestamp) -> String {
    format!("{instant:.3}")
}
