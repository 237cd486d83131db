//! The `curl` line that repeats a recorded request from a POSIX shell. Bytes that are no request go through `nc`.

use std::fmt::Write;

use crate::wire::{Exchange, Outcome, RecordedBody, RecordedHeader, RecordedRequest, WITHHELD};

use super::{message, transcript::is_raw, visible::visible};

/// A line for a shell, and what must be known before it is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Curl {
    pub(super) line: String,
    /// What the line cannot say by itself: a secret to be set, a body to be supplied.
    pub(super) notes: Vec<String>,
}

/// The line that sends this request again.
pub(super) fn repeat(exchange: &Exchange) -> Curl {
    let request = &exchange.request;
    let mut curl = Writing::default();
    if is_raw(request) {
        curl.raw(request);
        return curl.told();
    }
    curl.method(request);
    curl.version(exchange);
    if wants_event_stream(request) {
        // Without it the events show only when the connection ends.
        curl.word("-N");
    }
    curl.headers(request);
    curl.body(request);
    curl.url(&request.url);
    curl.words.insert_str(0, "curl");
    curl.told()
}

#[derive(Default)]
struct Writing {
    /// A command whose output becomes the body.
    before: String,
    words: String,
    notes: Vec<String>,
}

impl Writing {
    fn told(mut self) -> Curl {
        let line = self.before + &self.words;
        if line.contains(WITHHELD) {
            self.notes.push(message::secret_in_text(WITHHELD));
        }
        Curl { line, notes: self.notes }
    }

    fn word(&mut self, word: &str) {
        self.words.push(' ');
        self.words.push_str(word);
    }

    /// No client sends bytes as they are but one that knows nothing of HTTP.
    fn raw(&mut self, RecordedRequest { url, body, .. }: &RecordedRequest) {
        let source = match (&body.text, &body.base64) {
            _ if body.shown < body.size => {
                self.notes.push(message::body_not_kept(body.shown, body.size));
                "cat body".to_owned()
            }
            (Some(text), _) => format!("printf {}", printf_format(text.as_bytes())),
            (None, base64) => {
                format!("printf %s {} | base64 -d", quoted(base64.as_deref().unwrap_or_default()))
            }
        };
        let place = authority(url);
        self.words = match url.strip_prefix("https://") {
            Some(_) if place.ends_with(']') || !place.contains(':') => {
                format!("{source} | openssl s_client -quiet -connect {}", quoted(&format!("{place}:443")))
            }
            Some(_) => format!("{source} | openssl s_client -quiet -connect {}", quoted(place)),
            None => {
                let (host, port) =
                    place.rsplit_once(':').filter(|_| !place.ends_with(']')).unwrap_or((place, "80"));
                let host = host.trim_start_matches('[').trim_end_matches(']');
                format!("{source} | nc -w 5 {} {}", quoted(host), quoted(port))
            }
        };
    }

    fn method(&mut self, request: &RecordedRequest) {
        match request.method.as_str() {
            "HEAD" => self.word("-I"),
            "GET" if request.body.size == 0 => self.word("-i"),
            "POST" if request.body.size > 0 => self.word("-i"),
            other => {
                self.word("-i -X");
                self.word(&quoted(other));
            }
        }
    }

    fn version(&mut self, exchange: &Exchange) {
        if let Outcome::Response(response) = &exchange.outcome
            && response.version == "HTTP/2"
        {
            let cleartext = exchange.request.url.starts_with("http://");
            self.word(if cleartext { "--http2-prior-knowledge" } else { "--http2" });
        }
    }

    fn headers(&mut self, request: &RecordedRequest) {
        for header in &request.headers {
            if header.value == WITHHELD {
                self.secret(&header.name);
            } else if !curl_adds_it_too(header, request) {
                self.word("-H");
                self.word(&quoted(&header_argument(header)));
            }
        }
        // curl would say that a body is a form.
        if request.body.size > 0 && !has_header(request, "Content-Type") {
            self.word("-H Content-Type:");
        }
    }

