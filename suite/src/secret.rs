//! Values that must not be seen: whatever a target makes of them, no report shows them.

use std::{collections::HashSet, fmt, sync::Arc};

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::{
    event::CaseResult,
    wire::{Exchange, Outcome, RecordedBody, RecordedHeader, WITHHELD},
};

/// So many characters in a row that also stand in a secret are taken for a part of it: texts are cut anywhere.
const PART: usize = 8;

/// Less than this is found in too many other things.
const SHORTEST: usize = 4;

/// The secrets of a run, in all forms in which a target may echo them: as they are, in other case, escaped, percent-encoded,
/// in base64, and in part.
#[derive(Clone, Default)]
pub struct Secrets(Arc<Forms>);

#[derive(Default)]
struct Forms {
    /// Whole forms shorter than a part.
    short: Vec<Vec<u8>>,
    parts: HashSet<[u8; PART]>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(..)")
    }
}

impl Secrets {
    /// Secrets shorter than four bytes are not looked for.
    pub fn new<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> Self {
        let mut forms = Forms::default();
        for value in values {
            let value = value.as_ref().trim();
            if value.len() >= SHORTEST {
                encodings(value).iter().for_each(|form| forms.add(form));
            }
        }
        Self(Arc::new(forms))
    }

    fn is_empty(&self) -> bool {
        self.0.short.is_empty() && self.0.parts.is_empty()
    }

    /// The text without them.
    pub fn hide_in(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        self.hide(&mut shown);
        shown
    }

    fn hide(&self, text: &mut String) {
        if self.is_empty() {
            return;
        }
        let marks = self.0.marks(text);
        if !marks.contains(&true) {
            return;
        }
        let mut shown = String::with_capacity(text.len());
        let mut hiding = false;
        for (at, c) in text.char_indices() {
            let hidden = marks[at..at + c.len_utf8()].contains(&true);
            if !hidden {
                shown.push(c);
            } else if !hiding {
                shown.push_str(WITHHELD);
            }
            hiding = hidden;
        }
        *text = shown;
    }

    /// Takes them out of all that a report may show of a case.
    pub(crate) fn hide_in_case(&self, case: &mut CaseResult) {
        if self.is_empty() {
            return;
        }
        if let Some(reason) = &mut case.reason {
            self.hide(reason);
        }
        for mismatch in &mut case.mismatches {
            for text in [&mut mismatch.subject, &mut mismatch.expected, &mut mismatch.actual] {
                self.hide(text);
            }
        }
        for exchange in &mut case.exchanges {
            self.hide_in_exchange(exchange);
        }
    }

    fn hide_in_exchange(&self, exchange: &mut Exchange) {
        let request = &mut exchange.request;
        self.hide(&mut request.method);
        self.hide(&mut request.url);
        self.hide_in_headers(&mut request.headers);
        self.hide_in_body(&mut request.body);
        match &mut exchange.outcome {
            Outcome::Failure(sentence) => self.hide(sentence),
            Outcome::Response(response) => {
                self.hide(&mut response.ending);
                self.hide_in_headers(&mut response.headers);
                self.hide_in_body(&mut response.body);
            }
        }
    }

    fn hide_in_headers(&self, headers: &mut [RecordedHeader]) {
        for RecordedHeader { name, value } in headers {
            self.hide(name);
            self.hide(value);
        }
    }

    /// Bytes that are no text are shown as text where they hold a secret.
    fn hide_in_body(&self, body: &mut RecordedBody) {
        if let Some(text) = &mut body.text {
            self.hide(text);
        }
        let decoded = body.base64.as_deref().and_then(|base64| BASE64_STANDARD.decode(base64).ok());
        if let Some(bytes) = decoded {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let shown = self.hide_in(&text);
            if shown != text {
                body.base64 = None;
                body.text = Some(shown);
            }
        }
    }
}

