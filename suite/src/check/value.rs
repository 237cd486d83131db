//! One value against the demands on it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use url::Url;

use super::{Finding, Names};
use crate::case::{Form, Matcher, Matchers, Unbound};

/// A value as it was seen.
#[derive(Clone, Debug)]
pub enum SeenValue {
    /// A header's value; bytes that are no UTF-8 are replaced, which equals nothing sensible.
    Text(String),
    /// A field of a JSON object.
    Json(serde_json::Value),
}

impl SeenValue {
    /// The text to compare: of a JSON text its content, of any other JSON value its notation.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) | Self::Json(serde_json::Value::String(text)) => text.clone(),
            Self::Json(value) => value.to_string(),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Json(value) => value.to_string(),
        }
    }
}

/// Checks all values of one name. `base` is the URL that relative references are resolved against.
pub fn check_value(
    subject: &str,
    matchers: &Matchers,
    seen: &[SeenValue],
    base: Option<&Url>,
    names: &dyn Names,
) -> Result<Vec<Finding>, Unbound> {
    let mut findings = Vec::new();
    for matcher in &matchers.0 {
        let expected = describe(matcher, names)?;
        let actual = match seen {
            [] => "absent".to_owned(),
            many => many.iter().map(SeenValue::shown).collect::<Vec<_>>().join(", "),
        };
        let met = match (matcher, seen) {
            (Matcher::Absent, seen) => seen.is_empty(),
            (Matcher::AbsentOr(_), []) => true,
            (_, []) => false,
            (Matcher::Directives(wanted), many) => {
                let found = directives(many);
                wanted.iter().all(|wanted| found.iter().any(|found| directive_matches(found, wanted)))
            }
            (Matcher::WithoutDirectives(unwanted), many) => {
                let found = directives(many);
                !unwanted.iter().any(|unwanted| found.iter().any(|found| directive_matches(found, unwanted)))
            }
            (matcher, [one]) => meets(matcher, one, base, names)?,
            // A header that may stand once and stands twice has no one value.
            (_, _) => false,
        };
        if !met {
            findings.push(Finding::new(subject, expected, actual));
        }
    }
    Ok(findings)
}

fn meets(
    matcher: &Matcher,
    seen: &SeenValue,
    base: Option<&Url>,
    names: &dyn Names,
) -> Result<bool, Unbound> {
    let text = seen.text();
    Ok(match matcher {
        Matcher::Equals(wanted) => text == names.render(wanted)?,
        Matcher::Not(unwanted) => text != names.render(unwanted)?,
        Matcher::OneOf(several) | Matcher::AbsentOr(several) => {
            let several: Result<Vec<String>, Unbound> = several.iter().map(|one| names.render(one)).collect();
            several?.contains(&text)
        }
        Matcher::SortsAfter(other) => text.as_bytes() > names.render(other)?.as_bytes(),
        Matcher::SortsBefore(other) => text.as_bytes() < names.render(other)?.as_bytes(),
        Matcher::GreaterThan(other) => {
            compare_integers(&text, &names.render(other)?).is_some_and(|order| order.is_gt())
        }
        Matcher::AtLeast(other) => {
            compare_integers(&text, &names.render(other)?).is_some_and(|order| order.is_ge())
        }
        Matcher::AtMost(other) => {
            compare_integers(&text, &names.render(other)?).is_some_and(|order| order.is_le())
        }
        Matcher::MediaType(wanted) => media_type(&text) == media_type(&names.render(wanted)?),
        Matcher::Instant(wanted) => {
            match (text.parse::<jiff::Timestamp>(), names.render(wanted)?.parse::<jiff::Timestamp>()) {
                (Ok(seen), Ok(wanted)) => seen == wanted,
                _ => false,
            }
        }
        Matcher::PathOf(stream) => {
            let wanted =
                names.value(&format!("{stream}.path")).ok_or_else(|| Unbound(format!("{stream}.path")))?;
            let resolved = match base {
                Some(base) => base.join(&text),
                None => Url::parse(&text),
            };
            resolved.is_ok_and(|url| url.path() == wanted && url.query().is_none())
        }
        Matcher::Form(form) => has_form(*form, seen),
        Matcher::Present => true,
        Matcher::Absent | Matcher::Directives(_) | Matcher::WithoutDirectives(_) => false,
    })
}