    fn secret(&mut self, name: &str) {
        let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        let variable = format!("STREAMGAUGE_HEADER_{}", name.chars().map(word).collect::<String>());
        self.word("-H");
        if name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
            self.word(&format!("\"{name}: ${variable}\""));
        } else {
            self.word(&format!("{}\"${variable}\"", quoted(&format!("{name}: "))));
        }
        self.notes.push(message::secret_header(name, &variable));
    }

    fn body(&mut self, request: &RecordedRequest) {
        let RecordedBody { size, shown, text, base64 } = &request.body;
        if *size == 0 {
            return;
        }
        if shown < size {
            self.notes.push(message::body_not_kept(*shown, *size));
            return self.word("--data-binary @body");
        }
        match (text, base64) {
            (Some(text), _) if is_plain(text) && !text.starts_with('@') => {
                self.word("--data-binary");
                self.word(&quoted(text));
            }
            (Some(text), _) => self.body_by_printf(text.as_bytes()),
            (None, Some(base64)) => {
                write!(self.before, "printf %s {} | base64 -d | ", quoted(base64))
                    .expect("a String takes all");
                self.word("--data-binary @-");
            }
            (None, None) => {}
        }
    }

    fn body_by_printf(&mut self, bytes: &[u8]) {
        write!(self.before, "printf {} | ", printf_format(bytes)).expect("a String takes all");
        self.word("--data-binary @-");
    }

    fn url(&mut self, url: &str) {
        if url.split(['/', '?']).any(|segment| matches!(segment, "." | "..")) {
            self.word("--path-as-is");
        }
        if url.contains(['[', ']', '{', '}']) {
            self.word("--globoff");
        }
        self.word(&quoted(url));
    }
}

fn wants_event_stream(request: &RecordedRequest) -> bool {
    let query = request.url.split_once('?').map_or("", |(_, query)| query);
    let accepts = request.headers.iter().any(|header| {
        header.name.eq_ignore_ascii_case("Accept") && header.value.contains("text/event-stream")
    });
    accepts || query.split('&').any(|pair| pair == "live=sse")
}

/// Headers that curl sends of itself with the same meaning; all others are repeated to the letter.
fn curl_adds_it_too(header: &RecordedHeader, request: &RecordedRequest) -> bool {
    let RecordedHeader { name, value } = header;
    match name.to_ascii_lowercase().as_str() {
        "host" => authority(&request.url) == value,
        "accept" => value == "*/*",
        "user-agent" => value.starts_with("streamgauge/"),
        "content-length" => request.body.size > 0 && *value == request.body.size.to_string(),
        _ => false,
    }
}

fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

fn has_header(request: &RecordedRequest, name: &str) -> bool {
    request.headers.iter().any(|header| header.name.eq_ignore_ascii_case(name))
}

fn header_argument(RecordedHeader { name, value }: &RecordedHeader) -> String {
    // `Name:` would tell curl to leave the header out, `Name;` is how it is sent empty.
    if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") }
}

/// The text as one word of a shell, safe to print.
fn quoted(text: &str) -> String {
    if !is_plain(text) {
        return format!("\"$(printf {})\"", printf_format(text.as_bytes()));
    }
    shlex::try_quote(text).map_or_else(|_| "''".to_owned(), std::borrow::Cow::into_owned)
}

/// Whether the text can be printed as it is: nothing in it would be obeyed or hidden by a terminal.
fn is_plain(text: &str) -> bool {
    matches!(visible(text), std::borrow::Cow::Borrowed(_))
}

/// A quoted format for `printf` that yields these bytes, in printable ASCII.
fn printf_format(bytes: &[u8]) -> String {
    let mut format = String::from("'");
    for (index, byte) in bytes.iter().enumerate() {
        match byte {
            // Else the format could be taken for an option.
            b'-' if index == 0 => format.push_str("\\055"),
            b'\n' => format.push_str("\\n"),
            b'\r' => format.push_str("\\r"),
            b'\t' => format.push_str("\\t"),
            b'\\' => format.push_str("\\\\"),
            b'%' => format.push_str("%%"),
            b'\'' => format.push_str("'\\''"),
            b' '..=b'~' => format.push(char::from(*byte)),
            other => write!(format, "\\{other:03o}").expect("a String takes all"),
        }
    }
    format.push('\'');
    format
}

#[cfg(test)]
mod tests;
