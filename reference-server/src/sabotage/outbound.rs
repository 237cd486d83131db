//! Changes of what the server sends by itself: webhook deliveries, and the events that wake workers.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use ::http::{HeaderMap, HeaderValue, Method, StatusCode};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Sabotage,
    notation::{Name, Pairs, Span},
    request_edit::transform_headers,
    text_edit::{Steps, edit_bytes, edit_text},
};

/// What becomes of a webhook delivery.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DeliveryEdit {
    /// Only the one attempt with this number of its subscription, from 1.
    nth: Option<u32>,
    /// The attempts from this number on.
    from_nth: Option<u32>,
    method: Option<String>,
    /// Headers to leave out.
    drop: Vec<Name>,
    set: Pairs<Name, String>,
    transform: Pairs<Name, Steps>,
    /// Changes of the body before it is signed.
    body: Steps,
    signature: SignatureEdit,
    /// Changes of the body that its signature does not know of.
    body_once_signed: Steps,
    /// How much later it is sent.
    delay: Option<Span>,
    /// It is never sent, and the server takes it for delivered.
    lose: bool,
    /// It is sent twice.
    repeat: bool,
    /// What the server takes the receiver's answer for.
    answer: AnswerEdit,
}

/// What becomes of a signature.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct SignatureEdit {
    /// Changes of the time, in the header and in what is signed.
    time: Steps,
    /// Changes of the bytes that are signed.
    signed: Steps,
    kid: Steps,
    /// Changes of the signature as it is written.
    value: Steps,
}

/// What becomes of an answer to a delivery.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct AnswerEdit {
    status: Option<u16>,
    body: Steps,
}

/// What becomes of an event in a wake stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WakeEventEdit {
    body: Steps,
    /// It is never appended, and the server takes it for appended.
    lose: bool,
    /// It is appended twice.
    repeat: bool,
}

/// All changes of what the server sends by itself.
#[derive(Debug, Default)]
pub(crate) struct Outbound {
    deliveries: Vec<DeliveryEdit>,
    wake_events: Vec<WakeEventEdit>,
    /// Attempts to deliver, by subscription.
    attempts: Mutex<HashMap<String, u32>>,
}

impl Outbound {
    pub(crate) fn of(sabotages: &[Sabotage]) -> Self {
        let deliveries = sabotages.iter().filter_map(|sabotage| sabotage.deliveries.clone()).collect();
        let wake_events = sabotages.iter().filter_map(|sabotage| sabotage.wake_events.clone()).collect();
        Self { deliveries, wake_events, attempts: Mutex::default() }
    }

    /// The changes for the next attempt to deliver something to this subscription.
    pub(crate) fn for_attempt(&self, subscription: &str) -> DeliveryFaults<'_> {
        if self.deliveries.is_empty() {
            return DeliveryFaults::default();
        }
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let number = attempts.entry(subscription.to_owned()).or_default();
        *number += 1;
        let is_meant = |edit: &&DeliveryEdit| {
            edit.nth.is_none_or(|nth| nth == *number) && edit.from_nth.is_none_or(|first| first <= *number)
        };
        DeliveryFaults(self.deliveries.iter().filter(is_meant).collect())
    }

    /// The events that are appended in place of one.
    pub(crate) fn wake_events(&self, event: Value) -> Vec<Value> {
        if self.wake_events.is_empty() {
            return vec![event];
        }
        let edited =
            self.wake_events.iter().fold(event.to_string(), |text, edit| edit_text(&edit.body, &text));
        let lose = self.wake_events.iter().any(|edit| edit.lose);
        let repeat = self.wake_events.iter().any(|edit| edit.repeat);
        vec![serde_json::from_str(&edited).unwrap_or(event); copies(lose, repeat)]
    }
}

fn copies(lose: bool, repeat: bool) -> usize {
    match (lose, repeat) {
        (true, _) => 0,
        (false, true) => 2,
        (false, false) => 1,
    }
}

/// The changes that one delivery is in for.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeliveryFaults<'a>(Vec<&'a DeliveryEdit>);

