//! Text with `$name` in it: the only way a value of one step reaches another.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, de};

/// Text in which `$name` and `${name}` stand for values; `$$` is a dollar sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    source: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Name(String),
}

/// A name that nothing has given a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("${0} has no value")]
pub struct Unbound(pub String);

impl Template {
    /// Reads a text. A `$` that starts no name is a mistake, so that a typo cannot become a literal.
    pub fn parse(source: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = source;
        while let Some(at) = rest.find('$') {
            literal.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('$') {
                literal.push('$');
                rest = after;
                continue;
            }
            let (name, after) = match rest.strip_prefix('{') {
                Some(inner) => {
                    inner.split_once('}').ok_or_else(|| format!("`${{` without `}}` in {source:?}"))?
                }
                None => rest.split_at(name_length(rest)),
            };
            if name.is_empty() || !name.bytes().all(is_name_byte) {
                return Err(format!("`$` starts no name in {source:?}; write `$$` for a dollar sign"));
            }
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(Part::Name(name.to_owned()));
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self { source: source.to_owned(), parts })
    }

    /// The text with every name replaced by what `lookup` says.
    pub fn render(&self, lookup: impl Fn(&str) -> Option<String>) -> Result<String, Unbound> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Name(name) => {
                    text.push_str(&lookup(name).ok_or_else(|| Unbound(name.clone()))?);
                }
            }
        }
        Ok(text)
    }

    /// The names it uses.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Name(name) => Some(name.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// The name that it consists of, if it is nothing but one.
    pub fn only_name(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Name(name)] => Some(name),
            _ => None,
        }
    }

    /// The text as it stands in the fixture.
    pub fn source(&self) -> &str {
        &self.source
    }
}

/// In braces, a name may be that of a stream with a slash: `${events/a.relative}`.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_./-".contains(&byte)
}

/// How many bytes at the start of `text` form a name: `word` or `word.word`, in lower case, digits and `_`.
fn name_length(text: &str) -> usize {
    let word = |text: &str| {
        text.bytes()
            .take_while(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_')
            .count()
    };
    let first = word(text);
    if first > 0 && text[first..].starts_with('.') {
        let second = word(&text[first + 1..]);
        if second > 0 {
            return first + 1 + second;
        }
    }
    first
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TemplateVisitor)
    }
}

/// In a fixture a text, or a number or a boolean in its plain form.
impl schemars::JsonSchema for Template {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["string", "number", "boolean"],
            "description": "Text in which $name and ${name} stand for values; $$ is a dollar sign.",
        })
    }
}

/// Takes a text, and a number or a boolean in its plain form, so that `seq: 5` need not be quoted.
struct TemplateVisitor;

impl de::Visitor<'_> for TemplateVisitor {
    type Value = Template;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text (quote it where YAML would read something else)")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Template, E> {
        Template::parse(text).map_err(E::custom)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Template, E> {
        self.visit_str(if value { "true" } else { "false" })
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Template, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Template, E> {
        self.visit_str(&value.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(source: &str) -> Result<String, Unbound> {
        Template::parse(source)
            .expect("a template")
            .render(|name| matches!(name, "tail" | "source.path" | "a/b.path").then(|| format!("<{name}>")))
    }

    #[test]
    fn names_are_replaced_wherever_they_stand() {
        assert_eq!(render("$tail").as_deref(), Ok("<tail>"));
        assert_eq!(render("a${tail}b").as_deref(), Ok("a<tail>b"));
        assert_eq!(render("$source.path/x").as_deref(), Ok("<source.path>/x"));
        assert_eq!(render("$tail.").as_deref(), Ok("<tail>."));
        assert_eq!(render("5$$").as_deref(), Ok("5$"));
        assert_eq!(render("${a/b.path}").as_deref(), Ok("<a/b.path>"));
    }

    #[test]
    fn a_name_without_value_is_told() {
        assert_eq!(render("x$nothing"), Err(Unbound("nothing".into())));
    }

    #[test]
    fn a_stray_dollar_is_a_mistake() {
        for text in ["$", "a$ b", "${tail", "${}", "$Tail"] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
