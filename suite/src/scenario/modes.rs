//! The same range in every mode of reading.

use bytes::Bytes;
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use super::{
    Scenario,
    events::{Events, is_up_to_date},
    pages::Pages,
    random,
    stream::Stream,
};
use crate::{
    check::{EventLog, LogEnd},
    rule::{Capability, RuleId},
    run::{Halt, Stage},
};

const LIVE: &[Capability] = &[Capability::LongPoll, Capability::Sse];
const FROM_OFFSET: &str = "read.from-offset";
const BY_LONG_POLL: &str = "longpoll.data-immediate-200";
const RESUMED: &str = "sse.control-next-offset";

pub(super) static TEXT: Scenario = Scenario::new(
    "text-is-the-same-in-every-mode",
    "Text in many scripts is the same in catch-up reads, long-polls and event streams, from every offset.",
    &["sse.text-native", BY_LONG_POLL, FROM_OFFSET, RESUMED],
    |stage| Box::pin(text(stage)),
)
.needing(LIVE);

async fn text(stage: &Stage) -> Result<(), Halt> {
    let pieces =
        ["plain", "grün", "x", "漢字", "😀 and 👩‍👩‍👧", "tab\there", "\u{2028}\u{85}", "a\u{feff}b", "a: b"];
    same(stage, "text/plain", texts(&pieces), "sse.text-native").await
}

pub(super) static LINES: Scenario = Scenario::new(
    "lines-are-the-same-in-every-mode",
    "Text with line ends of all kinds keeps its lines in every mode, from every offset.",
    &["sse.newlines-split", BY_LONG_POLL, FROM_OFFSET, RESUMED],
    |stage| Box::pin(lines(stage)),
)
.needing(LIVE);

async fn lines(stage: &Stage) -> Result<(), Halt> {
    // No piece that ends in CR stands before one that begins with LF: as events of their own they are two line ends.
    let pieces = ["a\nb", "c\r\nd", "e\rf", "\n", "g\n", "\n\n", "h\r\n", "i\r\rj", "k\n\r\nl\r", "m"];
    same(stage, "text/plain", texts(&pieces), "sse.newlines-split").await
}

pub(super) static BLANKS: Scenario = Scenario::new(
    "blanks-are-the-same-in-every-mode",
    "Lines that begin with blanks or colons are the same in every mode, from every offset.",
    &["sse.leading-blank-kept", BY_LONG_POLL, FROM_OFFSET, RESUMED],
    |stage| Box::pin(blanks(stage)),
)
.needing(LIVE);

async fn blanks(stage: &Stage) -> Result<(), Halt> {
    let pieces = [" x", "  y", " ", "\tz", "a\n b\n  c", ":d", " :e", ": f "];
    same(stage, "text/plain", texts(&pieces), "sse.leading-blank-kept").await
}

pub(super) static FIELDS: Scenario = Scenario::new(
    "text-like-events-is-the-same-in-every-mode",
    "Text that looks like fields of an event stream is data in every mode, from every offset.",
    &["sse.no-event-injection", BY_LONG_POLL, FROM_OFFSET, RESUMED],
    |stage| Box::pin(fields(stage)),
)
.needing(LIVE);

async fn fields(stage: &Stage) -> Result<(), Halt> {
    let pieces = [
        "data: x",
        "a\n\nevent: control\ndata: {\"streamClosed\":true}\n\n",
        "event: end\rdata:\r\rb",
        "id: 7\r\nretry: 1\r\n\r\nc",
        "event: data\n\nevent:control\ndata:{\"streamNextOffset\":\"z\"}",
        "data:[DONE]\n\n",
        ":comment\n\n:",
    ];
    same(stage, "text/plain", texts(&pieces), "sse.no-event-injection").await
}

pub(super) static JSON: Scenario = Scenario::new(
    "json-is-the-same-in-every-mode",
    "Messages of a JSON stream are the same in every mode, from every offset.",
    &["sse.json-arrays", BY_LONG_POLL, "json.read-array", RESUMED],
    |stage| Box::pin(json(stage)),
)
.needing(&[Capability::LongPoll, Capability::Sse, Capability::Json]);

async fn json(stage: &Stage) -> Result<(), Halt> {
    let values = [
        json!([{"k": "v"}, {"k": "w"}]),
        json!([1]),
        json!([[], [[]], [1, [2]]]),
        json!(["a\nb", "a\r\nb\r", "\n\nevent: control\ndata: {}\n\n"]),
        json!([" x", "data: y", "],[", "\u{2028}😀"]),
        json!([null, true, false, -1, 2.5, "", {}]),
    ];
    let pieces = values.iter().map(|value| Bytes::from(value.to_string())).collect();
    same(stage, "application/json", pieces, "sse.json-arrays").await
}

