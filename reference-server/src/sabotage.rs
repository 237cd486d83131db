//! Servers that are wrong on purpose, and servers that are right in an unusual way.
//!
//! A [`Sabotage`] breaks one rule of the protocol; a [`Variant`] keeps them all, where the protocol leaves
//! a choice, in another way than this server. Both are data: changes of requests, responses, event streams
//! and connections by a layer around the server, or a [`Switch`] that the core asks. A server without
//! either has no such layer.

mod event_edit;
mod event_frame;
mod event_stream;
mod load;
mod matcher;
mod notation;
mod outbound;
mod pieces;
mod request_edit;
mod response_edit;
mod service;
mod socket;
mod switch;
mod switches;
mod text_edit;
mod value_test;
mod variant;

use std::sync::Arc;

use serde::Deserialize;

pub use load::{FixtureMistake, Source, sabotage_schema, sabotages, variant_schema, variants};
pub use switch::Switch;
pub use switches::Switches;
pub use variant::Variant;

pub(crate) use outbound::{DeliveryFaults, Outbound};
pub(crate) use service::TamperedService;

use self::{
    event_edit::EventEdit,
    matcher::On,
    notation::OneOrMany,
    outbound::{DeliveryEdit, WakeEventEdit},
    request_edit::RequestEdit,
    response_edit::ResponseEdit,
    socket::SocketEdit,
};

/// A deliberate violation of one rule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sabotage {
    /// The id of the rule.
    pub breaks: String,
    /// Unique among the sabotages of the rule.
    pub name: String,
    /// What the server does wrong, as a sentence.
    pub title: String,
    /// A fault in the core.
    #[serde(default)]
    switch: Option<Switch>,
    #[serde(default)]
    on: On,
    #[serde(default)]
    request: RequestEdit,
    #[serde(default)]
    refuse: Option<Refuse>,
    #[serde(default)]
    repeat: bool,
    #[serde(default)]
    beforehand: OneOrMany<RequestEdit>,
    #[serde(default)]
    afterwards: OneOrMany<RequestEdit>,
    #[serde(default)]
    response: ResponseEdit,
    #[serde(default)]
    events: Option<EventEdit>,
    #[serde(default)]
    socket: SocketEdit,
    #[serde(default)]
    deliveries: Option<DeliveryEdit>,
    #[serde(default)]
    wake_events: Option<WakeEventEdit>,
    /// More changes that belong to the same fault.
    #[serde(default)]
    also: Vec<Edit>,
}

/// Changes of the exchanges that fit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Edit {
    on: On,
    /// Changes of the request.
    request: RequestEdit,
    /// The server never sees the request.
    refuse: Option<Refuse>,
    /// The server sees the request twice.
    repeat: bool,
    /// Other requests that the server sees first: the client's own with these changes.
    beforehand: OneOrMany<RequestEdit>,
    /// Likewise, before the response is sent.
    afterwards: OneOrMany<RequestEdit>,
    response: ResponseEdit,
    events: Option<EventEdit>,
    socket: SocketEdit,
}

/// An answer that the server is not asked for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Refuse {
    status: u16,
    #[serde(default)]
    title: String,
}

impl Sabotage {
    /// `RULE#name`.
    pub fn id(&self) -> String {
        format!("{}#{}", self.breaks, self.name)
    }

    /// Whether it does nothing at all.
    fn is_idle(&self) -> bool {
        let edits = self.edits();
        self.switch.is_none()
            && self.deliveries.is_none()
            && self.wake_events.is_none()
            && edits.iter().all(|edit| *edit == Edit { on: edit.on.clone(), ..Edit::default() })
    }

    fn edits(&self) -> Vec<Edit> {
        let own = Edit {
            on: self.on.clone(),
            request: self.request.clone(),
            refuse: self.refuse.clone(),
            repeat: self.repeat,
            beforehand: self.beforehand.clone(),
            afterwards: self.afterwards.clone(),
            response: self.response.clone(),
            events: self.events.clone(),
            socket: self.socket.clone(),
        };
        std::iter::once(own).chain(self.also.iter().cloned()).collect()
    }
}

/// All changes that a server is to make.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    edits: Vec<Edit>,
    exact_names: Arc<[String]>,
}

impl Faults {
    /// `None` when nothing is to be changed: then there is to be no layer.
    pub(crate) fn of(sabotages: &[Sabotage], variants: &[Variant]) -> Option<Arc<Self>> {
        let idle = Edit::default();
        let edits: Vec<Edit> = sabotages
            .iter()
            .flat_map(Sabotage::edits)
            .chain(variants.iter().flat_map(|variant| variant.edits.iter().cloned()))
            .filter(|edit| *edit != idle)
            .collect();
        let exact_names = edits.iter().flat_map(|edit| edit.socket.exact_names.iter().cloned()).collect();
        (!edits.is_empty()).then(|| Arc::new(Self { edits, exact_names }))
    }

    fn edits(&self) -> impl Iterator<Item = &Edit> {
        self.edits.iter()
    }
}

/// The faults that the core is asked for.
pub(crate) fn switches(sabotages: &[Sabotage]) -> Switches {
    sabotages.iter().filter_map(|sabotage| sabotage.switch).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    #[test]
    fn a_server_without_faults_has_no_layer() {
        let config = Config::default();
        assert!(Faults::of(&config.sabotages, &config.variants).is_none());
        assert_eq!(switches(&config.sabotages), Switches::NONE);
    }

    #[test]
    fn a_switch_needs_no_layer() {
        let text = "[{ breaks: seq.bytewise-order, name: as-number, title: x, switch: seq-as-number }]";
        let known = sabotages([Source { path: "x", text }]).unwrap();
        assert!(Faults::of(&known, &[]).is_none());
        assert!(switches(&known).on(Switch::SeqAsNumber));
    }
}
