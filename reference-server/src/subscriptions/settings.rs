//! The configuration a client gives a subscription (section 6.2).

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::config::SubscriptionConfig;
use super::faults;
use super::path::StreamPath;
use super::pattern::Pattern;
use super::refusal::Refusal;
use super::webhook_url::WebhookUrl;
use crate::sabotage::{Switch, Switches};

const LONGEST_DESCRIPTION_BYTES: usize = 4096;

/// A valid, normalised configuration. It never changes after the subscription's creation: streams linked later
/// are no part of it.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) delivery: DeliveryKind,
    pub(super) pattern: Option<Pattern>,
    pub(super) streams: BTreeSet<StreamPath>,
    pub(super) lease: Duration,
    pub(super) description: Option<String>,
    /// The text that was given, where a faulty server compares that.
    letters: Option<Box<[u8]>>,
    /// What goes wrong with this subscription on purpose.
    pub(super) switches: Switches,
}

/// How a subscription's workers learn of pending work.
#[derive(Clone, Debug)]
pub(super) enum DeliveryKind {
    Webhook(WebhookUrl),
    PullWake { wake_stream: StreamPath },
}

/// Digest of a normalised configuration; equal for equal configurations.
pub(super) type SettingsHash = [u8; 32];

/// The body as it may arrive. Unknown fields are ignored, `null` counts as absent.
#[derive(Deserialize)]
struct Given {
    r#type: Option<String>,
    pattern: Option<String>,
    streams: Option<Vec<String>>,
    webhook: Option<Value>,
    wake_stream: Option<String>,
    lease_ttl_ms: Option<u64>,
    description: Option<String>,
}

impl Settings {
    pub(super) fn parse(
        body: &[u8],
        config: &SubscriptionConfig,
        switches: Switches,
    ) -> Result<Self, Refusal> {
        let read = faults::misread(body, config, switches);
        let given: Given = serde_json::from_slice(&read)
            .map_err(|mistake| Refusal::Invalid(format!("the body is not right: {mistake}")))?;
        let delivery = DeliveryKind::parse(&given, config, switches)?;
        let pattern = given
            .pattern
            .as_deref()
            .map(Pattern::parse)
            .transpose()
            .map_err(|mistake| Refusal::Invalid(mistake.to_string()))?;
        let streams = parse_paths(given.streams.as_deref().unwrap_or_default())?;
        faults::demand_more(pattern.is_some(), !streams.is_empty(), switches)?;
        if pattern.is_none() && streams.is_empty() && !switches.on(Switch::NothingSubscribedTo) {
            return Err(invalid("pattern or streams must be given"));
        }
        if streams.len() > config.limits.streams_per_subscription {
            return Err(too_many_streams(config));
        }
        if given.description.as_ref().is_some_and(|text| text.len() > LONGEST_DESCRIPTION_BYTES) {
            return Err(invalid("description is too long"));
        }
        Ok(Self {
            delivery,
            pattern,
            streams,
            lease: parse_lease(given.lease_ttl_ms, config, switches)?,
            description: given.description,
            letters: switches.on(Switch::ConfigComparedToTheLetter).then(|| body.into()),
            switches,
        })
    }

    /// What re-confirmation compares (section 6.2). Fields that do not apply to the type are no part of it.
    pub(super) fn hash(&self) -> SettingsHash {
        let (kind, target) = match &self.delivery {
            DeliveryKind::Webhook(url) => ("webhook", url.normalised()),
            DeliveryKind::PullWake { wake_stream } => ("pull-wake", wake_stream.as_str()),
        };
        if let Some(letters) = &self.letters {
            return Sha256::digest(letters).into();
        }
        let counts = |forgotten| !self.switches.on(forgotten);
        let canonical = json!([
            counts(Switch::ConfigForgetsTarget).then_some([kind, target]),
            self.pattern.as_ref().filter(|_| counts(Switch::ConfigForgetsPattern)).map(Pattern::as_str),
            counts(Switch::ConfigForgetsStreams).then_some(&self.streams),
            counts(Switch::ConfigForgetsLease).then_some(self.lease.as_millis()),
            self.description.as_ref().filter(|_| counts(Switch::ConfigForgetsDescription)),
        ]);
        Sha256::digest(canonical.to_string()).into()
    }

    pub(super) fn pattern_matches(&self, path: &str) -> bool {
        self.pattern.as_ref().is_some_and(|pattern| pattern.matches(path, self.switches))
    }
}

impl DeliveryKind {
    fn parse(given: &Given, config: &SubscriptionConfig, switches: Switches) -> Result<Self, Refusal> {
        match given.r#type.as_deref() {
            Some("webhook") => {
                let url = given
                    .webhook
                    .as_ref()
                    .and_then(|webhook| webhook.get("url"))
                    .and_then(Value::as_str)
                    .ok_or_else(|| invalid("type webhook needs webhook.url, a string"))?;
                Ok(Self::Webhook(faults::webhook_url(url, config.development, switches)?))
            }
            Some("pull-wake") => {
                let path = given
                    .wake_stream
                    .as_deref()
                    .ok_or_else(|| invalid("type pull-wake needs wake_stream"))?;
                let wake_stream = StreamPath::parse(path)
                    .map_err(|mistake| Refusal::Invalid(format!("wake_stream: {mistake}")))?;
                Ok(Self::PullWake { wake_stream })
            }
            _ => Err(invalid("type must be webhook or pull-wake")),
        }
    }
}

