//! The flags of `streamgauge check` that are about the log stream.

use clap::{Args, ValueEnum};
use serde::Deserialize;
use url::Url;

use super::Misuse;
use crate::{
    case::HumanDuration,
    run::{LogUrls, Suite},
};

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Log stream")]
pub(super) struct LogArguments {
    /// What to check: the streams of the protocol, the log stream, or both [default: streams]
    #[arg(long, value_enum)]
    pub(super) suite: Option<SuiteName>,

    /// The log stream of the target; without it, /api/logs/stream on the server of the stream root.
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub(super) logs_url: Option<Url>,

    /// Where the target takes log lines: POST with one entry, or an array of them. Cases that need a line are not
    /// checked without it.
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub(super) emit_url: Option<Url>,

    /// Where the target takes the status of jobs: PUT at {id}/status below it.
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub(super) emit_status_url: Option<Url>,

    /// How often the target's log stream sends a ping; the rule says every 5 s.
    #[arg(long, value_name = "D", value_parser = some_time)]
    pub(super) heartbeat: Option<HumanDuration>,

    /// How long the target's log stream gathers lines; the rule says 150 ms.
    #[arg(long, value_name = "D", value_parser = some_time)]
    pub(super) batch_interval: Option<HumanDuration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum SuiteName {
    Streams,
    Logs,
    All,
}

impl LogArguments {
    pub(super) fn suite(&self) -> Suite {
        match self.suite.unwrap_or(SuiteName::Streams) {
            SuiteName::Streams => Suite::Streams,
            SuiteName::Logs => Suite::Logs,
            SuiteName::All => Suite::All,
        }
    }

    /// Where everything is, beside that stream root.
    pub(super) fn urls(&self, root: &str) -> Result<LogUrls, Misuse> {
        let beside = || -> Result<Url, Misuse> {
            let root = Url::parse(root).map_err(|error| {
                Misuse::new(format!(
                    "{root:?} is no stream root: {error}; give a URL such as http://127.0.0.1:4437/v1/stream"
                ))
            })?;
            root.join("/api/logs/stream").map_err(Misuse::new)
        };
        Ok(LogUrls {
            stream: Some(self.logs_url.clone().map_or_else(beside, Ok)?),
            emit: self.emit_url.clone(),
            status: self.emit_status_url.clone(),
        })
    }

    /// The server of the log stream, where nothing but the log stream is to be checked.
    pub(super) fn server(&self) -> Option<String> {
        let url = self.logs_url.as_ref().filter(|_| self.suite == Some(SuiteName::Logs))?;
        Some(url.origin().ascii_serialization())
    }

    /// Whether a flag speaks of a target.
    pub(super) fn name_a_target(&self) -> bool {
        [&self.logs_url, &self.emit_url, &self.emit_status_url].into_iter().any(Option::is_some)
    }
}

pub(super) fn http_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    match url.scheme() {
        "http" | "https" if url.fragment().is_none() => Ok(url),
        "http" | "https" => Err("it has a fragment".to_owned()),
        _ => Err("it is neither http nor https".to_owned()),
    }
}

pub(super) fn some_time(text: &str) -> Result<HumanDuration, String> {
    match text.parse::<HumanDuration>()? {
        HumanDuration(time) if time.is_zero() => Err("it has to be longer than nothing".to_owned()),
        time => Ok(time),
    }
}
