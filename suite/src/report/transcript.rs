//! An exchange as lines of text, as the terminal, JUnit, TAP, Markdown and HTML show it.

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::{
    event::CaseResult,
    wire::{Exchange, Outcome, RecordedBody, RecordedHeader, RecordedRequest},
};

use super::{
    message,
    visible::{visible, visible_bytes},
};

/// One line of an exchange. Its text is safe to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) side: Side,
    pub(super) text: String,
}

/// Who says a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Sent,
    Received,
    /// The report itself.
    Remark,
}

impl Side {
    /// The mark before the line.
    pub(super) const fn mark(self) -> char {
        match self {
            Self::Sent => '>',
            Self::Received => '<',
            Self::Remark => '*',
        }
    }

    /// A word for it, for instance as the name of a style.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Received => "received",
            Self::Remark => "remark",
        }
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.text.is_empty() {
            write!(f, "{}", self.side.mark())
        } else {
            write!(f, "{} {}", self.side.mark(), self.text)
        }
    }
}

/// Lines of a body that are shown.
const BODY_LINES: usize = 24;
/// Characters of a line that are shown.
const LINE_CHARACTERS: usize = 400;
/// Bytes of a binary body that are shown.
const BINARY_BYTES: usize = 120;

/// One exchange of a case, by its index: request, answer or failure, and when it happened.
pub(super) fn lines(case: &CaseResult, index: usize) -> Vec<Line> {
    let mut lines = Transcript(Vec::new());
    if let Some(exchange) = case.exchanges.get(index) {
        lines.push(
            Side::Remark,
            message::exchange_began(index + 1, case.exchanges.len(), exchange.started_at),
        );
        lines.request(exchange);
        lines.outcome(exchange);
    }
    lines.0
}

/// One exchange of a case in one line: `PUT /v1/stream/a -> 201, 2.1 ms`. Where the case spoke to several
/// servers, the whole URL is named.
pub(super) fn summary(case: &CaseResult, index: usize) -> String {
    let exchange = &case.exchanges[index];
    let (origin, path) = split_url(&exchange.request.url);
    let alone = case.exchanges.iter().all(|other| split_url(&other.request.url).0 == origin);
    let place = if alone && !path.is_empty() { path } else { &exchange.request.url };
    let method = if is_raw(&exchange.request) { message::RAW } else { &exchange.request.method };
    let request = format!("{method} {place}");
    let outcome = match &exchange.outcome {
        Outcome::Response(response) => response.status.to_string(),
        Outcome::Failure(_) => message::no_answer().to_owned(),
    };
    message::exchange_in_short(&visible(&request), &outcome, exchange.duration)
}

/// Scheme and authority of a URL, and the rest.
fn split_url(url: &str) -> (&str, &str) {
    let authority = url.find("://").map_or(0, |at| at + 3);
    let path = url[authority..].find(['/', '?', '#']).map_or(url.len(), |at| authority + at);
    url.split_at(path)
}

/// Whether bytes were sent as they are, which need not be a request: then all of them are the body.
pub(super) fn is_raw(request: &RecordedRequest) -> bool {
    request.method.is_empty()
}

struct Transcript(Vec<Line>);

impl Transcript {
    fn push(&mut self, side: Side, text: impl Into<String>) {
        self.0.push(Line { side, text: text.into() });
    }

    fn request(&mut self, exchange: &Exchange) {
        let request = &exchange.request;
        if is_raw(request) {
            self.push(Side::Remark, message::sent_as_they_are(&cut(&request.url)));
        } else {
            self.push(Side::Sent, cut(&format!("{} {}", request.method, request.url)));
        }
        self.headers(Side::Sent, &request.headers);
        self.body(Side::Sent, &request.body);
    }

    fn outcome(&mut self, exchange: &Exchange) {
        match &exchange.outcome {
            Outcome::Response(response) => {
                self.push(Side::Received, format!("{} {}", response.version, response.status));
                self.headers(Side::Received, &response.headers);
                self.body(Side::Received, &response.body);
                let ending = cut(&response.ending);
                self.push(Side::Remark, message::answer_times(response.to_head, exchange.duration, &ending));
            }
            Outcome::Failure(sentence) => {
                self.push(Side::Remark, message::exchange_failed(&cut(sentence), exchange.duration));
            }
        }
    }

    fn headers(&mut self, side: Side, headers: &[RecordedHeader]) {
        for header in headers {
            self.push(side, cut(&format!("{}: {}", header.name, header.value)));
        }
    }

    fn body(&mut self, side: Side, body: &RecordedBody) {
        if body.size == 0 {
            return;
        }
        // An empty line parts a body from its head; raw bytes bring their own.
        if self.0.last().is_some_and(|line| line.side == side) {
            self.push(side, "");
        }
        let left_out = match &body.text {
            Some(text) => self.text_body(side, text),
            None => self.binary_body(side, body.base64.as_deref().unwrap_or_default()),
        };
        let shown = body.shown.saturating_sub(left_out);
        if shown < body.size {
            self.push(Side::Remark, message::body_cut(shown, body.size));
        }
    }

    /// Returns how many bytes were left out.
    fn text_body(&mut self, side: Side, text: &str) -> usize {
        let mut left = text.len();
        for line in text.split_inclusive('\n').take(BODY_LINES) {
            let bare = line.strip_suffix('\n').unwrap_or(line);
            let kept = bare.char_indices().nth(LINE_CHARACTERS).map_or(bare, |(end, _)| &bare[..end]);
            self.push(side, visible(kept));
            if kept.len() < bare.len() {
                left -= kept.len();
                return left;
            }
            left -= line.len();
        }
        left
    }

    fn binary_body(&mut self, side: Side, base64: &str) -> usize {
        let bytes = BASE64_STANDARD.decode(base64).unwrap_or_default();
        let kept = &bytes[..bytes.len().min(BINARY_BYTES)];
        self.push(side, visible_bytes(kept));
        bytes.len() - kept.len()
    }
}

/// Safe to print, and not endless.
fn cut(text: &str) -> String {
    match text.char_indices().nth(LINE_CHARACTERS) {
        Some((end, _)) => message::line_cut(&visible(&text[..end]), text.len() - end),
        None => visible(text).into_owned(),
    }
}