impl DeliveryFaults<'_> {
    pub(crate) fn body(&self, body: Vec<u8>) -> Vec<u8> {
        self.steps(body, |edit| &edit.body)
    }

    pub(crate) fn signing_time(&self, time: String) -> String {
        self.text(time, |edit| &edit.signature.time)
    }

    pub(crate) fn signed(&self, signed: Vec<u8>) -> Vec<u8> {
        self.steps(signed, |edit| &edit.signature.signed)
    }

    pub(crate) fn kid(&self, kid: String) -> String {
        self.text(kid, |edit| &edit.signature.kid)
    }

    pub(crate) fn signature(&self, signature: String) -> String {
        self.text(signature, |edit| &edit.signature.value)
    }

    /// Changes the request that is about to be sent.
    pub(crate) fn change(&self, method: &mut Method, headers: &mut HeaderMap, body: &mut Bytes) {
        for edit in &self.0 {
            if let Some(other) =
                edit.method.as_ref().and_then(|name| Method::from_bytes(name.as_bytes()).ok())
            {
                *method = other;
            }
            for name in &edit.drop {
                headers.remove(&name.0);
            }
            for (name, text) in &edit.set.0 {
                if let Ok(value) = HeaderValue::from_str(text) {
                    headers.insert(name.0.clone(), value);
                }
            }
            transform_headers(&edit.transform, headers);
            if !edit.body_once_signed.0.is_empty() {
                *body = edit_bytes(&edit.body_once_signed, body);
            }
        }
    }

    pub(crate) fn delay(&self) -> Duration {
        self.0.iter().filter_map(|edit| edit.delay).map(|delay| delay.0).sum()
    }

    /// How often it is sent.
    pub(crate) fn copies(&self) -> usize {
        copies(self.0.iter().any(|edit| edit.lose), self.0.iter().any(|edit| edit.repeat))
    }

    /// Changes what the receiver answered.
    pub(crate) fn change_answer(&self, status: &mut StatusCode, body: &mut Option<Bytes>) {
        for edit in &self.0 {
            if let Some(other) = edit.answer.status.and_then(|status| StatusCode::from_u16(status).ok()) {
                *status = other;
            }
            if !edit.answer.body.0.is_empty() {
                let answered = body.take().unwrap_or_default();
                *body = Some(edit_bytes(&edit.answer.body, &answered));
            }
        }
    }

    fn steps(&self, bytes: Vec<u8>, of: impl Fn(&DeliveryEdit) -> &Steps) -> Vec<u8> {
        self.0.iter().fold(bytes, |bytes, edit| match of(edit) {
            steps if steps.0.is_empty() => bytes,
            steps => edit_bytes(steps, &bytes).into(),
        })
    }

    fn text(&self, text: String, of: impl Fn(&DeliveryEdit) -> &Steps) -> String {
        self.0.iter().fold(text, |text, edit| edit_text(of(edit), &text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sabotage::{Source, sabotages};

    fn outbound(edits: &str) -> Outbound {
        let text = format!("[{{ breaks: webhook.signature, name: x, title: x, {edits} }}]");
        Outbound::of(&sabotages([Source { path: "x", text: &text }]).unwrap())
    }

    #[test]
    fn a_server_without_faults_changes_nothing() {
        let outbound = Outbound::default();
        let faults = outbound.for_attempt("s");
        assert_eq!(faults.body(b"b".to_vec()), b"b");
        assert_eq!((faults.copies(), faults.delay()), (1, Duration::ZERO));
        assert_eq!(outbound.wake_events(Value::from(1)), [Value::from(1)]);
    }

    #[test]
    fn attempts_are_counted_by_subscription() {
        let outbound = outbound("deliveries: { from_nth: 2, lose: true }");
        let copies = |subscription| outbound.for_attempt(subscription).copies();
        assert_eq!([copies("a"), copies("b"), copies("a"), copies("a")], [1, 1, 0, 0]);
    }

    #[test]
    fn a_delivery_is_changed_from_body_to_answer() {
        let outbound = outbound(
            "deliveries: { method: PUT, drop: [X-A], set: { X-B: b }, body: { append: 1 }, \
             body_once_signed: { append: 2 }, answer: { status: 500 } }",
        );
        let faults = outbound.for_attempt("s");
        assert_eq!(faults.body(b"b".to_vec()), b"b1");
        let (mut method, mut body) = (Method::POST, Bytes::from("b1"));
        let mut headers = HeaderMap::from_iter([("x-a".parse().unwrap(), HeaderValue::from_static("a"))]);
        faults.change(&mut method, &mut headers, &mut body);
        assert_eq!((method.as_str(), &*body, headers.len()), ("PUT", &b"b12"[..], 1));
        let (mut status, mut answer) = (StatusCode::OK, None);
        faults.change_answer(&mut status, &mut answer);
        assert_eq!((status.as_u16(), answer), (500, None));
    }
}
