//! The headers that go with every request, and which of them are secret.

use std::{fmt, str::FromStr};

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::{cli::Misuse, secret::Secrets, wire::Headers};

/// Headers and what of their values must never be seen.
#[derive(Clone, Default)]
pub(in crate::cli) struct StandingHeaders {
    pub(in crate::cli) headers: Headers,
    secrets: Vec<String>,
}

impl fmt::Debug for StandingHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StandingHeaders(..)")
    }
}

impl StandingHeaders {
    /// A header that may be seen where the target echoes it, unless its name says that it is a credential.
    pub(in crate::cli) fn add(&mut self, Header { name, value }: Header) {
        if names_a_credential(&name) {
            self.secrets.extend(credentials(&name, &value));
        }
        self.headers.push(name, value);
    }

    /// A header that must not be seen.
    pub(in crate::cli) fn add_secret(&mut self, Header { name, value }: Header) {
        if !is_harmless(&name) {
            self.secrets.extend(credentials(&name, &value));
        }
        self.headers.push(name, value);
    }

    /// A header that may have values out of the environment; then it must not be seen.
    pub(in crate::cli) fn add_template(&mut self, template: &HeaderTemplate) -> Result<(), Misuse> {
        let (header, variables) = template.fill(|name| std::env::var(name).ok())?;
        match variables.is_empty() {
            true => self.add(header),
            false => {
                self.secrets.extend(variables);
                self.add_secret(header);
            }
        }
        Ok(())
    }

    /// Those of `others` whose names are not here yet, behind these.
    pub(in crate::cli) fn complete(&mut self, others: Self) {
        let missing = others.headers.0.into_iter().filter(|(name, _)| !self.headers.contains(name));
        let missing: Vec<_> = missing.collect();
        self.headers.0.extend(missing);
        self.secrets.extend(others.secrets);
    }

    pub(in crate::cli) fn secrets(&self) -> Secrets {
        Secrets::new(&self.secrets)
    }
}

/// `Name: value`, where HTTP allows both; the name is sent as it is spelled.
#[derive(Clone)]
pub(in crate::cli) struct Header {
    name: String,
    value: String,
}

impl Header {
    pub(in crate::cli) fn new(name: &str, value: &str) -> Option<Self> {
        let (name, value) = (name.trim(), value.trim());
        http::HeaderName::from_bytes(name.as_bytes()).ok()?;
        http::HeaderValue::from_str(value).ok()?;
        Some(Self { name: name.to_owned(), value: value.to_owned() })
    }

    pub(in crate::cli) fn parse(line: &str) -> Option<Self> {
        line.split_once(':').and_then(|(name, value)| Self::new(name, value))
    }
}

/// Names that speak of credentials.
fn names_a_credential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["authorization", "cookie", "token", "secret", "password", "api-key", "apikey", "access-key"]
        .iter()
        .any(|word| name.contains(word))
}

/// Headers whose values stand in every exchange anyway; to hide those would make reports unreadable.
fn is_harmless(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("accept") || ["content-type", "user-agent", "host", "origin"].contains(&name.as_str())
}

/// What is secret in a value: all of it, or what follows the name of a scheme (RFC 9110, section 11.4); of Basic also the
/// password.
fn credentials(name: &str, value: &str) -> Vec<String> {
    let has_scheme = name.to_ascii_lowercase().ends_with("authorization");
    let Some((scheme, rest)) = value.split_once(' ').filter(|_| has_scheme) else {
        return vec![value.to_owned()];
    };
    let mut secrets = vec![rest.to_owned()];
    if scheme.eq_ignore_ascii_case("Basic") {
        let decoded =
            BASE64_STANDARD.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let password =
            decoded.as_deref().and_then(|pair| pair.split_once(':')).map(|(_, word)| word.to_owned());
        secrets.extend(password);
        secrets.extend(decoded);
    }
    secrets
}

/// A header whose value is, or holds, variables of the environment: `NAME=VARIABLE`, or `NAME=text ${VARIABLE}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct HeaderTemplate {
    name: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Variable(String),
}

impl FromStr for HeaderTemplate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The text is not repeated: where a shell has put in the value of a variable, it is a secret.
        let (name, value) = text
            .split_once('=')
            .ok_or("it has no `=`; write 'Name=VARIABLE', or 'Name=Bearer ${VARIABLE}' in single quotes")?;
        if is_variable(value.trim()) {
            let pieces = vec![Piece::Variable(value.trim().to_owned())];
            return Self { name: name.trim().to_owned(), pieces }.checked();
        }
        let template = Self::new(name, value)?;
        if !template.has_variables() {
            return Err("it names no variable; write 'Name=VARIABLE', or 'Name=Bearer ${VARIABLE}' in single quotes, \
                        so that the shell leaves the variable alone"
                .to_owned());
        }
        Ok(template)
    }
}

