//! Whether the target has ceased to answer anything.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Notify;

use crate::wire::{Ending, Response, WireError};

/// So many requests one after the other, none of them with an end, and no answer between them: nobody is there any more.
const MOST: u32 = 24;

/// Counts requests that took all the time they had.
#[derive(Default)]
pub(super) struct Stalls {
    in_a_row: AtomicU32,
    gave_up: Notify,
}

impl Stalls {
    /// Takes note of what came of a request.
    pub(super) fn note(&self, result: &Result<Response, WireError>, has_no_end: bool) {
        let stalled = match result {
            Ok(response) => response.ending == Ending::TimedOut && !has_no_end,
            Err(error) => matches!(error, WireError::NoAnswer { .. }),
        };
        if !stalled {
            // Once given up on, a target is not asked any more.
            let _ = self
                .in_a_row
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| (now < MOST).then_some(0));
        } else if self.in_a_row.fetch_add(1, Ordering::Relaxed) + 1 >= MOST {
            self.gave_up.notify_waiters();
        }
    }

    /// Completes when the target is given up on; gives the reason.
    pub(super) async fn too_many(&self) -> String {
        let gave_up = self.gave_up.notified();
        if !self.are_too_many() {
            gave_up.await;
        }
        format!("the target has ceased to answer: {MOST} requests in a row came to no end")
    }

    pub(super) fn are_too_many(&self) -> bool {
        self.in_a_row.load(Ordering::Relaxed) >= MOST
    }
}