/// Stream paths of a request, each once.
pub(super) fn parse_paths(given: &[String]) -> Result<BTreeSet<StreamPath>, Refusal> {
    given
        .iter()
        .map(|path| StreamPath::parse(path))
        .collect::<Result<_, _>>()
        .map_err(|mistake| Refusal::Invalid(format!("streams: {mistake}")))
}

pub(super) fn too_many_streams(config: &SubscriptionConfig) -> Refusal {
    Refusal::Limit(format!("{} streams for each subscription", config.limits.streams_per_subscription))
}

fn parse_lease(
    given: Option<u64>,
    config: &SubscriptionConfig,
    switches: Switches,
) -> Result<Duration, Refusal> {
    let doubled = if switches.on(Switch::LeaseDefaultIsAMinute) { 2 } else { 1 };
    let lease = given.map_or(config.default_lease * doubled, Duration::from_millis);
    let is_end = lease == config.minimum_lease || lease == config.maximum_lease;
    let is_outside = lease < config.minimum_lease || lease > config.maximum_lease;
    if (is_outside && !switches.on(Switch::LeaseRangeIgnored))
        || (is_end && switches.on(Switch::LeaseEndsExcluded))
    {
        return Err(Refusal::Invalid(format!(
            "lease_ttl_ms must be between {} and {}",
            config.minimum_lease.as_millis(),
            config.maximum_lease.as_millis()
        )));
    }
    Ok(lease)
}

fn invalid(text: &str) -> Refusal {
    Refusal::Invalid(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: Value) -> Result<Settings, Refusal> {
        Settings::parse(body.to_string().as_bytes(), &SubscriptionConfig::default(), Switches::NONE)
    }

    fn pull(change: impl FnOnce(&mut Value)) -> Result<Settings, Refusal> {
        let mut body = json!({ "type": "pull-wake", "streams": ["b", "a"], "wake_stream": "wake/pool" });
        change(&mut body);
        parse(body)
    }

    fn is_invalid(result: Result<Settings, Refusal>) -> bool {
        matches!(result, Err(Refusal::Invalid(_)))
    }

    #[test]
    fn what_must_be_there_is_asked_for() {
        assert!(is_invalid(pull(|body| body["type"] = json!("push"))));
        assert!(is_invalid(pull(|body| body["type"] = Value::Null)));
        assert!(is_invalid(pull(|body| body["wake_stream"] = Value::Null)));
        assert!(is_invalid(pull(|body| body["streams"] = json!([]))));
        assert!(is_invalid(pull(|body| body["streams"] = json!([1]))));
        assert!(is_invalid(pull(|body| body["streams"] = json!(["__ds/x"]))));
        assert!(is_invalid(pull(|body| body["pattern"] = json!(""))));
        assert!(is_invalid(parse(json!({ "type": "webhook", "streams": ["a"] }))));
        assert!(is_invalid(parse(json!([1]))));
        assert!(is_invalid(Settings::parse(b"{", &SubscriptionConfig::default(), Switches::NONE)));
    }

    #[test]
    fn the_lease_has_a_range_and_a_default() {
        let lease = |value: Value| pull(|body| body["lease_ttl_ms"] = value).map(|s| s.lease.as_millis());
        assert_eq!(lease(Value::Null), Ok(30_000));
        assert_eq!(lease(json!(1000)), Ok(1000));
        assert_eq!(lease(json!(600_000)), Ok(600_000));
        for refused in [json!(999), json!(600_001), json!(-1), json!(1.5), json!("1000")] {
            assert!(lease(refused.clone()).is_err(), "{refused}");
        }
    }

    #[test]
    fn the_hash_covers_what_was_configured_and_nothing_else() {
        let same = pull(|_| ()).unwrap().hash();
        for equal in [
            pull(|body| body["streams"] = json!(["a", "/b/", "a"])),
            pull(|body| body["lease_ttl_ms"] = json!(30_000)),
            pull(|body| body["description"] = Value::Null),
            pull(|body| body["webhook"] = json!({ "url": "https://worker.example/" })),
            pull(|body| body["unknown"] = json!(1)),
        ] {
            assert_eq!(equal.unwrap().hash(), same);
        }
        for other in [
            pull(|body| body["streams"] = json!(["a"])),
            pull(|body| body["pattern"] = json!("a/*")),
            pull(|body| body["wake_stream"] = json!("wake/other")),
            pull(|body| body["lease_ttl_ms"] = json!(30_001)),
            pull(|body| body["description"] = json!("")),
            pull(|body| {
                body["type"] = json!("webhook");
                body["webhook"] = json!({ "url": "https://worker.example/" });
            }),
        ] {
            assert_ne!(other.unwrap().hash(), same);
        }
    }
}