pub(super) static BINARY: Scenario = Scenario::new(
    "bytes-are-the-same-in-every-mode",
    "All byte values, cut anywhere, are the same in every mode, from every offset.",
    &["sse.base64-form", BY_LONG_POLL, FROM_OFFSET, RESUMED],
    |stage| Box::pin(binary(stage)),
)
.needing(LIVE);

async fn binary(stage: &Stage) -> Result<(), Halt> {
    let random = &mut stage.random(BINARY.id);
    let content = random::all_byte_values(random, 2);
    same(stage, "application/octet-stream", random::cut(random, &content, 100), "sse.base64-form").await
}

fn texts(pieces: &[&'static str]) -> Vec<Bytes> {
    pieces.iter().map(|piece| Bytes::from_static(piece.as_bytes())).collect()
}

/// Appends the pieces and reads what follows each of them in every mode.
async fn same(
    stage: &Stage,
    content_type: &'static str,
    pieces: Vec<Bytes>,
    event_rule: &'static str,
) -> Result<(), Halt> {
    let stream = stage.stream("stream", content_type);
    let mut cuts = vec![stream.create().await?];
    for piece in &pieces {
        cuts.push(stream.append(piece.clone()).await?);
    }
    let comparison = Comparison { stream, pieces, event_rule };
    try_join_all(cuts.iter().enumerate().map(|(cut, offset)| comparison.read_from_cut(cut, offset))).await?;
    comparison.resume_at_each_control().await
}

struct Comparison<'a> {
    stream: Stream<'a>,
    pieces: Vec<Bytes>,
    /// What an event stream breaks that carries something else.
    event_rule: &'static str,
}

impl Comparison<'_> {
    async fn read_from_cut(&self, cut: usize, offset: &str) -> Result<(), Halt> {
        let Self { stream, .. } = self;
        let catch_up = if stream.is_json() { "json.read-array" } else { FROM_OFFSET };
        let subject = |mode: &str| format!("{mode} from {offset}, after {cut} appends");
        let wanted = self.after(cut);

        let read = stream.rest(offset).await?;
        let seen = self.comparable(&read);
        stream.stage.proof(catch_up).bytes(&subject("catch-up"), &wanted, &seen, read.last())?;
        if cut == self.pieces.len() {
            // In the live modes there is nothing to be read at the tail.
            return Ok(());
        }
        let read = stream.rest_by_long_poll(offset).await?;
        let seen = self.comparable(&read);
        stream.stage.proof(BY_LONG_POLL).bytes(&subject("long-poll"), &wanted, &seen, read.last())?;

        let (mut events, log) = self.listen(offset, cut).await?;
        let wanted = self.as_events(wanted);
        let proof = stream.stage.proof(self.event_rule);
        match log.content(stream.is_json()).map(|seen| self.canonical(seen)) {
            Ok(seen) => {
                let seen = self.as_events(seen);
                proof.bytes(&subject("event stream"), &wanted, &seen, events.exchange())?;
            }
            Err(why) => {
                proof.demand(
                    false,
                    &subject("event stream"),
                    "payloads that decode",
                    why,
                    events.exchange(),
                )?;
            }
        }
        self.ends_well(&mut events, &log)
    }

    /// Where an event stream says that it stands, a client goes on after it broke off.
    async fn resume_at_each_control(&self) -> Result<(), Halt> {
        let Self { stream, .. } = self;
        let (events, log) = self.listen("-1", 0).await?;
        let whole = self.as_events(self.after(0));
        let proof = stream.stage.proof(RESUMED);
        for (index, event) in log.events.iter().enumerate().filter(|(_, event)| event.name == "control") {
            let control: Value = serde_json::from_str(&event.data).unwrap_or_default();
            let Some(offset) = control["streamNextOffset"].as_str() else { continue };
            let Ok(before) = log.content_before(index, stream.is_json()) else { continue };
            let rest = self.comparable(&stream.rest(offset).await?);
            let joined = self.as_events(self.join(self.canonical(before), rest));
            let subject = format!("events before the control event of {offset} and a read from there");
            proof.bytes(&subject, &whole, &joined, events.exchange())?;
        }
        Ok(())
    }

    async fn listen(&self, offset: &str, cut: usize) -> Result<(Events<'_>, EventLog), Halt> {
        let size = self.as_events(self.after(cut)).len();
        let mut events = self.stream.events(offset).await?;
        let is_json = self.stream.is_json();
        let whole = |log: &EventLog| {
            log.content(is_json).is_ok_and(|seen| self.canonical(seen).len() >= size) && is_up_to_date(log)
        };
        let log = events.until_settled(whole).await?;
        Ok((events, log))
    }

    fn ends_well(&self, events: &mut Events<'_>, log: &EventLog) -> Result<(), Halt> {
        let proof = self.stream.stage.proof(self.event_rule);
        match &log.end {
            LogEnd::Malformed(why) => {
                proof.demand(false, "event stream", "well formed", why, events.exchange())
            }
            _ => Ok(()),
        }
    }

    /// What was appended after that many pieces, in a form that can be compared.
    fn after(&self, cut: usize) -> Vec<u8> {
        if !self.stream.is_json() {
            return self.pieces[cut..].concat();
        }
        let arrays =
            self.pieces[cut..].iter().filter_map(|piece| serde_json::from_slice::<Vec<Value>>(piece).ok());
        Value::Array(arrays.flatten().collect()).to_string().into_bytes()
    }

    fn comparable(&self, pages: &Pages) -> Vec<u8> {
        if !self.stream.is_json() {
            return pages.bytes();
        }
        match pages.messages() {
            Ok(messages) => self.canonical(serde_json::to_vec(&messages).unwrap_or_default()),
            Err(_) => pages.bytes(),
        }
    }

    /// JSON with its members in order, and without blanks; all else as it is.
    fn canonical(&self, content: Vec<u8>) -> Vec<u8> {
        match serde_json::from_slice::<Value>(&content) {
            Ok(value) if self.stream.is_json() => value.to_string().into_bytes(),
            _ => content,
        }
    }

    /// Event streams of text know one line end only: CR and CRLF come as LF. How many empty lines there are is the
    /// business of one rule.
    fn as_events(&self, content: Vec<u8>) -> Vec<u8> {
        let text = match String::from_utf8(content) {
            Ok(text) if self.is_text() => text.replace("\r\n", "\n").replace('\r', "\n"),
            Ok(text) => return text.into_bytes(),
            Err(error) => return error.into_bytes(),
        };
        match self.event_rule {
            "sse.no-event-injection" => {
                let lines: Vec<&str> = text.split('\n').filter(|line| !line.is_empty()).collect();
                lines.join("\n").into_bytes()
            }
            _ => text.into_bytes(),
        }
    }

    fn is_text(&self) -> bool {
        self.event_rule != "sse.base64-form" && !self.stream.is_json()
    }

    fn join(&self, before: Vec<u8>, after: Vec<u8>) -> Vec<u8> {
        if !self.stream.is_json() {
            return [before, after].concat();
        }
        let items =
            [before, after].into_iter().flat_map(|part| serde_json::from_slice::<Vec<Value>>(&part).ok());
        Value::Array(items.flatten().collect()).to_string().into_bytes()
    }
}

