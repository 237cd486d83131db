//! What a step has to bring about.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, de};

use super::{BodyExpect, HumanDuration, Matchers, Template};
use crate::rule::RuleId;

/// Demands on one response. All of them hold together.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// The rules that a mismatch breaks; those of the case when absent.
    pub proves: Option<Vec<RuleId>>,
    /// Makes a mismatch a warning with this sentence, whatever the rule's judgement.
    pub warn: Option<String>,
    pub status: Option<StatusExpect>,
    pub headers: BTreeMap<String, Matchers>,
    pub present: Vec<String>,
    pub absent: Vec<String>,
    pub media_type: Option<Template>,
    pub body: Option<BodyExpect>,
    /// Answered within this time, measured from the sending of the request.
    pub within: Option<HumanDuration>,
}

/// Which status codes are right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusExpect {
    OneOf(Vec<u16>),
    /// Any of a class: `2xx`.
    Class(u16),
    /// Anything but a class: `not 5xx`.
    NotClass(u16),
    /// A cell of a table.
    Template(Template),
}

impl StatusExpect {
    fn parse(text: &str) -> Result<Self, String> {
        let class = |text: &str| -> Option<u16> {
            let digit = text.strip_suffix("xx")?.parse::<u16>().ok()?;
            (1..=5).contains(&digit).then_some(digit)
        };
        if text.contains('$') {
            return Template::parse(text).map(Self::Template);
        }
        if let Some(class) = class(text) {
            return Ok(Self::Class(class));
        }
        if let Some(class) = text.strip_prefix("not ").and_then(class) {
            return Ok(Self::NotClass(class));
        }
        let codes: Result<Vec<u16>, _> = text.split(" or ").map(str::parse).collect();
        match codes {
            Ok(codes) if codes.iter().all(|code| (100..600).contains(code)) => Ok(Self::OneOf(codes)),
            _ => Err(format!("{text:?} is no status; write 200, [200, 204], 2xx or not 5xx")),
        }
    }

    /// The demand with a table's cell put in.
    pub fn resolve(
        &self,
        render: impl Fn(&Template) -> Result<String, super::Unbound>,
    ) -> Result<Self, String> {
        match self {
            Self::Template(template) => {
                let text = render(template).map_err(|unbound| unbound.to_string())?;
                Self::parse(&text)
            }
            other => Ok(other.clone()),
        }
    }

    /// Whether a status is right.
    pub fn accepts(&self, status: u16) -> bool {
        match self {
            Self::OneOf(codes) => codes.contains(&status),
            Self::Class(class) => status / 100 == *class,
            Self::NotClass(class) => status / 100 != *class,
            Self::Template(_) => false,
        }
    }
}

impl fmt::Display for StatusExpect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneOf(codes) => {
                let codes: Vec<String> = codes.iter().map(u16::to_string).collect();
                f.write_str(&codes.join(" or "))
            }
            Self::Class(class) => write!(f, "{class}xx"),
            Self::NotClass(class) => write!(f, "anything but {class}xx"),
            Self::Template(template) => f.write_str(template.source()),
        }
    }
}

impl schemars::JsonSchema for StatusExpect {
    fn schema_name() -> Cow<'static, str> {
        "Status".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let code = serde_json::json!({ "type": "integer", "minimum": 100, "maximum": 599 });
        schemars::json_schema!({
            "description": "200, [200, 204], 200 or 204, 2xx, not 5xx, or a cell of a table.",
            "anyOf": [code, { "type": "array", "items": code }, { "type": "string" }],
        })
    }
}

impl<'de> Deserialize<'de> for StatusExpect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = StatusExpect;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status: 200, [200, 204], 2xx or not 5xx")
            }

            fn visit_u64<E: de::Error>(self, code: u64) -> Result<StatusExpect, E> {
                self.visit_str(&code.to_string())
            }

            fn visit_i64<E: de::Error>(self, code: i64) -> Result<StatusExpect, E> {
                self.visit_str(&code.to_string())
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<StatusExpect, E> {
                StatusExpect::parse(text).map_err(E::custom)
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<StatusExpect, A::Error> {
                let mut codes = Vec::new();
                while let Some(code) = seq.next_element::<u16>()? {
                    codes.push(code);
                }
                Ok(StatusExpect::OneOf(codes))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// Where a saved value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaveFrom {
    Header(String),
    Body,
    /// A JSON pointer into the body.
    Json(String),
    /// A field of the first or the last control event.
    FirstControl(String),
    LastControl(String),
}

impl schemars::JsonSchema for SaveFrom {
    fn schema_name() -> Cow<'static, str> {
        "SaveFrom".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let one = |name: &str| {
            serde_json::json!({
                "type": "object",
                "properties": { name: { "type": "string" } },
                "required": [name],
                "additionalProperties": false,
            })
        };
        schemars::json_schema!({
            "description": "The name of a header, `body`, a JSON pointer into it, or a field of a control event.",
            "anyOf": [{ "type": "string" }, one("json"), one("first_control"), one("last_control")],
        })
    }
}

impl<'de> Deserialize<'de> for SaveFrom {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "snake_case")]
        enum Entry {
            Json(String),
            FirstControl(String),
            LastControl(String),
        }

        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = SaveFrom;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a header, `body`, or { json: /pointer }, { last_control: field }")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<SaveFrom, E> {
                Ok(if text == "body" { SaveFrom::Body } else { SaveFrom::Header(text.to_owned()) })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<SaveFrom, A::Error> {
                Ok(match Entry::deserialize(de::value::MapAccessDeserializer::new(map))? {
                    Entry::Json(pointer) => SaveFrom::Json(pointer),
                    Entry::FirstControl(field) => SaveFrom::FirstControl(field),
                    Entry::LastControl(field) => SaveFrom::LastControl(field),
                })
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// Demands on an event stream, over all that it has carried so far.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EventStreamExpect {
    pub proves: Option<Vec<RuleId>>,
    pub warn: Option<String>,
    /// The payloads of all data events, decoded and joined; for JSON streams the arrays joined into one.
    pub data: Option<BodyExpect>,
    /// The events in order, each by name and payload.
    pub events: Option<Vec<EventExpect>>,
    /// The names of all events in order.
    pub names: Option<Vec<String>>,
    /// No event has another name than these; at least one has come.
    pub names_among: Option<Vec<String>>,
    /// At least one data event has come, and a control event stands right behind each.
    pub paired: bool,
    /// No event follows a control event that says that the stream is closed.
    pub closed_is_last: bool,
    pub first_control: Option<BTreeMap<String, Matchers>>,
    pub last_control: Option<BTreeMap<String, Matchers>>,
    /// Holds for every control event, of which there is at least one.
    pub every_control: Option<BTreeMap<String, Matchers>>,
    /// Fields that are decimal integers in every control event and never fall from one to the next.
    pub never_falls: Vec<String>,
    /// How the connection stands.
    pub ended: Option<Ended>,
    /// All of this is so within this time from the step's beginning.
    pub within: Option<HumanDuration>,
}

/// One event of an exact list.
#[derive(Clone, Debug, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum EventExpect {
    Data(BodyExpect),
    Control(BTreeMap<String, Matchers>),
}

/// How an event stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// The body ended as HTTP says, after a whole event.
    Cleanly,
    /// Still open.
    Open,
}
