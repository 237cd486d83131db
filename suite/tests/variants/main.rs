//! No case is unfair: every variant of the built-in server keeps all rules in its own way, and the whole suite is
//! green against it.
//!
//! Each variant is a test of its own; `usual` is the server as it is, `http2` the same spoken to in HTTP/2.

mod target;

use std::{process::ExitCode, sync::Arc};

use libtest_mimic::{Arguments, Failed, Trial};
use streamgauge_reference_server::sabotage::Variant;
use target::{Bench, Speech};

/// Servers side by side; their cases mostly wait.
const AT_ONCE: usize = 10;

/// These take much longer than the others, which fit in beside them.
const FIRST: [&str; 2] = ["slow-answers", "jitter"];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    let bench = Arc::new(Bench::load());
    let usual = [("usual", Speech::Http1), ("http2", Speech::Http2)];
    let usual = usual.map(|(name, speech)| trial(name, speech, None, &bench));
    let mut variants = bench.variants();
    variants.sort_by_key(|variant| !FIRST.contains(&variant.name.as_str()));
    let variants = variants.into_iter();
    let variants = variants.map(|variant| trial(&variant.name.clone(), Speech::Http1, Some(variant), &bench));
    libtest_mimic::run(&arguments, variants.chain(usual).collect()).exit_code()
}

fn trial(name: &str, speech: Speech, variant: Option<Variant>, bench: &Arc<Bench>) -> Trial {
    let bench = Arc::clone(bench);
    Trial::test(name, move || fair(&bench, speech, variant.as_ref()))
}

/// Nobody is accused, and nothing is overlooked that can be seen. On a busy machine a rule may need another look
/// before it is proven; an accusation is never taken back.
fn fair(bench: &Bench, speech: Speech, variant: Option<&Variant>) -> Result<(), Failed> {
    const LOOKS: usize = 3;
    let logs = variant.is_none_or(|variant| variant.logs);
    let unseen: Vec<&str> = variant.iter().flat_map(|variant| &variant.unseen).map(String::as_str).collect();
    let mut complaints: Vec<String> = unseen
        .iter()
        .filter(|rule| !bench.provable(true).contains(**rule))
        .map(|rule| format!("{rule} is no rule that could be proven"))
        .collect();
    let mut open: Vec<&str> = bench.provable(logs).iter().map(String::as_str).collect();
    assert!(open.len() > 300, "only {} rules can be proven at all", open.len());
    open.retain(|rule| !unseen.contains(rule));
    let mut seen = bench.run(speech, variant, logs, None);
    for look in 1.. {
        open.retain(|rule| !seen.proven.contains(*rule));
        complaints.append(&mut seen.accusations);
        if open.is_empty() || look == LOOKS {
            break;
        }
        seen = bench.run(speech, variant, logs, Some(&open));
    }
    complaints.extend(open.iter().map(|rule| format!("{rule} is not proven: {}", seen.why_not(rule))));
    if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n").into()) }
}