fn describe(matcher: &Matcher, names: &dyn Names) -> Result<String, Unbound> {
    Ok(match matcher {
        Matcher::Equals(wanted) => names.render(wanted)?,
        Matcher::Not(unwanted) => format!("present, and not {}", names.render(unwanted)?),
        Matcher::OneOf(several) => {
            let several: Result<Vec<String>, Unbound> = several.iter().map(|one| names.render(one)).collect();
            format!("one of {}", several?.join(", "))
        }
        Matcher::SortsAfter(other) => format!("a value that sorts after {}", names.render(other)?),
        Matcher::SortsBefore(other) => format!("a value that sorts before {}", names.render(other)?),
        Matcher::GreaterThan(other) => format!("an integer greater than {}", names.render(other)?),
        Matcher::AtLeast(other) => format!("an integer of at least {}", names.render(other)?),
        Matcher::AtMost(other) => format!("an integer of at most {}", names.render(other)?),
        Matcher::Directives(wanted) => format!("with {}", wanted.join(", ")),
        Matcher::WithoutDirectives(unwanted) => format!("present, without {}", unwanted.join(", ")),
        Matcher::MediaType(wanted) => names.render(wanted)?,
        Matcher::Instant(wanted) => format!("the instant {}", names.render(wanted)?),
        Matcher::PathOf(stream) => {
            let path = names.value(&format!("{stream}.path")).unwrap_or_default();
            format!("a reference to {path}")
        }
        Matcher::Form(form) => form.description().to_owned(),
        Matcher::Present => "present".to_owned(),
        Matcher::Absent => "absent".to_owned(),
        Matcher::AbsentOr(several) => {
            let several: Result<Vec<String>, Unbound> = several.iter().map(|one| names.render(one)).collect();
            format!("absent, or {}", several?.join(" or "))
        }
    })
}

impl Form {
    const fn description(self) -> &'static str {
        match self {
            Self::EntityTag => "an entity tag in quotes, with at most W/ in front",
            Self::Digits => "decimal digits",
            Self::UrlSafeAndShort => "fewer than 256 unreserved URL characters",
            Self::OffsetToken => "a token without , & = ? /, and neither -1 nor now",
            Self::Instant => "an RFC 3339 date and time",
            Self::JsonString => "a JSON text",
            Self::JsonBoolean => "true or false as JSON",
            Self::JsonInteger => "a whole number as JSON",
            Self::Ed25519Key => "32 bytes in base64url without padding",
        }
    }
}

fn has_form(form: Form, seen: &SeenValue) -> bool {
    let text = seen.text();
    match form {
        Form::EntityTag => text
            .strip_prefix("W/")
            .unwrap_or(&text)
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .is_some_and(|inner| {
                inner.bytes().all(|byte| byte == 0x21 || (0x23..=0x7e).contains(&byte) || byte >= 0x80)
            }),
        Form::Digits => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()),
        Form::UrlSafeAndShort => {
            !text.is_empty()
                && text.len() < 256
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        }
        Form::OffsetToken => {
            !text.is_empty() && !text.contains([',', '&', '=', '?', '/']) && text != "-1" && text != "now"
        }
        Form::Instant => text.parse::<jiff::Timestamp>().is_ok(),
        Form::JsonString => matches!(seen, SeenValue::Json(serde_json::Value::String(_))),
        Form::JsonBoolean => matches!(seen, SeenValue::Json(serde_json::Value::Bool(_))),
        Form::JsonInteger => {
            matches!(seen, SeenValue::Json(serde_json::Value::Number(number)) if number.is_u64())
        }
        Form::Ed25519Key => URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32),
    }
}

