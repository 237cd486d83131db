//! JSON bodies: taken exactly when they are JSON, flattened by one level, given back to the letter.

use jiff::Timestamp;
use serde_json::{Value, value::RawValue};
use streamgauge_reference_server::core::{
    append::Append, create::Creation, json_messages::flatten, limits::Limits, offset::ReadStart, store::Store,
};

const TYPE: &str = "application/json";

pub fn run(data: &[u8]) {
    // Raw values keep the text: grammar alone decides, not what a double or a string of Rust can hold.
    let oracle: Result<&RawValue, _> = serde_json::from_slice(data);
    let Ok(messages) = flatten(data) else {
        assert!(oracle.is_err(), "valid JSON was refused: {:?}", String::from_utf8_lossy(data));
        return;
    };
    let whole = oracle.unwrap_or_else(|error| panic!("no JSON was taken: {error}")).get();
    let messages: Vec<&str> = messages.iter().map(|message| message.trim()).collect();
    assert_eq!(messages, elements(whole), "one message for each element, to the letter");
    // Where doubles and strings can hold it, the value is the same, too.
    if let Ok(Value::Array(values)) = serde_json::from_slice(data) {
        let again: Vec<Value> =
            messages.iter().filter_map(|message| serde_json::from_str(message).ok()).collect();
        assert_eq!(again, values);
    }
    round_trip(data, &messages);
}

/// The elements of an array, or the one value: found by counting brackets in a text known to be JSON.
fn elements(json: &str) -> Vec<&str> {
    let json = json.trim();
    let Some(inner) = json.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
        return vec![json];
    };
    let mut found = Vec::new();
    let (mut depth, mut in_string, mut escaped, mut from) = (0, false, false, 0);
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth -= 1,
            b',' if depth == 0 => {
                found.push(inner[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    let last = inner[from..].trim();
    if !last.is_empty() {
        found.push(last);
    }
    found
}

/// A stream that takes the body twice gives all messages twice, however the pages are cut.
fn round_trip(body: &[u8], messages: &[&str]) {
    let page = body[0].into();
    let limits = Limits { page, ..Limits::default() };
    let store = Store::new(limits);
    let now = Timestamp::UNIX_EPOCH;
    let creation = Creation { content_type: Some(TYPE), body, ..Creation::default() };
    store.create("a", &creation, now).expect("JSON is taken");
    let mut append = Append::default();
    append.content_type = Some(TYPE);
    append.body = body;
    let appended = store.append("a", append, now);
    assert_eq!(
        appended.is_ok(),
        !messages.is_empty(),
        "an append without a message is refused: {appended:?}"
    );
    let reader = store.read("a", now).expect("the stream is there");
    let mut read = Vec::new();
    let mut start = ReadStart::Beginning;
    loop {
        let page = reader.page(start).expect("pages lead from one to the next");
        assert!(page.at_tail || page.end > page.start, "a page leads on");
        let (end, is_last) = (page.end, page.at_tail);
        let bytes = page.into_bytes();
        let array: Vec<&RawValue> = serde_json::from_slice(&bytes).expect("a page is an array");
        read.extend(array.into_iter().map(|message| message.get().to_owned()));
        start = ReadStart::At(end);
        if is_last {
            break;
        }
    }
    assert_eq!(read, [messages, messages].concat(), "what was sent is what is read");
}
