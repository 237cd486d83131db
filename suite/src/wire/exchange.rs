use std::time::{Duration, Instant};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Serialize, Serializer};

use super::{Client, Ending, Endpoint, Head, Headers, Request, Response, Timing, WireError, raw::Script};

/// What stands in a record for a value that must not be shown.
pub const WITHHELD: &str = "[withheld]";

/// What was asked and what came back, as plain data that is cheap to keep and to write down.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Exchange {
    /// From the beginning of the run to the beginning of the exchange.
    #[serde(rename = "started_at_ms", serialize_with = "milliseconds")]
    pub started_at: Duration,
    /// From its beginning to its end.
    #[serde(rename = "duration_ms", serialize_with = "milliseconds")]
    pub duration: Duration,
    pub request: RecordedRequest,
    pub outcome: Outcome,
}

/// How many bytes of the headers of an answer are recorded.
const HEADERS_SHOWN: usize = 4096;

/// An answer, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Response(RecordedResponse),
    Failure(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordedRequest {
    /// Empty where bytes were sent as they are; `body` is then all of them.
    pub method: String,
    pub url: String,
    pub headers: Vec<RecordedHeader>,
    pub body: RecordedBody,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordedResponse {
    pub version: String,
    pub status: u16,
    pub headers: Vec<RecordedHeader>,
    pub body: RecordedBody,
    /// Whether the body ended as announced.
    pub complete: bool,
    /// How the body ended, in words.
    pub ending: String,
    /// From the standing connection to the complete head.
    #[serde(rename = "to_head_ms", serialize_with = "milliseconds")]
    pub to_head: Duration,
}

/// A header field; bytes that are not UTF-8 are shown as U+FFFD.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordedHeader {
    pub name: String,
    pub value: String,
}

/// The beginning of a body: as text where it is UTF-8, else in base64.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RecordedBody {
    /// Bytes in the whole body.
    pub size: usize,
    /// Bytes of it that are shown here.
    pub shown: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
}

impl Exchange {
    /// Records one exchange of a run that began at `epoch`, with at most `prefix` bytes of each body.
    pub fn record(
        client: &Client,
        request: &Request,
        result: &Result<Response, WireError>,
        began: Instant,
        epoch: Instant,
        prefix: usize,
    ) -> Self {
        Self::of(RecordedRequest::of(client, request, prefix), result, began, epoch, prefix)
    }

    /// The same for bytes that were sent as they are; `shown` is what may be seen of them.
    pub fn record_raw(
        endpoint: &Endpoint,
        shown: &Script,
        result: &Result<Response, WireError>,
        began: Instant,
        epoch: Instant,
        prefix: usize,
    ) -> Self {
        Self::of(RecordedRequest::of_script(endpoint, shown, prefix), result, began, epoch, prefix)
    }

    fn of(
        request: RecordedRequest,
        result: &Result<Response, WireError>,
        began: Instant,
        epoch: Instant,
        prefix: usize,
    ) -> Self {
        let (duration, outcome) = outcome(result, began, prefix);
        Self { started_at: began.saturating_duration_since(epoch), duration, request, outcome }
    }
}

fn outcome(result: &Result<Response, WireError>, began: Instant, prefix: usize) -> (Duration, Outcome) {
    match result {
        Ok(response) => (response.timing.total(), Outcome::Response(RecordedResponse::of(response, prefix))),
        Err(error) => (began.elapsed(), Outcome::Failure(error.to_string())),
    }
}

impl Exchange {
    /// About how many bytes of memory it takes.
    pub fn footprint(&self) -> usize {
        let outcome = match &self.outcome {
            Outcome::Response(response) => {
                headers_size(&response.headers) + response.body.footprint() + response.ending.len()
            }
            Outcome::Failure(why) => why.len(),
        };
        let RecordedRequest { url, headers, body, .. } = &self.request;
        size_of::<Self>() + url.len() + headers_size(headers) + body.footprint() + outcome
    }
}

fn headers_size(headers: &[RecordedHeader]) -> usize {
    headers.iter().map(|header| size_of::<RecordedHeader>() + header.name.len() + header.value.len()).sum()
}

impl RecordedRequest {
    /// The request as the client sends it; values of standing headers are withheld.
    pub fn of(client: &Client, request: &Request, prefix: usize) -> Self {
        Self {
            method: request.method.clone(),
            url: request.target.to_string(),
            headers: recorded(&client.headers_for_show(request)),
            body: RecordedBody::of(&request.body.content(), request.body.size(), prefix),
        }
    }

