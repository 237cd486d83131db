//! A condition on one value: a header, a query parameter, a field of a control event.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, de};

/// What a value has to be like. `present` and `absent` ask only whether it is there, another text asks for
/// equality, a map asks for several things at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ValueTest {
    presence: Presence,
    asked: Asked,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Presence {
    #[default]
    Present,
    Absent,
}

/// All that is given has to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    equals: Option<String>,
    not: Option<String>,
    one_of: Option<Vec<String>>,
    none_of: Option<Vec<String>>,
    /// Equal but for the case of letters.
    like: Option<String>,
    starts_with: Option<String>,
    contains: Option<String>,
    lacks: Option<String>,
    ends_with: Option<String>,
    /// One of these characters, or more.
    holds_any_of: Option<String>,
    /// Whether it is digits and nothing else.
    is_number: Option<bool>,
    /// Longer than that many bytes.
    longer_than: Option<usize>,
    /// Shorter than that many bytes.
    shorter_than: Option<usize>,
    /// Whether it holds a letter of upper case.
    has_upper_case: Option<bool>,
}

impl ValueTest {
    /// Whether `value`, which is `None` where there is none, is as asked for.
    pub(super) fn fits(&self, value: Option<&str>) -> bool {
        match (self.presence, value) {
            (Presence::Absent, value) => value.is_none(),
            (Presence::Present, None) => false,
            (Presence::Present, Some(value)) => self.asked.fits(value),
        }
    }
}

impl Asked {
    fn fits(&self, value: &str) -> bool {
        let is = |text: &String| text == value;
        self.equals.as_ref().is_none_or(is)
            && !self.not.as_ref().is_some_and(is)
            && self.one_of.as_ref().is_none_or(|texts| texts.iter().any(is))
            && !self.none_of.as_ref().is_some_and(|texts| texts.iter().any(is))
            && self.like.as_ref().is_none_or(|text| text.eq_ignore_ascii_case(value))
            && self.starts_with.as_ref().is_none_or(|text| value.starts_with(text.as_str()))
            && self.contains.as_ref().is_none_or(|text| value.contains(text.as_str()))
            && !self.lacks.as_ref().is_some_and(|text| value.contains(text.as_str()))
            && self.ends_with.as_ref().is_none_or(|text| value.ends_with(text.as_str()))
            && self.holds_any_of.as_ref().is_none_or(|any| value.contains(|held| any.contains(held)))
            && self.is_number.is_none_or(|wanted| wanted == is_number(value))
            && self.longer_than.is_none_or(|length| value.len() > length)
            && self.shorter_than.is_none_or(|length| value.len() < length)
            && self
                .has_upper_case
                .is_none_or(|has| has == value.bytes().any(|byte| byte.is_ascii_uppercase()))
    }
}

fn is_number(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit())
}

impl schemars::JsonSchema for ValueTest {
    fn schema_name() -> Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let asked = generator.subschema_for::<Asked>();
        schemars::json_schema!({
            "description": "present, absent, a text to equal, or a map of demands.",
            "anyOf": [{ "type": ["string", "boolean"] }, asked],
        })
    }
}

impl<'de> Deserialize<'de> for ValueTest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = ValueTest;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("present, absent, a text, or a map of demands")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ValueTest, E> {
                let equals = |text: &str| Asked { equals: Some(text.to_owned()), ..Asked::default() };
                Ok(match text {
                    "present" => ValueTest::default(),
                    "absent" => ValueTest { presence: Presence::Absent, asked: Asked::default() },
                    text => ValueTest { presence: Presence::Present, asked: equals(text) },
                })
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<ValueTest, E> {
                self.visit_str(if value { "true" } else { "false" })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<ValueTest, A::Error> {
                let asked = Asked::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(ValueTest { presence: Presence::Present, asked })
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(yaml: &str) -> ValueTest {
        serde_saphyr::from_str(yaml).unwrap()
    }

    #[test]
    fn presence_is_asked_by_a_word() {
        assert!(test("present").fits(Some("")));
        assert!(!test("present").fits(None));
        assert!(test("absent").fits(None));
        assert!(!test("absent").fits(Some("x")));
    }

    #[test]
    fn a_text_has_to_be_equal() {
        assert!(test("\"true\"").fits(Some("true")));
        assert!(test("true").fits(Some("true")));
        assert!(!test("\"true\"").fits(Some("True")));
        assert!(!test("\"true\"").fits(None));
    }

    #[test]
    fn every_demand_of_a_map_has_to_hold() {
        let closed = test("{ like: \"true\", not: \"true\" }");
        assert!(closed.fits(Some("TRUE")));
        assert!(!closed.fits(Some("true")));
        assert!(!closed.fits(None));
        assert!(test("{ none_of: [a, b], longer_than: 1 }").fits(Some("cc")));
        assert!(!test("{ none_of: [a, b] }").fits(Some("b")));
        assert!(test("{ shorter_than: 2 }").fits(Some("c")));
        assert!(!test("{ shorter_than: 2 }").fits(Some("cc")));
    }
}