impl Forms {
    fn add(&mut self, form: &str) {
        let form = form.to_ascii_lowercase().into_bytes();
        if form.len() < PART {
            self.short.push(form);
            return;
        }
        self.parts.extend(form.windows(PART).filter_map(|part| <[u8; PART]>::try_from(part).ok()));
    }

    /// Which bytes belong to a secret.
    fn marks(&self, text: &str) -> Vec<bool> {
        let lower = text.to_ascii_lowercase().into_bytes();
        let mut marks = vec![false; lower.len()];
        for (at, part) in lower.windows(PART).enumerate() {
            if <[u8; PART]>::try_from(part).is_ok_and(|part| self.parts.contains(&part)) {
                marks[at..at + PART].fill(true);
            }
        }
        for form in &self.short {
            for at in memchr::memmem::find_iter(&lower, form) {
                marks[at..at + form.len()].fill(true);
            }
        }
        marks
    }
}

/// A value as it is, and as it may come back inside something else.
fn encodings(value: &str) -> Vec<String> {
    let quoted = serde_json::Value::from(value).to_string();
    let mut forms = vec![
        value.to_owned(),
        quoted.trim_matches('"').to_owned(),
        percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string(),
        crate::run::encode_query(value),
    ];
    // Base64 of a text in which the value begins at any of the three alignments, without the characters at both ends
    // that depend on its neighbours.
    for before in 0..3_usize {
        let mut bytes = vec![0; before];
        bytes.extend(value.as_bytes());
        let whole = bytes.len() * 8 / 6;
        let base64 = BASE64_STANDARD.encode(&bytes);
        let own = base64[(before * 8).div_ceil(6)..whole].to_owned();
        if own.len() >= PART {
            forms.push(own.replace('+', "-").replace('/', "_"));
            forms.push(own);
        }
    }
    forms.sort();
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "s3cr3t/\"token\" of 2024";

    #[test]
    fn a_secret_is_hidden_in_every_form() {
        let secrets = Secrets::new([SECRET]);
        let json = serde_json::Value::from(SECRET).to_string();
        let wrapped = |padding: &str| BASE64_STANDARD.encode(format!("{padding}{SECRET}{padding}"));
        for text in [
            SECRET.to_owned(),
            SECRET.to_uppercase(),
            format!("a{SECRET}b{SECRET}"),
            format!("cut: {}...", &SECRET[..12]),
            format!("...{}", &SECRET[5..]),
            json,
            format!("/?a={}", crate::run::encode_query(SECRET)),
            wrapped("a"),
            wrapped("ab"),
            wrapped("abc"),
        ] {
            let shown = secrets.hide_in(&text);
            assert!(shown.contains(WITHHELD), "{text} became {shown}");
            let parts = SECRET.as_bytes().windows(PART).map(String::from_utf8_lossy);
            for part in parts {
                assert!(!shown.to_lowercase().contains(&*part.to_lowercase()), "{text} became {shown}");
            }
        }
    }

    #[test]
    fn short_secrets_are_hidden_whole_and_too_short_ones_are_not_looked_for() {
        assert_eq!(Secrets::new(["k3y5"]).hide_in("a k3y5, a k3y"), "a [withheld], a k3y");
        assert_eq!(Secrets::new(["abc"]).hide_in("abc"), "abc");
        assert_eq!(
            Secrets::new(["gr\u{fc}\u{df}e-an-alle"]).hide_in("\u{fc}\u{df}e-an-alle \u{fc}"),
            "[withheld] \u{fc}"
        );
    }

    #[test]
    fn a_body_that_is_no_text_hides_it_too() {
        let bytes = [&[0xff][..], SECRET.as_bytes()].concat();
        let mut body = RecordedBody::of(&bytes, bytes.len(), 4096);
        Secrets::new([SECRET]).hide_in_body(&mut body);
        assert_eq!((body.base64, body.text.as_deref()), (None, Some("\u{fffd}[withheld]")));
    }
}
