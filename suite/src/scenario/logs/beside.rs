//! What a target takes for something plain while something else is measured.

use std::{
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use crate::run::Stage;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(30);

impl Stage {
    /// Does something, and gives beside it the longest that a plain request took meanwhile: the slowness of the target,
    /// of the suite and of the machine, none of which speaks against a rule.
    pub(super) async fn beside<T>(&self, work: impl Future<Output = T>) -> (T, Duration) {
        let slowest = AtomicU64::new(0);
        let looking = async {
            loop {
                let began = Instant::now();
                // One that fails has taken its time, too.
                let _ = self.control().await;
                let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
                slowest.fetch_max(took, Ordering::Relaxed);
                tokio::time::sleep(PAUSE).await;
            }
        };
        let done = tokio::select! {
            done = work => done,
            () = looking => unreachable!("it looks for as long as there is work"),
        };
        (done, Duration::from_micros(slowest.load(Ordering::Relaxed)))
    }
}
