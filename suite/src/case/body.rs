//! Bodies: what is sent, and what has to come back.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, de};

use super::{HumanDuration, Matchers, Template};

/// A request body. Without one, the request has none.
#[derive(Clone, Debug, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum BodySpec {
    /// The text, in UTF-8.
    Text(Template),
    /// Bytes, as base64.
    Base64(String),
    /// A JSON value; every text in it is a template.
    Json(serde_json::Value),
    /// That many bytes of a fixed pattern of printable ASCII.
    Filled(usize),
    /// A chunked body; an empty list is nothing but the end mark.
    Chunks {
        texts: Vec<Template>,
        #[serde(default)]
        pause: Option<HumanDuration>,
    },
}

/// What a response body has to be. `empty` means no byte at all.
#[derive(Clone, Debug, PartialEq)]
pub enum BodyExpect {
    Empty,
    NotEmpty,
    Text(Template),
    Base64(String),
    /// Equal as JSON, numbers compared as doubles.
    Json(serde_json::Value),
    /// Holds at least this: members of objects by name, arrays item by item.
    JsonIncludes(serde_json::Value),
    /// Holds at least this: members of objects by name, items of arrays in any order and among others.
    JsonHas(serde_json::Value),
    /// JSON that does not hold this, in the sense of `JsonHas`.
    JsonLacks(serde_json::Value),
    /// Values in a JSON text by their pointers; `null` counts as absent.
    Fields(BTreeMap<String, Matchers>),
    /// The same JSON text, insignificant white space aside.
    JsonText(Template),
    /// The pattern of [`BodySpec::Filled`].
    Filled(usize),
    StartsWith(Template),
    Contains(Template),
    Lacks(Template),
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum BodyExpectEntry {
    Text(Template),
    Base64(String),
    Json(serde_json::Value),
    JsonIncludes(serde_json::Value),
    JsonHas(serde_json::Value),
    JsonLacks(serde_json::Value),
    Fields(BTreeMap<String, Matchers>),
    JsonText(Template),
    Filled(usize),
    StartsWith(Template),
    Contains(Template),
    Lacks(Template),
}

impl From<BodyExpectEntry> for BodyExpect {
    fn from(entry: BodyExpectEntry) -> Self {
        match entry {
            BodyExpectEntry::Text(text) => Self::Text(text),
            BodyExpectEntry::Base64(bytes) => Self::Base64(bytes),
            BodyExpectEntry::Json(value) => Self::Json(value),
            BodyExpectEntry::JsonIncludes(value) => Self::JsonIncludes(value),
            BodyExpectEntry::JsonHas(value) => Self::JsonHas(value),
            BodyExpectEntry::JsonLacks(value) => Self::JsonLacks(value),
            BodyExpectEntry::Fields(fields) => Self::Fields(fields),
            BodyExpectEntry::JsonText(text) => Self::JsonText(text),
            BodyExpectEntry::Filled(size) => Self::Filled(size),
            BodyExpectEntry::StartsWith(text) => Self::StartsWith(text),
            BodyExpectEntry::Contains(text) => Self::Contains(text),
            BodyExpectEntry::Lacks(text) => Self::Lacks(text),
        }
    }
}

impl schemars::JsonSchema for BodyExpect {
    fn schema_name() -> Cow<'static, str> {
        "BodyExpect".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let entry = generator.subschema_for::<BodyExpectEntry>();
        schemars::json_schema!({
            "description": "What a body has to be.",
            "anyOf": [{ "enum": ["empty", "not_empty"] }, entry],
        })
    }
}

impl<'de> Deserialize<'de> for BodyExpect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = BodyExpect;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`empty`, `not_empty`, or a map such as { text: ... }")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<BodyExpect, E> {
                match text {
                    "empty" => Ok(BodyExpect::Empty),
                    "not_empty" => Ok(BodyExpect::NotEmpty),
                    _ => Err(E::custom(format!(
                        "{text:?} is no body; write `empty`, `not_empty` or {{ text: ... }}"
                    ))),
                }
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<BodyExpect, A::Error> {
                BodyExpectEntry::deserialize(de::value::MapAccessDeserializer::new(map)).map(BodyExpect::from)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// The pattern of `filled`: printable, so that it may stand in text streams, and without a short
/// period, so that a lost or doubled piece shows.
pub fn filled(size: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size);
    let mut line = 0_usize;
    while bytes.len() < size {
        let text = format!("{line:07x} the quick gauge reads every byte of the stream\n");
        let take = text.len().min(size - bytes.len());
        bytes.extend_from_slice(&text.as_bytes()[..take]);
        line += 1;
    }
    bytes
}
