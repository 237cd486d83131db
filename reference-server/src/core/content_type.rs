//! Content types: what a stream holds, and what follows from it (section 9).

use super::error::Malformed;
use crate::sabotage::{Switch, Switches};

/// The media type of a stream, as its creator spelled it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType {
    text: Box<str>,
    format: Format,
}

/// How the bytes of a stream are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `application/json`: a sequence of messages (section 9.1).
    Json,
    /// `text/*`: bytes, and text in an event stream.
    Text,
    /// Anything else: bytes, and base64 in an event stream.
    Binary,
}

impl ContentType {
    /// Reads a `Content-Type` header value; parameters are kept in the text.
    ///
    /// # Errors
    /// The part before the parameters is not `type/subtype`.
    pub fn parse(value: &str, switches: Switches) -> Result<Self, Malformed> {
        let format = match media_type(value)? {
            media_type if media_type.contains("json") && switches.on(Switch::JsonBySubstring) => Format::Json,
            _ if value != "application/json" && switches.on(Switch::JsonByExactType) => Format::Binary,
            media_type => format_of(media_type),
        };
        Ok(Self { text: value.trim().into(), format })
    }

    /// The type as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How the bytes of the stream are treated.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether `value` names the same media type; case and parameters do not matter.
    ///
    /// # Errors
    /// The value is not a media type at all.
    pub fn agrees_with(&self, value: &str, switches: Switches) -> Result<bool, Malformed> {
        let own = media_type(&self.text).expect("parsed on construction");
        let other = media_type(value)?;
        Ok(match switches.on(Switch::TypesComparedExactly) {
            false => own.eq_ignore_ascii_case(other),
            true => own == other,
        })
    }
}

impl Default for ContentType {
    /// What a stream holds whose creator did not say (section 5.1).
    fn default() -> Self {
        Self { text: "application/octet-stream".into(), format: Format::Binary }
    }
}

fn media_type(value: &str) -> Result<&str, Malformed> {
    let essence = value.split(';').next().unwrap_or_default().trim();
    let (kind, subtype) = essence.split_once('/').ok_or(Malformed::ContentType)?;
    if is_token(kind) && is_token(subtype) { Ok(essence) } else { Err(Malformed::ContentType) }
}

fn format_of(media_type: &str) -> Format {
    let is_text = media_type.split_once('/').is_some_and(|(kind, _)| kind.eq_ignore_ascii_case("text"));
    if media_type.eq_ignore_ascii_case("application/json") {
        Format::Json
    } else if is_text {
        Format::Text
    } else {
        Format::Binary
    }
}

fn is_token(part: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !part.is_empty() && part.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_mode_belongs_to_one_media_type() {
        let format = |value| ContentType::parse(value, Switches::NONE).unwrap().format();
        assert_eq!(format("application/json"), Format::Json);
        assert_eq!(format("APPLICATION/JSON"), Format::Json);
        assert_eq!(format("application/json; charset=utf-8"), Format::Json);
        assert_eq!(format("application/ndjson"), Format::Binary);
        assert_eq!(format("application/vnd.api+json"), Format::Binary);
        assert_eq!(format("text/json"), Format::Text);
        assert_eq!(format("Text/Plain;charset=utf-8"), Format::Text);
        assert_eq!(format("application/xml"), Format::Binary);
    }

    #[test]
    fn comparison_ignores_case_and_parameters() {
        let plain = ContentType::parse("text/plain; charset=utf-8", Switches::NONE).unwrap();
        assert_eq!(plain.as_str(), "text/plain; charset=utf-8");
        assert_eq!(plain.agrees_with("TEXT/PLAIN", Switches::NONE), Ok(true));
        assert_eq!(plain.agrees_with("text/html", Switches::NONE), Ok(false));
        assert_eq!(plain.agrees_with("text", Switches::NONE), Err(Malformed::ContentType));
    }

    #[test]
    fn what_is_no_media_type_is_malformed() {
        for value in ["", "text", "/plain", "text/", "te xt/plain", "text/pl/ain", ";"] {
            assert_eq!(ContentType::parse(value, Switches::NONE), Err(Malformed::ContentType), "{value:?}");
        }
    }
}
