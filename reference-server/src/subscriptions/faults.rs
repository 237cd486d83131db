//! What goes wrong with subscriptions that are to go wrong on purpose, where it takes more than a word.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use url::{Host, Url, form_urlencoded};

use super::config::{RetrySchedule, SubscriptionConfig};
use super::link::LinkType;
use super::path::StreamPath;
use super::refusal::Refusal;
use super::settings::SettingsHash;
use super::subscription::Subscription;
use super::token::{Claims, Purpose};
use super::webhook_url::{WebhookUrl, WebhookUrlError};
use crate::sabotage::{Outbound, Switch, Switches};

/// All faults of the subscriptions of one server.
#[derive(Debug, Default)]
pub(crate) struct SubscriptionFaults {
    pub(crate) switches: Switches,
    /// Changes of what is sent.
    pub(crate) outbound: Outbound,
}

/// A configuration as a server reads it that is not strict.
pub(super) fn misread<'a>(body: &'a [u8], config: &SubscriptionConfig, switches: Switches) -> Cow<'a, [u8]> {
    let fitted = |lease: f64| {
        let (least, most) =
            (config.minimum_lease.as_millis() as f64, config.maximum_lease.as_millis() as f64);
        json!(lease.clamp(least, most) as u64)
    };
    changed(body, switches.on(Switch::LeaseFitted), |given| {
        let lease = given.get_mut("lease_ttl_ms")?;
        let number = lease.as_f64().or_else(|| lease.as_str()?.parse().ok())?;
        *lease = fitted(number);
        Some(())
    })
}

/// A callback, an ack or a release as a server reads it that does not miss what is missing.
pub(super) fn completed(body: &[u8], switches: Switches) -> Cow<'_, [u8]> {
    let is_wanted = switches.on(Switch::AbsentMatches) || switches.on(Switch::NullMatchesIdle);
    changed(body, is_wanted, |given| {
        let given = given.as_object_mut()?;
        for (name, missing) in [("wake_id", json!("")), ("generation", json!(0))] {
            if given.get(name).is_none_or(Value::is_null) {
                given.insert(name.to_owned(), missing);
            }
        }
        Some(())
    })
}

fn changed(body: &[u8], is_wanted: bool, change: impl FnOnce(&mut Value) -> Option<()>) -> Cow<'_, [u8]> {
    let given = serde_json::from_slice::<Value>(body).ok().filter(|_| is_wanted);
    let changed = given.and_then(|mut given| {
        change(&mut given)?;
        Some(given.to_string().into_bytes())
    });
    changed.map_or(Cow::Borrowed(body), Cow::Owned)
}

impl Subscription {
    /// What a token for the wake in flight would say.
    pub(super) fn present_claims(&self, purpose: Purpose) -> Claims {
        let wake = self.phase.wake();
        Claims {
            subscription: self.id.clone(),
            purpose,
            generation: wake.map_or(self.generation, |wake| wake.generation),
            wake_id: wake.map(|wake| wake.id.as_str().to_owned()).unwrap_or_default(),
            expires: i64::MAX,
        }
    }

    /// The hash of the configuration with the streams that are linked by name now.
    pub(super) fn hash_with_links(&self) -> SettingsHash {
        let mut settings = self.settings.clone();
        let explicit = self.links.iter().filter(|(_, link)| link.link_type == LinkType::Explicit);
        settings.streams = explicit.filter_map(|(path, _)| StreamPath::parse(path).ok()).collect();
        settings.hash()
    }
}

/// When a server repeats deliveries that has its own idea of it.
pub(super) fn retries(schedule: RetrySchedule, switches: Switches) -> RetrySchedule {
    if switches.on(Switch::RetriesAtOnce) {
        return RetrySchedule { base: Duration::from_millis(20), cap: Duration::from_millis(20), ..schedule };
    }
    if switches.on(Switch::RetriesSlowly) {
        return RetrySchedule { base: schedule.cap * 3, cap: schedule.cap * 3, ..schedule };
    }
    let cap = if switches.on(Switch::RetriesEvenly) { schedule.base } else { schedule.cap };
    RetrySchedule { cap, ..schedule }
}

