//! The server's own streams behind [`Streams`], and the way back: what happens to them.

use std::sync::Weak;

use jiff::Timestamp;
use serde_json::Value;

use super::service::Subscriptions;
use super::streams::{AppendRefused, StreamView, Streams};
use crate::core::append::Append;
use crate::core::create::Creation;
use crate::core::offset::Offset;
use crate::core::store::{Store, StreamObserver};
use crate::sabotage::Switch;

impl StreamView for Store {
    fn tail(&self, path: &str) -> Option<String> {
        let tail = Store::tail(self, path, Timestamp::now())?;
        Some(self.offsets.write(tail))
    }

    fn origin(&self, path: &str) -> Option<String> {
        let origin = Store::origin(self, path, Timestamp::now())?;
        Some(self.offsets.write(origin))
    }

    fn is_offset(&self, offset: &str) -> bool {
        self.offsets.read(offset).is_ok()
    }

    fn paths(&self) -> Vec<String> {
        Store::paths(self, Timestamp::now()).iter().map(|path| path.as_ref().to_owned()).collect()
    }
}

impl Streams for Store {
    fn append_json(&self, path: &str, message: &Value) -> Result<(), AppendRefused> {
        let now = Timestamp::now();
        if self.switches.on(Switch::WakeStreamMadeAnew) {
            let _ = self.delete(path, now);
        }
        if self.switches.on(Switch::WakeStreamMadeAnew) || self.switches.on(Switch::WakeStreamMade) {
            let made = Creation { content_type: Some("application/json"), ..Creation::default() };
            let _ = self.create(path, &made, now);
        }
        let stream = self.describe(path, now).map_err(|_| AppendRefused)?;
        let body = message.to_string();
        let append =
            Append { content_type: Some(&stream.content_type), body: body.as_bytes(), ..Append::default() };
        self.append(path, append, now).map_err(|_| AppendRefused)?;
        Ok(())
    }
}

/// Passes on to subscriptions what the store reports. They hold the store, so it must not hold them.
pub(super) struct Observer(pub(super) Weak<Subscriptions>);

impl StreamObserver for Observer {
    fn appended(&self, path: &str, _previous_tail: Offset, _tail: Offset) {
        if let Some(subscriptions) = self.0.upgrade() {
            subscriptions.appended(path);
        }
    }

    fn deleted(&self, path: &str) {
        if let Some(subscriptions) = self.0.upgrade() {
            subscriptions.deleted(path);
        }
    }
}
