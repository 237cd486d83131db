//! The steps on the log stream: lines that the target is made to write, and what its readers get.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Act, BodyExpect, Step, Template};
use crate::rule::RuleId;

/// Which of the target's URLs a request goes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum On {
    /// A stream, or a path below the stream root.
    #[default]
    Streams,
    /// The log stream.
    Logs,
    /// Where log lines are handed in.
    Emit,
    /// Below which each job has its status.
    Status,
}

/// Lines that the target is made to write. To each message the case's mark is put in front, by which its lines are
/// told from others on the same stream.
#[derive(Clone, Debug, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Emit {
    /// As they are handed in, in this order; texts are templates.
    pub entries: Vec<serde_json::Value>,
    /// All of them so many times over; `$index` counts from 0.
    #[serde(default = "once")]
    pub times: usize,
}

const fn once() -> usize {
    1
}

/// A look at an open log stream.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AwaitLogs {
    #[serde(rename = "as")]
    pub name: String,
    pub expect: LogsExpect,
    /// Further demands, each with its own `proves`.
    pub also: Vec<LogsExpect>,
}

impl AwaitLogs {
    /// All that is demanded.
    pub fn demands(&self) -> impl Iterator<Item = &LogsExpect> {
        std::iter::once(&self.expect).chain(&self.also)
    }
}

/// Demands on a log stream, over all that it has carried so far.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogsExpect {
    /// The rules that a mismatch breaks; those of the case when absent.
    pub proves: Option<Vec<RuleId>>,
    /// Makes a mismatch a warning with this sentence.
    pub warn: Option<String>,
    /// The messages of the case's lines, without its mark, in order, from all `logs` events. A cell that is left out
    /// leaves out its line.
    pub lines: Option<Vec<Template>>,
    /// The message of the last of them.
    pub last_line: Option<Template>,
    /// The same as `lines` for the first `logs` event alone.
    pub first_lines: Option<Vec<Template>>,
    /// How many lines the first `logs` event has, those of others included.
    pub first_count: Option<Template>,
    /// Every event is `logs`, `status` or `ping`, with one line of JSON each; at least one has come.
    pub well_formed: bool,
    /// Every `logs` event has what the payload of that scope has to have; at least one line has come.
    pub payloads: Option<LogScope>,
    /// The payload of the last `status` event.
    pub last_status: Option<BodyExpect>,
    /// How many `status` events have come.
    pub statuses: Option<usize>,
}

impl LogsExpect {
    /// The texts of its lines and counts.
    pub(super) fn templates(&self) -> impl Iterator<Item = &Template> {
        self.lines.iter().chain(&self.first_lines).flatten().chain(&self.last_line).chain(&self.first_count)
    }

    /// Whether nothing can fail it.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self { proves: self.proves.clone(), warn: self.warn.clone(), ..Self::default() }
    }
}

/// Whose lines a log stream carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LogScope {
    Service,
    Job,
}

/// All URLs of the target that these steps ask.
pub(super) fn asked<'a>(steps: impl IntoIterator<Item = &'a Step>) -> BTreeSet<On> {
    let mut asked = BTreeSet::new();
    for step in steps {
        collect(&step.value, &mut asked);
    }
    asked
}

fn collect(act: &Act, asked: &mut BTreeSet<On>) {
    match act {
        Act::Put(request)
        | Act::Post(request)
        | Act::Get(request)
        | Act::Head(request)
        | Act::Delete(request)
        | Act::Options(request) => {
            asked.insert(request.on);
            let then = request.accept.iter().flat_map(|accept| &accept.then);
            then.for_each(|step| collect(&step.value, asked));
        }
        Act::StartGet(start) | Act::StartSse(start) => {
            asked.insert(start.on);
        }
        Act::Emit(_) => {
            asked.insert(On::Emit);
        }
        Act::AtOnce(at_once) => collect(&at_once.request, asked),
        Act::Raw(_) => {
            asked.insert(On::Streams);
        }
        _ => {}
    }
}