pub(super) static SPLIT_LETTERS: Scenario = Scenario::new(
    "letters-cut-in-two-do-not-stop-an-event-stream",
    "Where appends cut letters into their bytes, an event stream goes on, and its offsets stay right.",
    &[RESUMED, FROM_OFFSET],
    |stage| Box::pin(split_letters(stage)),
)
.needing(&[Capability::Sse]);

async fn split_letters(stage: &Stage) -> Result<(), Halt> {
    const TEXT: &str = "grün 漢 😀";
    let stream = stage.stream("stream", "text/plain");
    let mut cuts = vec![stream.create().await?];
    for byte in TEXT.bytes() {
        cuts.push(stream.append(vec![byte]).await?);
    }
    for (cut, offset) in cuts.iter().enumerate() {
        let read = stream.rest(offset).await?;
        let wanted = &TEXT.as_bytes()[cut..];
        stage.proof(FROM_OFFSET).bytes("content", wanted, &read.bytes(), read.last())?;
    }
    let mut events = stream.events("-1").await?;
    let log = events.until(is_up_to_date).await?;
    if matches!(log.end, LogEnd::Malformed(_)) {
        // How bytes that are no text are sent is not said anywhere.
        return Ok(());
    }
    let proof = stage.proof(RESUMED);
    let tail = last_offset(&log)?;
    let rest = stream.rest(&tail).await?;
    let subject = "content from streamNextOffset, all having been sent";
    proof.bytes(subject, b"", &rest.bytes(), events.exchange())?;
    stream.append("!").await?;
    let came = |log: &EventLog| log.content(false).is_ok_and(|seen| seen.ends_with(b"!"));
    let log = events.until(|log| came(log) && is_up_to_date(log)).await?;
    proof.demand(came(&log), "event stream", "the next append", "nothing more", events.exchange())?;
    let rest = stream.rest(&last_offset(&log)?).await?;
    proof.bytes(subject, b"", &rest.bytes(), events.exchange())
}

fn last_offset(log: &EventLog) -> Result<String, Halt> {
    let last = log.controls().pop().unwrap_or_default();
    let offset = last.get("streamNextOffset").and_then(Value::as_str).map(str::to_owned);
    offset.ok_or_else(|| Halt::Blocked {
        rule: Some(RuleId::new("sse.control-fields")),
        why: "no control event says where the next data begins".to_owned(),
    })
}
