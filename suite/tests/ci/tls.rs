//! The whole suite over TLS and over HTTP/2.

use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::Value;

use crate::program::{Served, check, json, status, told};

/// A certificate for loopback, and its key, in PEM files.
struct Certificate {
    _folder: tempfile::TempDir,
    certificate: String,
    key: String,
}

fn certificate() -> Certificate {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).expect("a certificate");
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let (certificate, key) = (write("cert.pem", cert.pem()), write("key.pem", signing_key.serialize_pem()));
    Certificate { _folder: folder, certificate, key }
}

/// The report of a run of everything, which has to be right.
fn everything(url: &str, arguments: &[&str]) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("report.json");
    let report = format!("json={}", file.display());
    let known = [url, "--long-poll-timeout", "500ms", "--sse-lifetime", "3s", "--report", &report];
    let output = check(&[&known, arguments].concat());
    assert_eq!(status(&output), 0, "{}", told(&output));
    let report = json(&file);
    for verdict in ["failed", "warned", "blocked", "errored"] {
        assert_eq!(report["summary"][verdict], 0, "{verdict}: {}", told(&output));
    }
    assert!(report["summary"]["passed"].as_u64() > Some(400), "{}", report["summary"]);
    report
}

/// How many cases were left out for sending bytes of HTTP/1.1.
fn left_out(report: &Value) -> usize {
    let cases = report["cases"].as_array().expect("cases");
    let left_out = cases.iter().filter(|case| case["skipped"]["kind"] == "only-http1");
    left_out.inspect(|case| assert_eq!(case["verdict"], "skipped")).count()
}

/// The versions of HTTP in the answers that a report shows.
fn versions(url: &str, arguments: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("report.json");
    let report = format!("json={}", file.display());
    // A broken rule is needed to see exchanges.
    let only = [url, "--only", "cache.not-modified-304", "--report", &report];
    let output = check(&[&only, arguments].concat());
    assert_eq!(status(&output), 1, "{}", told(&output));
    let report = json(&file);
    let cases = report["cases"].as_array().expect("cases").iter();
    let mut versions: Vec<String> = cases
        .flat_map(|case| case["exchanges"].as_array().cloned().unwrap_or_default())
        .filter_map(|exchange| exchange["response"]["version"].as_str().map(str::to_owned))
        .collect();
    versions.sort();
    versions.dedup();
    versions
}

#[test]
fn everything_is_right_over_https() {
    let Certificate { certificate, key, _folder } = certificate();
    let server = Served::start(&["--tls-cert", &certificate, "--tls-key", &key]);
    assert!(server.url.starts_with("https://"), "{}", server.url);
    let report = everything(&server.url, &["--cacert", &certificate]);
    assert_eq!(left_out(&report), 0);
}

#[test]
fn everything_is_right_over_https_with_http2() {
    let Certificate { certificate, key, _folder } = certificate();
    let server = Served::start(&["--tls-cert", &certificate, "--tls-key", &key]);
    let report = everything(&server.url, &["--cacert", &certificate, "--http2"]);
    assert!(left_out(&report) > 0);
}

#[test]
fn everything_is_right_over_http2_in_clear_text() {
    let server = Served::start(&[]);
    let report = everything(&server.url, &["--http2"]);
    assert!(left_out(&report) > 0);
    // What only such a case could tell of is open, never proven.
    let rules = report["rules"].as_array().expect("rules");
    for case in report["cases"].as_array().expect("cases") {
        let alone = |rule: &&Value| rule["cases"] == serde_json::json!([case["id"]]);
        if case["skipped"]["kind"] == "only-http1"
            && let Some(rule) = rules.iter().find(alone)
        {
            assert_eq!(rule["verdict"], "not-checked", "{}", rule["id"]);
        }
    }
}

#[test]
fn a_server_speaks_the_version_that_it_is_asked_in() {
    let Certificate { certificate, key, _folder } = certificate();
    let breaking = ["--break", "cache.not-modified-304"];
    let tls = Served::start(&[&breaking[..], &["--tls-cert", &certificate, "--tls-key", &key]].concat());
    assert_eq!(versions(&tls.url, &["--insecure"]), ["HTTP/1.1"]);
    assert_eq!(versions(&tls.url, &["--insecure", "--http2"]), ["HTTP/2"]);
    let clear = Served::start(&breaking);
    assert_eq!(versions(&clear.url, &["--http2"]), ["HTTP/2"]);
}

#[test]
fn a_certificate_that_nobody_trusts_makes_the_target_unusable() {
    let Certificate { certificate, key, _folder } = certificate();
    let server = Served::start(&["--tls-cert", &certificate, "--tls-key", &key]);
    let output = check(&[&server.url]);
    assert_eq!(status(&output), 3, "{}", told(&output));
    assert!(told(&output).contains("certificate"), "{}", told(&output));
}

#[test]
fn a_wrong_certificate_or_key_is_told() {
    let Certificate { certificate, key, _folder } = certificate();
    let other = self::certificate();
    for (arguments, expected) in [
        (&["--tls-cert", certificate.as_str()][..], "--tls-key"),
        (&["--tls-cert", "/no/such/file", "--tls-key", &key], "--tls-cert /no/such/file"),
        (&["--tls-cert", &key, "--tls-key", &key], "no certificate"),
        (&["--tls-cert", &certificate, "--tls-key", &certificate], "private key"),
        (&["--tls-cert", &certificate, "--tls-key", &other.key], "cannot be used"),
    ] {
        let output = std::process::Command::new(crate::program::PROGRAM)
            .args(["serve", "--port", "0"])
            .args(arguments)
            .output()
            .expect("the program runs");
        assert_eq!(status(&output), 2, "{arguments:?}: {}", told(&output));
        assert!(told(&output).contains(expected), "{arguments:?}: {}", told(&output));
    }
}