/// A token that does not stand where it belongs, where a server looks for it there.
pub(super) fn token_elsewhere(request: &Request<Bytes>, switches: Switches) -> Option<String> {
    let is_token = |name: &str| matches!(name, "token" | "access_token" | "callback_token");
    if switches.on(Switch::TokenInQueryTaken) {
        let query = request.uri().query().unwrap_or_default();
        let mut parameters = form_urlencoded::parse(query.as_bytes());
        return parameters.find(|(name, _)| is_token(name)).map(|(_, token)| token.into_owned());
    }
    if switches.on(Switch::TokenInBodyTaken) {
        let body: Value = serde_json::from_slice(request.body()).ok()?;
        let token = body.as_object()?.iter().find(|(name, _)| is_token(name))?.1;
        return token.as_str().map(str::to_owned);
    }
    if switches.on(Switch::TokenInOtherHeaderTaken) {
        let value = request.headers().iter().find(|(name, _)| name.as_str().ends_with("token"))?.1;
        return value.to_str().ok().map(str::to_owned);
    }
    switches.on(Switch::TokenNotNeeded).then(String::new)
}

/// All that a token holds, and the letters around it.
pub(super) fn parts_of_token(token: &str) -> impl Iterator<Item = &str> {
    const SURPLUS: usize = 4;
    (0..=SURPLUS).flat_map(move |front| {
        (0..=SURPLUS).filter_map(move |back| token.get(front..token.len().checked_sub(back)?))
    })
}

/// Refuses what a server wants beyond the protocol.
pub(super) fn demand_more(pattern: bool, streams: bool, switches: Switches) -> Result<(), Refusal> {
    let is_refused = (switches.on(Switch::PatternDemanded) && !pattern)
        || (switches.on(Switch::StreamsDemanded) && !streams)
        || (switches.on(Switch::PatternExcludesStreams) && pattern && streams);
    if is_refused { Err(Refusal::Invalid("not as this server wants it".to_owned())) } else { Ok(()) }
}

/// A webhook's URL as a server takes it that looks at it with less care.
pub(super) fn webhook_url(
    given: &str,
    development: bool,
    switches: Switches,
) -> Result<WebhookUrl, WebhookUrlError> {
    let strict = WebhookUrl::parse(given, development);
    match strict {
        Ok(_) if is_shunned(given, switches) => Err(WebhookUrlError::LocalTarget),
        Err(error) if is_overlooked(given, error, switches) => Ok(WebhookUrl::unchecked(given)),
        other => other,
    }
}

fn is_shunned(given: &str, switches: Switches) -> bool {
    let url = Url::parse(given).ok().filter(|_| switches.on(Switch::WebhookRangesTooWide));
    url.is_some_and(|url| match url.host() {
        Some(Host::Ipv4(address)) => matches!(address.octets()[0], 10 | 11 | 172),
        Some(Host::Ipv6(_)) => true,
        _ => false,
    })
}

fn is_overlooked(given: &str, error: WebhookUrlError, switches: Switches) -> bool {
    if switches.on(Switch::WebhookUrlUnchecked) {
        return true;
    }
    let Ok(url) = Url::parse(given) else {
        return false;
    };
    let authority = given.split_once("://").map_or(given, |(_, rest)| rest);
    let host = authority.split_once('@').map_or(authority, |(_, host)| host);
    let host_text = host.split(['/', ':']).next().unwrap_or_default();
    let begins_locally = |text: &str| {
        const BEGINNINGS: [&str; 8] =
            ["10.", "127.", "192.168.", "169.254.", "172.16.", "172.31.", "localhost", "0.0.0.0"];
        BEGINNINGS.iter().any(|beginning| text.starts_with(beginning))
    };
    let is_http = url.scheme() == "http";
    let is_fine_over_https = || WebhookUrl::parse(&given.replacen("http:", "https:", 1), false).is_ok();
    let is_mapped =
        |host: &Host<&str>| matches!(host, Host::Ipv6(address) if address.to_ipv4_mapped().is_some());
    let is_about_place = matches!(error, WebhookUrlError::LocalTarget | WebhookUrlError::HttpBeyondLocalhost);
    let is_dotted = host_text.parse::<std::net::Ipv4Addr>().is_ok();
    let holds = |switch, condition: bool| condition && switches.on(switch);
    holds(Switch::WebhookHttpTaken, is_http && is_fine_over_https())
        || holds(Switch::WebhookLocalTaken, is_about_place && !is_fine_over_https())
        || holds(Switch::WebhookDottedOnly, is_about_place && !is_dotted)
        || holds(Switch::WebhookTextOnly, is_about_place && !begins_locally(host_text))
        || holds(Switch::WebhookForgetsLinkLocal, host_text.starts_with("169.254."))
        || holds(Switch::WebhookForgetsIpv6, matches!(url.host(), Some(Host::Ipv6(_))))
        || holds(Switch::WebhookForgetsMapped, url.host().as_ref().is_some_and(is_mapped))
        || holds(
            Switch::WebhookExceptionByPrefix,
            is_http && (authority.starts_with("localhost") || authority.starts_with("127.")),
        )
}
