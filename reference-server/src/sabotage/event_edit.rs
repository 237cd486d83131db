//! Changes of an event stream, frame by frame.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    event_frame::{EventFrame, Layout, PayloadLines},
    notation::{Pairs, Span},
    text_edit::{Steps, edit_text},
    value_test::ValueTest,
};

/// What becomes of the frames of an event stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct EventEdit {
    on: Kind,
    /// Only control events whose fields are like that.
    when: Pairs<String, ValueTest>,
    /// Only the one frame with this number among those that fit, from 1.
    nth: Option<u32>,
    /// The frames from this number on.
    from_nth: Option<u32>,
    pub(super) drop: bool,
    pub(super) double: bool,
    /// It is sent behind the frame that follows it.
    pub(super) swap_with_next: bool,
    pub(super) delay: Option<Span>,
    name: Option<String>,
    payload: Steps,
    fields: FieldEdit,
    /// Every line of the payload in an event of its own.
    pub(super) split: bool,
    newlines: Option<Newlines>,
    /// A blank at the beginning of a line is not protected.
    unguarded: bool,
    line_end: Option<LineEnd>,
    /// No empty line ends it.
    unended: bool,
    /// One blank behind every colon.
    blank: bool,
    /// The name of the event stands behind its data.
    name_last: bool,
    /// Text written in front of it, as it stands.
    pub(super) before: Option<String>,
    /// Text written behind it, as it stands.
    pub(super) after: Option<String>,
    /// Frames are kept back until the stream ends.
    pub(super) buffer: bool,
    /// The connection stays open when all has been said.
    pub(super) stay_open: bool,
    /// The connection ends behind the first frame that fits.
    pub(super) end: bool,
    /// Nothing more is sent behind the first frame that fits.
    pub(super) fall_silent: bool,
}

/// Which frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    #[default]
    Any,
    Data,
    Control,
    Comment,
    /// Of the log stream.
    Logs,
    /// Of the log stream.
    Status,
    /// Of the log stream.
    Ping,
}

/// Changes of the fields of a control event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct FieldEdit {
    drop: Vec<String>,
    set: Pairs<String, Value>,
    /// Changes of fields that are texts.
    transform: Pairs<String, Steps>,
    rename: Pairs<String, String>,
}

/// What line ends inside a payload become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Newlines {
    Raw,
    Escaped,
    FirstOnly,
}

/// What ends a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
enum LineEnd {
    Crlf,
    Cr,
}

impl EventEdit {
    /// Whether the frame is one of those that the edit is for, their number aside.
    pub(super) fn fits(&self, frame: &EventFrame) -> bool {
        let is_named = |name: &str| frame.name.as_deref() == Some(name);
        let kind_fits = match self.on {
            Kind::Any => true,
            Kind::Data => is_named("data"),
            Kind::Control => is_named("control"),
            Kind::Comment => frame.name.is_none(),
            Kind::Logs => is_named("logs"),
            Kind::Status => is_named("status"),
            Kind::Ping => is_named("ping"),
        };
        kind_fits && (self.when.0.is_empty() || self.fields_fit(frame))
    }

    /// Whether the frame with this number among those that fit is meant.
    pub(super) fn fits_number(&self, number: u32) -> bool {
        self.nth.is_none_or(|nth| nth == number) && self.from_nth.is_none_or(|first| first <= number)
    }

    /// Changes what the frame says.
    pub(super) fn rewrite(&self, frame: &mut EventFrame) {
        if let Some(name) = &self.name {
            frame.name = Some(name.clone());
        }
        if !self.payload.0.is_empty() {
            frame.payload = edit_text(&self.payload, &frame.payload);
        }
        if !self.fields.is_empty()
            && let Some(mut fields) = fields_of(frame)
        {
            self.fields.apply(&mut fields);
            frame.payload = Value::Object(fields).to_string();
        }
    }

    /// Changes how frames are written.
    pub(super) fn lay_out(&self, layout: &mut Layout) {
        match self.newlines {
            Some(Newlines::Raw) => layout.payload_lines = PayloadLines::Raw,
            Some(Newlines::Escaped) => layout.payload_lines = PayloadLines::Escaped,
            Some(Newlines::FirstOnly) => layout.payload_lines = PayloadLines::FirstOnly,
            None => {}
        }
        match self.line_end {
            Some(LineEnd::Crlf) => layout.line_end = "\r\n",
            Some(LineEnd::Cr) => layout.line_end = "\r",
            None => {}
        }
        layout.guards_blanks &= !self.unguarded;
        layout.ends &= !self.unended;
        if self.blank {
            layout.behind_colon = " ";
        }
        layout.name_last |= self.name_last;
    }

    fn fields_fit(&self, frame: &EventFrame) -> bool {
        let Some(fields) = fields_of(frame).filter(|_| frame.name.as_deref() == Some("control")) else {
            return false;
        };
        self.when.0.iter().all(|(name, test)| match fields.get(name) {
            None => test.fits(None),
            Some(Value::String(text)) => test.fits(Some(text)),
            Some(other) => test.fits(Some(&other.to_string())),
        })
    }
}

impl FieldEdit {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn apply(&self, fields: &mut Map<String, Value>) {
        for name in &self.drop {
            fields.remove(name);
        }
        for (name, value) in &self.set.0 {
            fields.insert(name.clone(), value.clone());
        }
        for (name, steps) in &self.transform.0 {
            if let Some(Value::String(text)) = fields.get_mut(name) {
                *text = edit_text(steps, text);
            }
        }
        for (from, to) in &self.rename.0 {
            if let Some(value) = fields.remove(from) {
                fields.insert(to.clone(), value);
            }
        }
    }
}

fn fields_of(frame: &EventFrame) -> Option<Map<String, Value>> {
    match serde_json::from_str(&frame.payload) {
        Ok(Value::Object(fields)) => Some(fields),
        _ => None,
    }
}