impl HeaderTemplate {
    /// `$NAME` and `${NAME}` stand for variables, `$$` for a dollar sign.
    pub(in crate::cli) fn new(name: &str, text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text.trim();
        while let Some(at) = rest.find('$') {
            pieces.push(Piece::Text(rest[..at].to_owned()));
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('$') {
                pieces.push(Piece::Text("$".to_owned()));
                rest = after;
            } else if let Some(after) = rest.strip_prefix('{') {
                let (variable, after) =
                    after.split_once('}').ok_or("a `${` is not closed; write ${VARIABLE}")?;
                if !is_variable(variable) {
                    return Err("between `${` and `}` stands no name of a variable".to_owned());
                }
                pieces.push(Piece::Variable(variable.to_owned()));
                rest = after;
            } else {
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
                if !is_variable(&rest[..end]) {
                    return Err(
                        "a `$` is followed by no name of a variable; write $$ for the sign".to_owned()
                    );
                }
                pieces.push(Piece::Variable(rest[..end].to_owned()));
                rest = &rest[end..];
            }
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Self { name: name.trim().to_owned(), pieces }.checked()
    }

    fn checked(self) -> Result<Self, String> {
        match http::HeaderName::from_bytes(self.name.as_bytes()) {
            Ok(_) => Ok(self),
            Err(_) => Err("what stands before the value is no name of a header".to_owned()),
        }
    }

    pub(in crate::cli) fn has_variables(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Variable(_)))
    }

    /// The header, and the values of its variables.
    pub(in crate::cli) fn fill(
        &self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<(Header, Vec<String>), Misuse> {
        let (mut value, mut secrets) = (String::new(), Vec::new());
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => value.push_str(text),
                Piece::Variable(name) => {
                    let filled = variable(name).filter(|text| !text.trim().is_empty()).ok_or_else(|| {
                        Misuse::new(format!("the header {} needs the variable {name} of the environment, which is not set or empty; set it", self.name))
                    })?;
                    value.push_str(filled.trim());
                    secrets.push(filled.trim().to_owned());
                }
            }
        }
        let header = Header::new(&self.name, &value).ok_or_else(|| {
            Misuse::new(format!(
                "the header {} cannot be sent: its variable holds characters that HTTP does not allow in a header",
                self.name
            ))
        })?;
        Ok((header, secrets))
    }
}

impl fmt::Display for HeaderTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

fn is_variable(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<String, String> {
        let template: HeaderTemplate = text.parse()?;
        let variable = |name: &str| (name == "TOKEN").then(|| "abc\n".to_owned());
        let (header, _) = template.fill(variable).map_err(|misuse| misuse.to_string())?;
        Ok(format!("{}: {}", header.name, header.value))
    }

    #[test]
    fn a_variable_is_the_whole_value_or_a_part_of_it() {
        for (text, expected) in [
            ("Authorization=TOKEN", "Authorization: abc"),
            ("Authorization=Bearer ${TOKEN}", "Authorization: Bearer abc"),
            ("Authorization=Bearer $TOKEN", "Authorization: Bearer abc"),
            ("X-Price=$$5 ${TOKEN}=", "X-Price: $5 abc="),
        ] {
            assert_eq!(filled(text).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_is_wrong_is_told_without_the_value() {
        for text in [
            "Authorization: Bearer s3cret",
            "Authorization=Bearer s3cret",
            "Authorization=Bearer ${s3cret",
            "Authorization=$ s3cret",
            "Auth orization=TOKEN",
        ] {
            let told = filled(text).expect_err(text);
            assert!(!told.contains("s3cret"), "{told}");
        }
        assert!(filled("Authorization=OTHER").expect_err("not set").contains("OTHER"));
    }

    #[test]
    fn the_scheme_of_credentials_is_no_secret_and_the_password_is_one() {
        assert_eq!(credentials("Authorization", "Bearer abc"), ["abc"]);
        assert_eq!(credentials("X-Key", "a b"), ["a b"]);
        let basic = credentials("Authorization", "Basic dXNlcjpoZW1saWNo");
        assert_eq!(basic, ["dXNlcjpoZW1saWNo", "hemlich", "user:hemlich"]);
    }
}
