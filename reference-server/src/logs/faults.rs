//! What goes wrong with a log stream that is to go wrong on purpose, where it takes more than a word.

use std::time::Instant;

use super::config::LogsConfig;
use super::entry::{Entry, Level};
use super::query::{Filter, Scope};
use super::status::JobStatus;
use super::store::Store;
use crate::sabotage::{Switch, Switches};

/// Changes of the timings.
pub(super) fn misset(config: &mut LogsConfig, switches: Switches) {
    if switches.on(Switch::LogsBatchesLate) {
        config.batch_interval *= 10;
    }
    if switches.on(Switch::PingsRare) {
        config.heartbeat = config.heartbeat * 11 / 5;
    }
    if switches.on(Switch::PingsOften) {
        config.heartbeat /= 3;
    }
}

/// The filter of the first batch.
pub(super) fn initial_filter(filter: &Filter, switches: Switches) -> Filter {
    slackened(filter, switches.on(Switch::LogsLevelLiveOnly), switches.on(Switch::LogsStepLiveOnly))
}

/// The filter of the batches after it.
pub(super) fn live_filter(filter: &Filter, switches: Switches) -> Filter {
    slackened(filter, switches.on(Switch::LogsLevelInitialOnly), switches.on(Switch::LogsStepInitialOnly))
}

fn slackened(filter: &Filter, any_level: bool, any_step: bool) -> Filter {
    Filter {
        level: if any_level { Level::Debug } else { filter.level },
        step: filter.step.clone().filter(|_| !any_step),
        ..*filter
    }
}

impl Store {
    /// Gives an entry to those who should not have it.
    pub(super) fn leak(&mut self, scope: &Scope, entry: &std::sync::Arc<Entry>, now: Instant) {
        let switches = self.switches();
        let is_of_job = matches!(scope, Scope::Job(_));
        if is_of_job && switches.on(Switch::LogsServiceHearsJobs) {
            let (service, _) = self.channels_mut();
            service.push(entry.clone(), now);
            service.flush();
        }
        if switches.on(if is_of_job { Switch::LogsJobsMixed } else { Switch::LogsJobsHearService }) {
            let (_, jobs) = self.channels_mut();
            for (_, channel) in jobs.filter(|(id, _)| !matches!(scope, Scope::Job(own) if **own == **id)) {
                channel.push(entry.clone(), now);
                channel.flush();
            }
        }
    }

    /// Tells a job's state to those whom it does not concern.
    pub(super) fn leak_status(&mut self, status: &JobStatus) {
        let switches = self.switches();
        let (service, jobs) = self.channels_mut();
        if switches.on(Switch::LogsStatusToService) {
            service.change_status(status.clone());
        }
        if switches.on(Switch::LogsStatusToAllJobs) {
            jobs.for_each(|(_, channel)| channel.change_status(status.clone()));
        }
    }
}
