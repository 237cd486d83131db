//! The keys of a file of settings.

use std::{collections::BTreeMap, fmt, marker::PhantomData, num::NonZeroUsize, path::PathBuf, str::FromStr};

use serde::{Deserialize, Deserializer, de};
use toml::Spanned;
use url::Url;

use crate::{
    case::HumanDuration,
    cli::{check::FailOn, logs::SuiteName},
    report::Destination,
    rule::Capability,
    run::{Pattern, Shard, stream_root},
    start::Invocation,
};

/// All that can be set. The names are those of the flags of `streamgauge check`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::cli) struct Settings {
    pub(in crate::cli) url: Option<Text<StreamRoot>>,
    pub(in crate::cli) start: Option<Text<Invocation>>,
    pub(in crate::cli) start_timeout: Option<HumanDuration>,
    pub(in crate::cli) start_log: Option<PathBuf>,
    pub(in crate::cli) watch: Vec<PathBuf>,
    pub(in crate::cli) only: Vec<Text<Pattern>>,
    pub(in crate::cli) skip: Vec<Text<Pattern>>,
    pub(in crate::cli) without: Vec<Capability>,
    pub(in crate::cli) fail_on: Option<FailOn>,
    pub(in crate::cli) known_failures: Option<PathBuf>,
    pub(in crate::cli) report: Vec<Parsed<Destination>>,
    /// `$NAME` and `${NAME}` in a value are variables of the environment; those are kept secret.
    pub(in crate::cli) headers: BTreeMap<String, Spanned<String>>,
    pub(in crate::cli) header_file: Vec<PathBuf>,
    pub(in crate::cli) cacert: Vec<PathBuf>,
    pub(in crate::cli) insecure: bool,
    pub(in crate::cli) http2: bool,
    pub(in crate::cli) jobs: Option<AtLeastOne>,
    pub(in crate::cli) repeat: Option<AtLeastOne>,
    pub(in crate::cli) shard: Option<Parsed<Shard>>,
    pub(in crate::cli) seed: Option<u64>,
    pub(in crate::cli) max_wait: Option<HumanDuration>,
    pub(in crate::cli) max_time: Option<HumanDuration>,
    pub(in crate::cli) timings: Timings,
    pub(in crate::cli) suite: Option<SuiteName>,
    pub(in crate::cli) logs_url: Option<Parsed<HttpUrl>>,
    pub(in crate::cli) emit_url: Option<Parsed<HttpUrl>>,
    pub(in crate::cli) emit_status_url: Option<Parsed<HttpUrl>>,
    /// `NAME=URL` each, for targets that take no writes.
    pub(in crate::cli) stream: Vec<String>,
    pub(in crate::cli) fixtures: Option<PathBuf>,
}

/// What the target is set to.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::cli) struct Timings {
    pub(in crate::cli) long_poll_timeout: Option<HumanDuration>,
    pub(in crate::cli) sse_lifetime: Option<HumanDuration>,
    pub(in crate::cli) heartbeat: Option<HumanDuration>,
    pub(in crate::cli) batch_interval: Option<HumanDuration>,
}

/// A text that was seen to be a `T`.
#[derive(Debug)]
pub(in crate::cli) struct Text<T>(pub(in crate::cli) String, PhantomData<T>);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse::<T>().map_err(de::Error::custom)?;
        Ok(Self(text, PhantomData))
    }
}

/// A value that is written as a text.
#[derive(Debug)]
pub(in crate::cli) struct Parsed<T>(pub(in crate::cli) T);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(de::Error::custom)
    }
}

#[derive(Debug)]
pub(in crate::cli) struct StreamRoot;

impl FromStr for StreamRoot {
    type Err = crate::run::UnusableRoot;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        stream_root(text).map(|_| Self)
    }
}

#[derive(Debug)]
pub(in crate::cli) struct HttpUrl(pub(in crate::cli) Url);

impl FromStr for HttpUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        crate::cli::logs::http_url(text).map(Self)
    }
}

#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct AtLeastOne(pub(in crate::cli) NonZeroUsize);

impl<'de> Deserialize<'de> for AtLeastOne {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = usize::deserialize(deserializer)?;
        NonZeroUsize::new(number).map(Self).ok_or_else(|| de::Error::custom("it has to be at least 1"))
    }
}
