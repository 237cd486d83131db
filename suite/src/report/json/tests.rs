use serde_json::{Value, json};

use super::*;
use crate::{baseline::Difference, report::sample};

fn report(run: &RunResult) -> Value {
    let mut out = Vec::new();
    write(&mut out, run, sample::standard()).unwrap();
    serde_json::from_slice(&out).unwrap()
}

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

/// The schema with every object closed: a property that it does not describe is a mistake.
fn closed(mut schema: Value) -> Value {
    match &mut schema {
        Value::Object(map) => {
            // The branches of the choice name only what differs between them.
            let choice = map.remove("oneOf");
            for value in map.values_mut() {
                *value = closed(value.take());
            }
            if map.get("properties").is_some_and(|properties| properties.get("properties").is_none()) {
                map.entry("additionalProperties").or_insert(json!(false));
            }
            if let Some(choice) = choice {
                map.insert("oneOf".to_owned(), choice);
            }
        }
        Value::Array(items) => {
            for item in items {
                *item = closed(item.take());
            }
        }
        _ => {}
    }
    schema
}

fn mistakes(schema: &Value, document: &Value) -> Vec<String> {
    let validator = jsonschema::draft202012::new(schema).unwrap();
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn the_schema_is_one() {
    jsonschema::draft202012::meta::validate(&schema()).unwrap();
    assert_eq!(schema()["properties"]["schema"]["const"], SCHEMA_NAME);
}

#[test]
fn every_report_fits_the_schema_and_holds_nothing_else() {
    let closed = closed(schema());
    for run in
        [sample::troubled(), sample::clean(), sample::warned_only(), sample::unusable(), sample::hostile()]
    {
        assert_eq!(mistakes(&closed, &report(&run)), Vec::<String>::new());
    }
}

#[test]
fn differences_from_what_is_known_fit_the_schema() {
    let difference = Difference {
        unexpected: vec![(RuleId::new("create.new-201"), RuleVerdict::Broken)],
        outdated: vec!["known.yaml:1: seq.* matches no rule of this run".to_owned()],
        ..Difference::default()
    };
    let mut out = Vec::new();
    write(&mut out, &sample::troubled(), Standard { known: Some(&difference), ..sample::standard() })
        .unwrap();
    let report: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(mistakes(&closed(schema()), &report), Vec::<String>::new());
    assert_eq!(report["known_failures"]["unexpected"], json!(["create.new-201"]));
}

#[test]
fn the_schema_refuses_what_is_no_report() {
    let right = report(&sample::troubled());
    let refused = |edit: &dyn Fn(&mut Value)| {
        let mut wrong = right.clone();
        edit(&mut wrong);
        assert_ne!(wrong, right, "the edit changed nothing");
        !mistakes(&schema(), &wrong).is_empty()
    };
    assert!(refused(&|report| report["cases"][0]["verdict"] = json!("fine")));
    assert!(refused(&|report| report["rules"][0]["verdict"] = json!("not claimed")));
    assert!(refused(&|report| report["summary"]["failed"] = json!(-1)));
    assert!(refused(&|report| report["cases"][0]["exchanges"][0]["response"] = Value::Null));
    assert!(refused(&|report| report["cases"][0]["exchanges"][0]["failure"] = json!("both")));
    assert!(refused(&|report| drop(report["cases"][0].as_object_mut().unwrap().remove("exchanges"))));
    assert!(refused(&|report| report["incomplete"]["reasons"]["weather"] = json!(1)));
}

#[test]
fn the_report_of_a_troubled_run() {
    let mut report = report(&sample::troubled());
    // One case in full and one rule in full are enough to read.
    for (key, shown) in [("cases", 1), ("rules", 2)] {
        report[key].as_array_mut().unwrap().truncate(shown);
    }
    report["tool"]["version"] = json!("VERSION");
    insta::assert_snapshot!(serde_json::to_string_pretty(&report).unwrap());
}
