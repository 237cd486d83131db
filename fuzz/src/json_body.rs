//! A JSON body: it is taken exactly when it is JSON, flattened by one level, and no digit is lost.

use serde_json::{Value, value::RawValue};
use streamgauge_reference_server::core::json_messages::flatten;

pub(crate) fn run(data: &[u8]) {
    // Raw values keep the text: grammar alone decides, not what a double or a string of Rust can hold.
    let oracle: Result<&RawValue, _> = serde_json::from_slice(data);
    let Ok(messages) = flatten(data) else {
        assert!(oracle.is_err(), "valid JSON was refused: {:?}", String::from_utf8_lossy(data));
        return;
    };
    let whole = oracle.unwrap_or_else(|error| panic!("no JSON was taken: {error}"));
    let expected: Vec<&RawValue> = match whole.get().trim_start().starts_with('[') {
        true => serde_json::from_str(whole.get()).expect("an array has elements"),
        false => vec![whole],
    };
    let expected: Vec<&str> = expected.iter().map(|element| element.get().trim()).collect();
    let messages: Vec<&str> = messages.iter().map(|message| message.trim()).collect();
    assert_eq!(messages, expected, "one message for each element, to the letter");
    // Where doubles and strings can hold it, the value is the same, too.
    if let Ok(Value::Array(values)) = serde_json::from_slice(data) {
        let again: Vec<Value> =
            messages.iter().filter_map(|message| serde_json::from_str(message).ok()).collect();
        assert_eq!(again, values);
    }
}
