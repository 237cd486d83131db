//! The JSON Schemas that the program prints hold for the fixtures, and hold them to something.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};

fn schema(of: &str) -> jsonschema::Validator {
    let output = Command::new(env!("CARGO_BIN_EXE_streamgauge")).args(["schema", of]).output();
    let output = output.expect("the program runs");
    assert!(output.status.success(), "{of}: {}", String::from_utf8_lossy(&output.stderr));
    let schema: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    jsonschema::draft202012::meta::validate(&schema).expect("a schema");
    jsonschema::draft202012::new(&schema).expect("a schema")
}

fn mistakes(schema: &jsonschema::Validator, document: &Value) -> Vec<String> {
    schema.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Every YAML file of the folder, read as other languages read it.
fn documents(folder: &str) -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(folder);
    let mut documents = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let text = fs::read_to_string(&path).expect("a file");
            let document = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            documents.push((path.display().to_string(), document));
        }
    }
    documents
}

#[test]
fn every_fixture_fits_its_schema() {
    for (folder, of) in [
        ("rules", "rules"),
        ("cases", "cases"),
        ("stock", "stock"),
        ("sabotage", "sabotage"),
        ("variants", "variants"),
        ("targets", "known-failures"),
    ] {
        let schema = schema(of);
        let documents = documents(folder);
        assert!(!documents.is_empty() || folder == "variants", "{folder} is empty");
        for (file, document) in documents {
            let mistakes = mistakes(&schema, &document);
            assert!(mistakes.is_empty(), "{file}:\n{}", mistakes[..mistakes.len().min(5)].join("\n"));
        }
    }
}

#[test]
fn what_the_program_refuses_in_a_fixture_the_schema_refuses() {
    let case = json!({
        "id": "a-case", "proves": ["cache.not-modified-304"], "title": "A case.",
        "steps": [{ "get": { "expect": { "status": 200 } } }],
    });
    let cases = schema("cases");
    assert_eq!(mistakes(&cases, &json!([case])), Vec::<String>::new());
    for (pointer, wrong) in [
        ("/steps/0/get/expect", json!({ "statsu": 200 })),
        ("/steps/0/get/expect/status", json!({ "is": 200 })),
        ("/steps/0", json!({ "sleep": "1s" })),
        ("/steps/0/get", json!({ "header": { "A": "b" } })),
        ("/steps", json!([])),
        ("/id", json!("A Case")),
        ("/proves", json!([])),
    ] {
        let mut document = json!([case]);
        *document.pointer_mut(&format!("/0{pointer}")).expect("a place") = wrong.clone();
        assert!(!mistakes(&cases, &document).is_empty(), "{pointer}: {wrong}");
    }

    let sabotage = json!({
        "breaks": "cache.not-modified-304", "name": "validator-ignored", "title": "If-None-Match is ignored.",
        "on": { "method": "GET" }, "request": { "drop": ["If-None-Match"] },
    });
    let sabotages = schema("sabotage");
    assert_eq!(mistakes(&sabotages, &json!([sabotage])), Vec::<String>::new());
    for (pointer, wrong) in [
        ("/request", json!({ "dropp": ["If-None-Match"] })),
        ("/request/drop", json!(["If None"])),
        ("/on", json!({ "path": "somewhere" })),
        ("/title", json!(5)),
    ] {
        let mut document = json!([sabotage]);
        *document.pointer_mut(&format!("/0{pointer}")).expect("a place") = wrong.clone();
        assert!(!mistakes(&sabotages, &document).is_empty(), "{pointer}: {wrong}");
    }
    assert!(!mistakes(&schema("rules"), &json!([{ "id": "cache.a" }])).is_empty());
    assert!(
        !mistakes(&schema("known-failures"), &json!([{ "rule": "cache.*", "verdict": "fine" }])).is_empty()
    );
}
