//! Which rule stands in the way when a step that only sets the stage fails.

use crate::{
    case::{On, RequestSpec},
    rule::RuleId,
};

/// The rule that says such a request succeeds.
pub(super) fn base_rule(method: &str, spec: &RequestSpec) -> RuleId {
    let has = |name: &str| spec.headers.0.iter().any(|(found, _)| found.eq_ignore_ascii_case(name));
    let live = spec.query.0.iter().find(|(name, _)| name == "live").and_then(|(_, values)| values.first());
    let at = spec.at.as_ref().map(|at| at.source()).unwrap_or_default();
    RuleId::new(match method {
        _ if spec.on == On::Logs => "logs.endpoint",
        _ if spec.on == On::Status => "logs.status-payload",
        "PUT" if at.contains("__ds/subscriptions") => "subscription.create-201",
        "POST" if at.contains("/claim") => "pull.claim-200",
        "POST" if at.contains("/ack") => "pull.ack-done",
        "POST" if at.contains("/release") => "pull.release",
        "POST" if at.contains("/callback") => "webhook.callback-200",
        "POST" if at.contains("/streams") => "subscription.add-streams-204",
        "GET" if at.contains("jwks.json") => "jwks.exposed",
        "GET" if at.contains("__ds/subscriptions") => "subscription.get-representation",
        "DELETE" if at.contains("__ds/subscriptions") => "subscription.delete-204",
        "PUT" if has("Stream-Forked-From") => "fork.create-201",
        "PUT" if has("Stream-Closed") => "closure.create-closed",
        "PUT" if has("Stream-TTL") => "ttl.grammar-400",
        "PUT" if has("Stream-Expires-At") => "ttl.expires-at-format",
        "PUT" => "create.new-201",
        "POST" if has("Producer-Id") => "producer.accept-200",
        "POST" if has("Stream-Closed") && spec.body.is_none() => "closure.close-only-204",
        "POST" if has("Stream-Closed") => "closure.append-and-close-204",
        "POST" => "append.success-204",
        "HEAD" => "head.exists-200-no-body",
        "DELETE" => "delete.success-204",
        "OPTIONS" => "security.cors-preflight",
        _ => match live.map(|live| live.source()) {
            Some("long-poll") => "longpoll.data-immediate-200",
            Some("sse") => "sse.content-type",
            _ => "read.from-start-200",
        },
    })
}
