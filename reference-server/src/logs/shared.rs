//! The state that requests share, and the clocks it is driven by.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::config::LogsConfig;
use super::faults;
use super::store::{OpenWindow, Store};
use crate::sabotage::Switches;

#[derive(Debug, Clone)]
pub(super) struct Logs {
    pub(super) config: LogsConfig,
    pub(super) switches: Switches,
    /// Cancelled to end every stream, after what it still has to send.
    pub(super) ending: CancellationToken,
    /// Held for microseconds at a time and never across an await: a lock of the standard library does.
    store: Arc<Mutex<Store>>,
    readers: Arc<Semaphore>,
}

/// Without a bound, a heartbeat of zero would send nothing but pings.
const SHORTEST_HEARTBEAT: Duration = Duration::from_millis(1);

impl Logs {
    pub(super) fn new(mut config: LogsConfig, ending: CancellationToken, switches: Switches) -> Self {
        faults::misset(&mut config, switches);
        config.heartbeat = config.heartbeat.max(SHORTEST_HEARTBEAT);
        let started = u64::try_from(jiff::Timestamp::now().as_microsecond()).unwrap_or_default();
        Self {
            store: Arc::new(Mutex::new(Store::new(config.clone(), started).with_switches(switches))),
            readers: Arc::new(Semaphore::new(config.max_readers)),
            config,
            switches,
            ending,
        }
    }

    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place among the readers, free again when it is dropped.
    pub(super) fn admit_reader(&self) -> Option<OwnedSemaphorePermit> {
        self.readers.clone().try_acquire_owned().ok()
    }

    /// Closes each window in its time.
    pub(super) fn close_later(&self, windows: Vec<OpenWindow>) {
        for (scope, until) in windows {
            let logs = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep_until(until.into()).await;
                logs.store().close_window_if_due(&scope, Instant::now().into_std());
            });
        }
    }
}