    /// What a raw exchange sends, which need not have a method or headers: all of it is the body.
    pub fn of_script(endpoint: &Endpoint, script: &Script, prefix: usize) -> Self {
        let sent: Vec<u8> = script.pieces.iter().flat_map(|piece| piece.bytes.iter().copied()).collect();
        Self {
            method: String::new(),
            url: endpoint.to_string(),
            headers: Vec::new(),
            body: RecordedBody::of(&sent, sent.len(), prefix),
        }
    }
}

impl RecordedResponse {
    pub fn of(response: &Response, prefix: usize) -> Self {
        let Response { head, body, ending, timing, .. } = response;
        Self::of_stream(head, body, body.len(), ending, *timing, prefix)
    }

    /// The same for a body that was read as it came, of which only a beginning was kept.
    pub fn of_stream(
        head: &Head,
        beginning: &[u8],
        size: usize,
        ending: &Ending,
        timing: Timing,
        prefix: usize,
    ) -> Self {
        Self {
            version: head.version.to_string(),
            status: head.status,
            headers: recorded_beginning(&head.headers),
            body: RecordedBody::of(beginning, size, prefix),
            complete: ending.is_clean(),
            ending: ending.to_string(),
            to_head: timing.to_head(),
        }
    }
}

impl RecordedBody {
    fn footprint(&self) -> usize {
        [&self.text, &self.base64].into_iter().flatten().map(String::len).sum()
    }

    /// At most `prefix` bytes of a body of which `beginning` is known and which has `size` bytes in all.
    pub fn of(beginning: &[u8], size: usize, prefix: usize) -> Self {
        let mut shown = &beginning[..beginning.len().min(prefix)];
        if shown.len() < size {
            shown = without_broken_end(shown);
        }
        let text = std::str::from_utf8(shown).ok().map(str::to_owned);
        let base64 = text.is_none().then(|| BASE64_STANDARD.encode(shown));
        Self { size, shown: shown.len(), text, base64 }
    }
}

/// Cutting a text must not make it look like something else than text.
fn without_broken_end(shown: &[u8]) -> &[u8] {
    match std::str::from_utf8(shown) {
        Err(error) if error.error_len().is_none() => &shown[..error.valid_up_to()],
        _ => shown,
    }
}

fn recorded(headers: &Headers) -> Vec<RecordedHeader> {
    let field = |(name, value): (&str, &[u8])| RecordedHeader {
        name: name.to_owned(),
        value: String::from_utf8_lossy(value).into_owned(),
    };
    headers.iter().map(field).collect()
}

/// The same for headers that may be many and long: what goes beyond [`HEADERS_SHOWN`] is left out, and the last field
/// says how many those are.
fn recorded_beginning(headers: &Headers) -> Vec<RecordedHeader> {
    let mut used = 0;
    let fits = |(name, value): &(&str, &[u8])| {
        used += name.len() + value.len();
        used <= HEADERS_SHOWN
    };
    let shown = headers.iter().take_while(fits).count();
    let mut fields = recorded(&headers.iter().take(shown).collect());
    let left_out = headers.iter().skip(shown).count();
    if left_out > 0 {
        let size: usize = headers.iter().skip(shown).map(|(name, value)| name.len() + value.len()).sum();
        fields.push(RecordedHeader {
            name: "(left out)".to_owned(),
            value: format!("{left_out} more fields of {size} bytes"),
        });
    }
    fields
}

/// With three decimals.
fn milliseconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((duration.as_secs_f64() * 1_000_000.0).round() / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(beginning: &[u8], size: usize, prefix: usize) -> (Option<String>, Option<String>, usize) {
        let body = RecordedBody::of(beginning, size, prefix);
        assert_eq!(body.size, size);
        (body.text, body.base64, body.shown)
    }

    #[test]
    fn text_is_shown_as_text_also_when_cut_inside_a_character() {
        assert_eq!(shown("grün".as_bytes(), 5, 100), (Some("grün".to_owned()), None, 5));
        assert_eq!(shown("grün".as_bytes(), 5, 3), (Some("gr".to_owned()), None, 2));
        assert_eq!(shown("gr".as_bytes(), 5, 100), (Some("gr".to_owned()), None, 2));
        assert_eq!(shown(b"", 0, 100), (Some(String::new()), None, 0));
    }

    #[test]
    fn what_is_no_text_is_shown_in_base64() {
        assert_eq!(shown(b"a\xffb", 3, 100), (None, Some("Yf9i".to_owned()), 3));
        // Whole, and ending inside a character: that is what the server sent.
        assert_eq!(shown(b"gr\xc3", 3, 100), (None, Some("Z3LD".to_owned()), 3));
    }
}
