//! JSON as the protocol compares it.

use serde_json::Value;

/// Equal as JSON with numbers of double precision; members of objects in any order.
pub fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, value)| right.get(name).is_some_and(|other| equal(value, other)))
        }
        _ => left == right,
    }
}

/// Whether `whole` holds at least `part`: members of objects by name, arrays item by item and of equal length.
pub(super) fn includes(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|other| includes(other, value)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(whole, part)| includes(whole, part))
        }
        _ => equal(whole, part),
    }
}

/// Whether `whole` holds at least `part`: members of objects by name, items of arrays in any order and among others.
pub(super) fn has(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|other| has(other, value)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            part.iter().all(|wanted| whole.iter().any(|item| has(item, wanted)))
        }
        _ => equal(whole, part),
    }
}

/// A JSON text without the white space between its tokens; everything else stays to the letter.
pub fn without_white_space(text: &str) -> String {
    let mut compact = String::with_capacity(text.len());
    let mut in_string = false;
    let mut escaped = false;
    for letter in text.chars() {
        if in_string {
            compact.push(letter);
            match letter {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => in_string = false,
                _ => {}
            }
        } else if !matches!(letter, ' ' | '\t' | '\n' | '\r') {
            in_string = letter == '"';
            compact.push(letter);
        }
    }
    compact
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_compare_as_doubles() {
        assert!(equal(&json!([1, 2.0]), &json!([1.0, 2])));
        assert!(!equal(&json!(1), &json!("1")));
        assert!(!equal(&json!([1]), &json!([1, 1])));
        assert!(!equal(&json!({"a": 1}), &json!({"a": 1, "b": null})));
    }

    #[test]
    fn a_part_may_lack_members_but_not_items() {
        assert!(includes(&json!({"a": {"b": 1, "c": 2}}), &json!({"a": {"b": 1}})));
        assert!(!includes(&json!({"a": 1}), &json!({"b": null})));
        assert!(!includes(&json!([1, 2]), &json!([1])));
    }

    #[test]
    fn a_part_is_found_among_other_items_in_any_order() {
        let links = json!({"streams": [{"path": "a", "n": 1}, {"path": "b"}]});
        assert!(has(&links, &json!({"streams": [{"path": "b"}, {"path": "a"}]})));
        assert!(!has(&links, &json!({"streams": [{"path": "a", "n": 2}]})));
        assert!(!has(&json!({}), &json!({"streams": []})));
    }

    #[test]
    fn white_space_in_strings_stays() {
        assert_eq!(without_white_space(" { \"a b\\\" \" : [ 1 , 2 ] }\n"), "{\"a b\\\" \":[1,2]}");
    }
}
