//! What was expected against what was seen. Pure: no socket, no clock, no protocol state.
//!
//! Nothing here passes on an absent thing: a header that is not there equals nothing, a body that did not
//! end is no body, a list without events has no last one.

mod body;
mod event_stream;
mod json;
mod logs;
mod response;
mod signature;
mod value;

pub use body::{BodyRender, differing, render_json};
pub use event_stream::{EventLog, LogEnd, SeenEvent, event_stream};
pub use json::{equal as json_equal, without_white_space};
pub use logs::{SeenLine, ill_formed, logs, logs_events, odd_ping, own_lines};
pub use response::{Seen, response};
pub use signature::verify_delivery;
pub use value::{SeenValue, check_value};

use crate::case::{Template, Unbound};

/// One expectation that was not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at: `status`, `header ETag`, `body`, ...
    pub subject: String,
    pub expected: String,
    pub actual: String,
    /// The answer itself was right and only came late: the one finding that a slow machine can cause.
    pub late: bool,
    /// Nothing that an event stream carries later can mend it.
    pub lasting: bool,
}

impl Finding {
    pub(crate) fn new(
        subject: impl Into<String>,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) -> Self {
        Self {
            subject: subject.into(),
            expected: expected.into(),
            actual: actual.into(),
            late: false,
            lasting: false,
        }
    }

    /// The same, where nothing that comes later can mend it.
    pub(crate) fn lasting_if(mut self, lasting: bool) -> Self {
        self.lasting = lasting;
        self
    }
}

/// The values of `$names` at the time of a check.
pub trait Names {
    /// The value of a name, if it has one.
    fn value(&self, name: &str) -> Option<String>;

    /// The value of a name that was saved from JSON, with its type.
    fn json(&self, _name: &str) -> Option<serde_json::Value> {
        None
    }

    /// A template with its names replaced.
    fn render(&self, template: &Template) -> Result<String, Unbound> {
        template.render(|name| self.value(name))
    }
}
