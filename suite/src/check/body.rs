//! A body against the demand on it.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{Finding, Names, SeenValue, check_value, json};
use crate::case::{BodyExpect, Matchers, Template, Unbound, filled};

/// How much of a body a message shows.
const SHOWN: usize = 400;

/// Bodies for messages: text where it is text, cut where it is long.
pub struct BodyRender<'a>(pub &'a [u8]);

impl std::fmt::Display for BodyRender<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let size = self.0.len();
        if size == 0 {
            return f.write_str("nothing");
        }
        match std::str::from_utf8(self.0) {
            Ok(text) if text.chars().count() <= SHOWN => write!(f, "{text:?}"),
            Ok(text) => {
                let start: String = text.chars().take(SHOWN).collect();
                write!(f, "{start:?}... ({size} bytes)")
            }
            Err(_) if size <= SHOWN => write!(f, "{size} bytes, base64 {}", STANDARD.encode(self.0)),
            Err(_) => write!(f, "{size} bytes, base64 {}...", STANDARD.encode(&self.0[..SHOWN])),
        }
    }
}

/// A JSON value of a fixture with its names replaced in every text. A text that is nothing but the name of a value
/// saved from JSON becomes that value, a number a number.
pub fn render_json(value: &Value, names: &dyn Names) -> Result<Value, Unbound> {
    Ok(match value {
        Value::String(text) => match Template::parse(text) {
            Ok(template) => match template.only_name().and_then(|name| names.json(name)) {
                Some(kept) => kept,
                None => Value::String(names.render(&template)?),
            },
            Err(_) => value.clone(),
        },
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| render_json(item, names)).collect::<Result<_, _>>()?)
        }
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, member)| Ok((name.clone(), render_json(member, names)?)))
                .collect::<Result<_, Unbound>>()?,
        ),
        other => other.clone(),
    })
}

/// Checks a whole body.
pub(super) fn body(
    subject: &str,
    expect: &BodyExpect,
    seen: &[u8],
    names: &dyn Names,
) -> Result<Option<Finding>, Unbound> {
    let finding = |expected: String| Some(Finding::new(subject, expected, BodyRender(seen).to_string()));
    let bytes = |wanted: &[u8]| match wanted == seen {
        true => None,
        false => Some(Finding::new(subject, BodyRender(wanted).to_string(), differing(wanted, seen))),
    };
    let text_of = |seen: &[u8]| std::str::from_utf8(seen).ok().map(str::to_owned);
    Ok(match expect {
        BodyExpect::Empty => bytes(b""),
        BodyExpect::NotEmpty => seen.is_empty().then(|| finding("a body".into())).flatten(),
        BodyExpect::Text(text) => bytes(names.render(text)?.as_bytes()),
        BodyExpect::Base64(text) => bytes(&STANDARD.decode(text).unwrap_or_default()),
        BodyExpect::Filled(size) => bytes(&filled(*size)),
        BodyExpect::StartsWith(start) => {
            let start = names.render(start)?;
            match seen.starts_with(start.as_bytes()) {
                true => None,
                false => finding(format!("a body that starts with {start:?}")),
            }
        }
        BodyExpect::Contains(part) => {
            let part = names.render(part)?;
            match text_of(seen).is_some_and(|text| text.contains(&part)) {
                true => None,
                false => finding(format!("a text with {part:?} in it")),
            }
        }
        BodyExpect::Lacks(part) => {
            let part = names.render(part)?;
            match text_of(seen).is_some_and(|text| !text.contains(&part)) {
                true => None,
                false => finding(format!("a text without {part:?}")),
            }
        }
        BodyExpect::Json(wanted) => {
            let wanted = render_json(wanted, names)?;
            match serde_json::from_slice::<Value>(seen).is_ok_and(|seen| json::equal(&seen, &wanted)) {
                true => None,
                false => finding(format!("the JSON {wanted}")),
            }
        }
        BodyExpect::JsonIncludes(wanted) => {
            let wanted = render_json(wanted, names)?;
            match serde_json::from_slice::<Value>(seen).is_ok_and(|seen| json::includes(&seen, &wanted)) {
                true => None,
                false => finding(format!("JSON that holds {wanted}")),
            }
        }
        BodyExpect::JsonHas(wanted) => {
            let wanted = render_json(wanted, names)?;
            match serde_json::from_slice::<Value>(seen).is_ok_and(|seen| json::has(&seen, &wanted)) {
                true => None,
                false => finding(format!("JSON that holds {wanted}, in any order")),
            }
        }
        BodyExpect::JsonLacks(unwanted) => {
            let unwanted = render_json(unwanted, names)?;
            match serde_json::from_slice::<Value>(seen).is_ok_and(|seen| !json::has(&seen, &unwanted)) {
                true => None,
                false => finding(format!("JSON that does not hold {unwanted}")),
            }
        }
        BodyExpect::Fields(fields) => return fields_of(subject, fields, seen, names),
        BodyExpect::JsonText(wanted) => {
            let wanted = names.render(wanted)?;
            let same = text_of(seen).is_some_and(|text| {
                serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok()
                    && json::without_white_space(&text) == json::without_white_space(&wanted)
            });
            match same {
                true => None,
                false => finding(format!("the JSON text {wanted}")),
            }
        }
    })
}

/// Values in a JSON text by their pointers; the first that is wrong is told.
fn fields_of(
    subject: &str,
    fields: &BTreeMap<String, Matchers>,
    seen: &[u8],
    names: &dyn Names,
) -> Result<Option<Finding>, Unbound> {
    let Ok(whole) = serde_json::from_slice::<Value>(seen) else {
        return Ok(Some(Finding::new(subject, "JSON", BodyRender(seen).to_string())));
    };
    for (pointer, matchers) in fields {
        let value = whole.pointer(pointer).filter(|value| !value.is_null()).cloned().map(SeenValue::Json);
        let findings =
            check_value(&format!("{pointer} in the {subject}"), matchers, value.as_slice(), None, names)?;
        if let Some(first) = findings.into_iter().next() {
            return Ok(Some(first));
        }
    }
    Ok(None)
}

/// What was seen, for a message. Long bodies that differ late are told apart by the place where they part.
pub fn differing(wanted: &[u8], seen: &[u8]) -> String {
    let at = wanted.iter().zip(seen).take_while(|(wanted, seen)| wanted == seen).count();
    if at < 64 || at == seen.len() && seen.len() <= SHOWN {
        return BodyRender(seen).to_string();
    }
    let end = (at + 80).min(seen.len());
    format!("{} bytes, which differ from byte {at} on: {}", seen.len(), BodyRender(&seen[at..end]))
}