/// Decimal integers of any length; `None` where either is none.
pub(super) fn compare_integers(left: &str, right: &str) -> Option<std::cmp::Ordering> {
    let digits = |text: &str| {
        let all_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        all_digits.then(|| text.trim_start_matches('0').to_owned())
    };
    let (left, right) = (digits(left)?, digits(right)?);
    Some(left.len().cmp(&right.len()).then_with(|| left.cmp(&right)))
}

/// A media type without parameters, in lower case.
pub(super) fn media_type(text: &str) -> String {
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn directives(values: &[SeenValue]) -> Vec<String> {
    values
        .iter()
        .flat_map(|value| {
            let text = value.text();
            text.split(',').map(|directive| directive.trim().to_ascii_lowercase()).collect::<Vec<_>>()
        })
        .collect()
}

/// `max-age` asks for the directive with any value, `max-age=60` for that value.
fn directive_matches(found: &str, wanted: &str) -> bool {
    let wanted = wanted.to_ascii_lowercase();
    found == wanted
        || (!wanted.contains('=') && found.split('=').next().is_some_and(|name| name.trim() == wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct NoNames;

    impl Names for NoNames {
        fn value(&self, name: &str) -> Option<String> {
            (name == "stream.path").then(|| "/v1/stream/a".to_owned())
        }
    }

    fn met(matchers: &str, seen: &[&str]) -> bool {
        let matchers: Matchers = serde_saphyr::from_str(matchers).expect("matchers");
        let seen: Vec<SeenValue> = seen.iter().map(|text| SeenValue::Text((*text).to_owned())).collect();
        let base = Url::parse("http://gauge.test/v1/stream/a?offset=-1").expect("a URL");
        check_value("header X", &matchers, &seen, Some(&base), &NoNames).expect("names").is_empty()
    }

    #[test]
    fn nothing_but_absence_is_met_by_an_absent_value() {
        for matchers in [
            "x",
            "{ not: x }",
            "{ one_of: [x] }",
            "{ sorts_after: '' }",
            "{ greater_than: 0 }",
            "{ at_most: 5 }",
            "{ directives: [] }",
            "{ without_directives: [public] }",
            "{ media_type: text/plain }",
            "{ path_of: stream }",
            "{ form: digits }",
            "{ present: true }",
        ] {
            assert!(!met(matchers, &[]), "{matchers}");
        }
        assert!(met("{ absent: true }", &[]));
        assert!(!met("{ absent: true }", &[""]));
    }

    #[test]
    fn a_doubled_header_has_no_one_value() {
        assert!(!met("x", &["x", "x"]));
        assert!(met("{ directives: [no-store] }", &["private", "max-age=0, No-Store"]));
    }

    #[test]
    fn integers_compare_by_value_and_offsets_by_bytes() {
        assert!(met("{ greater_than: 9 }", &["10"]));
        assert!(!met("{ greater_than: 9 }", &["1e3"]));
        assert!(!met("{ sorts_after: '9' }", &["10"]));
        assert!(met("{ greater_than: '99999999999999999999999999' }", &["100000000000000000000000000"]));
    }

    #[test]
    fn references_resolve_against_the_request() {
        for reference in ["/v1/stream/a", "http://elsewhere.test/v1/stream/a", "a", "../stream/a"] {
            assert!(met("{ path_of: stream }", &[reference]), "{reference}");
        }
        for reference in ["/v1/stream/b", "/v1/stream/a/", "/v1/stream/a?x=1", ""] {
            assert!(!met("{ path_of: stream }", &[reference]), "{reference}");
        }
    }

    #[test]
    fn forms() {
        assert!(met("{ form: entity-tag }", &["W/\"a:b\""]));
        for tag in ["abc", "\"a b\"", "\"a\"b\"", "\"", "w/\"a\""] {
            assert!(!met("{ form: entity-tag }", &[tag]), "{tag}");
        }
        assert!(!met("{ form: offset-token }", &["-1"]));
        assert!(met("{ directives: [max-age] }", &["public, max-age=60"]));
        assert!(!met("{ directives: [max-age=6] }", &["public, max-age=60"]));
    }
}
