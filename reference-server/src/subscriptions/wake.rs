//! Wakes (section 7).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng;

/// Names one wake; unique, so that a request for one wake cannot be replayed into another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WakeId(String);

impl WakeId {
    pub(super) fn random(rng: &mut impl Rng) -> Self {
        Self(format!("w_{}", URL_SAFE_NO_PAD.encode(rng.random::<[u8; 16]>())))
    }

    /// The same one each time, of a faulty server.
    pub(super) fn first() -> Self {
        Self("w_1".to_owned())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// One wake of a subscription: its name and its place in the count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wake {
    pub(super) id: WakeId,
    pub(super) generation: u64,
}
