//! What one value (a header, a field of a control event) has to be.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, de};

use super::Template;

/// A demand on one value. Several fields are demanded together.
///
/// A plain text in a fixture demands equality. Every demand but `absent` fails on a value that is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct MatcherFields {
    equals: Option<Template>,
    /// Present, and another value than this.
    not: Option<Template>,
    one_of: Option<Vec<Template>>,
    /// Sorts after this byte by byte, as offsets do.
    sorts_after: Option<Template>,
    /// Sorts before this byte by byte.
    sorts_before: Option<Template>,
    /// A decimal integer greater than this one.
    greater_than: Option<Template>,
    /// A decimal integer, at least this one.
    at_least: Option<Template>,
    /// A decimal integer, at most this one.
    at_most: Option<Template>,
    /// Directives of a list such as `Cache-Control`, in any order and case; `max-age` matches any value, `max-age=60` that one.
    directives: Option<Vec<String>>,
    without_directives: Option<Vec<String>>,
    /// The same media type, case and parameters aside.
    media_type: Option<Template>,
    /// The same instant, however RFC 3339 spells it.
    instant: Option<Template>,
    /// A URL that, resolved against the request's, has the path of this stream.
    path_of: Option<String>,
    form: Option<Form>,
    present: Option<bool>,
    absent: Option<bool>,
    /// Not there at all, or one of these.
    absent_or: Option<Vec<Template>>,
}

/// The shape of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// `"..."`, with at most `W/` in front (RFC 9110, 8.8.3).
    EntityTag,
    /// Decimal digits.
    Digits,
    /// Unreserved URL characters only, fewer than 256.
    UrlSafeAndShort,
    /// None of `, & = ? /`, and not empty.
    OffsetToken,
    /// An RFC 3339 date and time.
    Instant,
    /// A text of JSON, as fields of control events are typed.
    JsonString,
    /// `true` or `false` of JSON.
    JsonBoolean,
    /// A whole number of JSON, not negative.
    JsonInteger,
    /// 32 bytes in base64url without padding, as a JWK has them (RFC 8037).
    Ed25519Key,
}

/// One demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matcher {
    Equals(Template),
    Not(Template),
    OneOf(Vec<Template>),
    SortsAfter(Template),
    SortsBefore(Template),
    GreaterThan(Template),
    AtLeast(Template),
    AtMost(Template),
    Directives(Vec<String>),
    WithoutDirectives(Vec<String>),
    MediaType(Template),
    Instant(Template),
    PathOf(String),
    Form(Form),
    Present,
    Absent,
    AbsentOr(Vec<Template>),
}

impl MatcherFields {
    fn into_matchers(self) -> Vec<Matcher> {
        let mut matchers = Vec::new();
        matchers.extend(self.equals.map(Matcher::Equals));
        matchers.extend(self.not.map(Matcher::Not));
        matchers.extend(self.one_of.map(Matcher::OneOf));
        matchers.extend(self.sorts_after.map(Matcher::SortsAfter));
        matchers.extend(self.sorts_before.map(Matcher::SortsBefore));
        matchers.extend(self.greater_than.map(Matcher::GreaterThan));
        matchers.extend(self.at_least.map(Matcher::AtLeast));
        matchers.extend(self.at_most.map(Matcher::AtMost));
        matchers.extend(self.directives.map(Matcher::Directives));
        matchers.extend(self.without_directives.map(Matcher::WithoutDirectives));
        matchers.extend(self.media_type.map(Matcher::MediaType));
        matchers.extend(self.instant.map(Matcher::Instant));
        matchers.extend(self.path_of.map(Matcher::PathOf));
        matchers.extend(self.form.map(Matcher::Form));
        matchers.extend((self.present == Some(true)).then_some(Matcher::Present));
        matchers.extend((self.absent == Some(true)).then_some(Matcher::Absent));
        matchers.extend(self.absent_or.map(Matcher::AbsentOr));
        matchers
    }
}

/// All demands on one value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matchers(pub Vec<Matcher>);

impl Matchers {
    /// Every text that may hold names.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        self.0.iter().flat_map(|matcher| match matcher {
            Matcher::Equals(one)
            | Matcher::Not(one)
            | Matcher::SortsAfter(one)
            | Matcher::SortsBefore(one)
            | Matcher::GreaterThan(one)
            | Matcher::AtLeast(one)
            | Matcher::AtMost(one)
            | Matcher::MediaType(one)
            | Matcher::Instant(one) => std::slice::from_ref(one),
            Matcher::OneOf(many) | Matcher::AbsentOr(many) => many.as_slice(),
            _ => &[],
        })
    }
}

impl schemars::JsonSchema for Matchers {
    fn schema_name() -> Cow<'static, str> {
        "Demands".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (text, fields) =
            (generator.subschema_for::<Template>(), generator.subschema_for::<MatcherFields>());
        schemars::json_schema!({
            "description": "A text demands equality, a map several things at once, ~ nothing.",
            "anyOf": [text, fields, { "type": "null" }],
        })
    }
}

impl<'de> Deserialize<'de> for Matchers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Matchers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a map of demands, or ~ for no demand")
            }

            fn visit_unit<E: de::Error>(self) -> Result<Matchers, E> {
                Ok(Matchers::default())
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Matchers, E> {
                let equals = Template::parse(text).map_err(E::custom)?;
                Ok(Matchers(vec![Matcher::Equals(equals)]))
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Matchers, E> {
                self.visit_str(if value { "true" } else { "false" })
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Matchers, E> {
                self.visit_str(&value.to_string())
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Matchers, E> {
                self.visit_str(&value.to_string())
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Matchers, A::Error> {
                let fields = MatcherFields::deserialize(de::value::MapAccessDeserializer::new(map))?;
                let matchers = fields.into_matchers();
                if matchers.is_empty() {
                    return Err(de::Error::custom("an empty map demands nothing; write ~ if that is meant"));
                }
                Ok(Matchers(matchers))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}
