//! The steps that look at webhook deliveries.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{
    answer::Demands,
    case::Context,
    receiver::{Answer as ScriptedAnswer, Delivery, Receiver},
    stage::{Answer, Halt},
};
use crate::{
    case::{AwaitDelivery, Gap, ReceiverSpec},
    check::{self, Finding, Names, Seen, verify_delivery},
    rule::RuleId,
    wire::{Ending, Request},
};

/// How long a delivery may take where no time is demanded: longer than a first retry.
const PATIENCE: Duration = Duration::from_secs(8);

impl Context<'_> {
    /// Opens a receiver; `$name.url` is where the target finds it.
    pub(super) async fn receiver(&self, spec: &ReceiverSpec) -> Result<(), Halt> {
        let target = &self.stage.world.target;
        if !target.is_on_loopback() {
            let why = format!(
                "{} is not on this machine: it cannot deliver to the suite's receiver, which listens on 127.0.0.1",
                target.name()
            );
            return Err(Halt::Blocked { rule: None, why });
        }
        let names = self.stage.names();
        let mut script = Vec::new();
        for answer in &spec.answers {
            let body = match (&answer.json, &answer.text) {
                (Some(value), _) => check::render_json(value, &names)
                    .map_err(|unbound| Halt::Errored(unbound.to_string()))?
                    .to_string(),
                (None, Some(text)) => self.stage.render(text, &names)?,
                (None, None) => String::new(),
            };
            let delay = answer.delay.map_or(Duration::ZERO, |delay| delay.0);
            let status = (!answer.hangs_up).then(|| answer.status.unwrap_or(200));
            script.push(ScriptedAnswer { status, body: Bytes::from(body), delay });
        }
        let receiver = Receiver::start(script)
            .await
            .map_err(|error| Halt::Errored(format!("no webhook receiver on 127.0.0.1: {error}")))?;
        self.stage.set(&format!("{}.url", spec.name), receiver.url());
        self.stage.receivers.lock().await.insert(spec.name.clone(), receiver);
        Ok(())
    }

    /// Waits for the next delivery and looks at it.
    pub(super) async fn await_delivery(&self, spec: &AwaitDelivery) -> Result<(), Halt> {
        let mut receivers = self.stage.receivers.lock().await;
        let receiver = receivers.get_mut(&spec.name).ok_or_else(|| self.no_receiver(&spec.name))?;
        let previous = self.stage.step_began(&spec.name);
        let patience = spec.within.map_or(PATIENCE, |within| within.0);
        let Some(delivery) = receiver.next_by(Instant::now() + patience).await else {
            let finding = Finding::new("webhook delivery", format!("one within {patience:?}"), "none");
            let blame = self.blame_for(spec.proves.as_deref(), None);
            self.stage.judge(vec![finding], &blame, None)?;
            return Err(Halt::Done);
        };
        let exchange = self.stage.keep(delivery.record(receiver.address, self.stage.world.epoch));
        self.stage.mark_step(&spec.name, delivery.at);
        if let (Some(gap), Some(previous)) = (&spec.gap, previous) {
            let finding = gap_finding(gap, delivery.at.saturating_duration_since(previous));
            let late = gap.at_most.map_or(Duration::ZERO, |most| most.0);
            let findings = self.stage.excuse_slowness(finding.into_iter().collect(), late).await?;
            self.stage.judge(findings, &self.blame_for(spec.proves.as_deref(), None), Some(exchange))?;
        }
        if let Some(method) = spec.method.as_ref().filter(|method| **method != delivery.method) {
            let finding = Finding::new("method of the delivery", method.as_str(), delivery.method.as_str());
            self.stage.judge(vec![finding], &self.blame_for(spec.proves.as_deref(), None), Some(exchange))?;
        }
        let seen = seen(&delivery);
        if spec.signed {
            let findings = self.signature(&delivery).await?;
            self.stage.judge(
                findings,
                &self.blame_for(Some(&[RuleId::new("webhook.signature")]), None),
                Some(exchange),
            )?;
        }
        let base = RuleId::new("webhook.request-form");
        let demands = Demands { expect: spec.expect.as_ref(), also: &spec.also, accept: &[], base };
        self.answer(&Answer { seen: seen.clone(), exchange }, &demands).await?;
        self.save(&spec.save, &seen, &demands.base)
    }

    /// No delivery comes for that long.
    pub(super) async fn no_delivery(&self, name: &str, time: Duration) -> Result<(), Halt> {
        let mut receivers = self.stage.receivers.lock().await;
        let receiver = receivers.get_mut(name).ok_or_else(|| self.no_receiver(name))?;
        let Some(delivery) = receiver.next_by(Instant::now() + time).await else {
            return Ok(());
        };
        let exchange = self.stage.keep(delivery.record(receiver.address, self.stage.world.epoch));
        let actual = format!("one with {}", check::BodyRender(&delivery.body));
        let finding = Finding::new("webhook delivery", format!("none for {time:?}"), actual);
        self.stage.judge(vec![finding], &self.blame_for(None, None), Some(exchange))
    }

    /// Holds the signature against the key that the target publishes.
    async fn signature(&self, delivery: &Delivery) -> Result<Vec<Finding>, Halt> {
        let names = self.stage.names();
        let path = format!("{}/__ds/jwks.json", names.value("root").unwrap_or_default());
        let target = self.stage.world.target.at(&path).map_err(|error| Halt::Errored(error.to_string()))?;
        let keys = self.stage.send(Request::new("GET", target), self.stage.world.options.request_limit).await;
        let keys = keys.map_err(|failure| Halt::Blocked {
            rule: Some(RuleId::new("jwks.exposed")),
            why: failure.error.to_string(),
        })?;
        if keys.seen.status != 200 {
            let why = format!("{}: the key set is answered {}", self.place, keys.seen.status);
            return Err(Halt::Blocked { rule: Some(RuleId::new("jwks.exposed")), why });
        }
        let signature = delivery.headers.text("Webhook-Signature");
        let now = jiff::Timestamp::now().as_second();
        Ok(match verify_delivery(signature.as_deref(), &delivery.body, &keys.seen.body, now) {
            Ok(()) => Vec::new(),
            Err(why) => vec![Finding::new("Webhook-Signature", "a signature by a published key", why)],
        })
    }

    fn no_receiver(&self, name: &str) -> Halt {
        Halt::Errored(format!("{}: no receiver named {name} was opened", self.place))
    }
}

/// The time between two deliveries against its bounds; only one that is too long can be the machine's fault.
fn gap_finding(gap: &Gap, seen: Duration) -> Option<Finding> {
    let (least, most) = (gap.at_least.0, gap.at_most.map(|most| most.0));
    let late = most.is_some_and(|most| seen > most);
    (late || seen < least).then(|| {
        let most = most.map(|most| format!(" and {most:?} at most")).unwrap_or_default();
        let expected = format!("{least:?} at least{most}");
        let mut finding = Finding::new("time since the delivery before", expected, format!("{seen:.0?}"));
        finding.late = late;
        finding
    })
}

/// A delivery as expectations look at it; its status means nothing.
fn seen(delivery: &Delivery) -> Seen {
    Seen {
        status: 200,
        headers: delivery.headers.clone(),
        body: delivery.body.clone(),
        ending: Ending::Clean,
        elapsed: Duration::ZERO,
        url: None,
    }
}
