//! Every body for a moment: on its seeds, on what fuzzers once found, and on random input that a seed repeats.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::{Duration, Instant},
};

use streamgauge_fuzz_targets::{BODIES, Body, Mutator, regressions};

/// How long each body gets random input.
const A_MOMENT: Duration = Duration::from_secs(1);
const SEED: u64 = 0x5eed;

fn smoke(name: &str) {
    let body = Body::named(name).unwrap_or_else(|| panic!("there is no body {name}"));
    for seed in body.seeds() {
        hold(&body, &seed);
    }
    for regression in regressions(&body).expect("the regressions can be read") {
        hold(&body, &regression.input);
    }
    let mut mutator = Mutator::new(&body, SEED);
    let begun = Instant::now();
    let mut runs = 0_u64;
    while begun.elapsed() < A_MOMENT {
        hold(&body, &mutator.next_input());
        runs += 1;
    }
    assert!(runs >= 100, "{name} ran {runs} times only in {A_MOMENT:?}");
}

/// Shows the input where the body does not hold.
fn hold(body: &Body, input: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (body.run)(input))) {
        eprintln!("{} does not hold on b\"{}\"", body.name, input.escape_ascii());
        resume_unwind(panic);
    }
}

macro_rules! smoke_tests {
    ($($name:ident),* $(,)?) => {
        $(#[test] fn $name() { smoke(stringify!($name)); })*
        const TESTED: &[&str] = &[$(stringify!($name)),*];
    };
}

smoke_tests!(
    offset,
    json_body,
    sse_write_read,
    sse_parse,
    ttl,
    expires_at,
    cursor,
    producer_headers,
    content_type,
    etag_if_none_match,
    fork_headers,
    glob,
    webhook_url,
    logs_query,
    fixture,
    http_request,
    history,
);

#[test]
fn every_body_is_smoked_and_has_a_name_of_its_own() {
    let names = BODIES.map(|body| body.name);
    assert_eq!(names, TESTED);
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), names.len());
}
