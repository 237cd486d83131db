//! Flags first, then the file of settings, then what holds without either.

use std::path::PathBuf;

use super::{CheckArguments, headers::StandingHeaders};
use crate::{
    cli::{
        Misuse,
        config::{ConfigFile, Settings, Timings},
    },
    report::{Destination, Sink},
};

/// What only the file says.
#[derive(Clone, Debug, Default)]
pub(super) struct FromFile {
    pub(super) headers: StandingHeaders,
    /// Where the command that starts the target is run.
    pub(super) folder: Option<PathBuf>,
}

impl CheckArguments {
    /// The arguments with what the file of settings adds; a flag wins over the file, a list over a list.
    pub(super) fn completed(&self) -> Result<Self, Misuse> {
        let mut all = self.clone();
        if self.no_config {
            return Ok(all);
        }
        let Some(mut file) = ConfigFile::find(self.config.as_deref())? else { return Ok(all) };
        eprintln!("settings from {}", file.path.display());
        all.from_file.headers = file.headers()?;
        if all.start.command.is_none() {
            all.from_file.folder = file.folder();
        }
        let settings = std::mem::take(&mut file.settings);
        all.take(settings, |path| file.beside(&path));
        Ok(all)
    }

    fn take(&mut self, file: Settings, beside: impl Fn(PathBuf) -> PathBuf) {
        let paths = |paths: Vec<PathBuf>| paths.into_iter().map(&beside).collect();
        fill(&mut self.url, file.url.map(|url| url.0));
        fill(&mut self.start.command, file.start.map(|command| command.0));
        fill(&mut self.start.start_timeout, file.start_timeout);
        fill(&mut self.start.start_log, file.start_log.map(&beside));
        fill_list(&mut self.watch, paths(file.watch));
        fill_list(&mut self.only, file.only.into_iter().map(|pattern| pattern.0).collect());
        fill_list(&mut self.skip, file.skip.into_iter().map(|pattern| pattern.0).collect());
        fill_list(&mut self.without, file.without);
        fill(&mut self.fail_on, file.fail_on);
        fill(&mut self.known_failures, file.known_failures.map(&beside));
        let reports = file.report.into_iter().map(|report| beside_destination(report.0, &beside)).collect();
        fill_list(&mut self.report, reports);
        fill_list(&mut self.header_file, paths(file.header_file));
        fill_list(&mut self.cacert, paths(file.cacert));
        self.insecure |= file.insecure;
        self.http2 |= file.http2;
        fill(&mut self.jobs, file.jobs.map(|number| number.0));
        fill(&mut self.repeat, file.repeat.map(|number| number.0));
        fill(&mut self.shard, file.shard.map(|shard| shard.0));
        fill(&mut self.seed, file.seed);
        fill(&mut self.max_wait, file.max_wait);
        fill(&mut self.max_time, file.max_time);
        let Timings { long_poll_timeout, sse_lifetime, heartbeat, batch_interval } = file.timings;
        fill(&mut self.long_poll_timeout, long_poll_timeout);
        fill(&mut self.sse_lifetime, sse_lifetime);
        fill(&mut self.logs.heartbeat, heartbeat);
        fill(&mut self.logs.batch_interval, batch_interval);
        fill(&mut self.logs.suite, file.suite);
        fill(&mut self.logs.logs_url, file.logs_url.map(|url| url.0.0));
        fill(&mut self.logs.emit_url, file.emit_url.map(|url| url.0.0));
        fill(&mut self.logs.emit_status_url, file.emit_status_url.map(|url| url.0.0));
        fill_list(&mut self.streams.stream, file.stream);
        fill(&mut self.fixtures, file.fixtures.map(&beside));
    }
}

fn beside_destination(
    Destination { format, sink }: Destination,
    beside: impl Fn(PathBuf) -> PathBuf,
) -> Destination {
    let sink = match sink {
        Sink::File(path) => Sink::File(beside(path)),
        Sink::Stdout => Sink::Stdout,
    };
    Destination { format, sink }
}

fn fill<T>(flag: &mut Option<T>, of_file: Option<T>) {
    if flag.is_none() {
        *flag = of_file;
    }
}

fn fill_list<T>(flags: &mut Vec<T>, of_file: Vec<T>) {
    if flags.is_empty() {
        *flags = of_file;
    }
}
