//! Steps that have to come before something ends on its own.

use std::time::Duration;

use streamgauge::{
    event::CaseVerdict::{Errored, Failed, Passed},
    run::Timings,
};

use super::{
    server::Habits,
    verdict::{assert_is, of},
};

/// Every answer of this server comes later than 20 ms after anything, and sooner than 10 s.
fn sluggish() -> Habits {
    Habits { slowness: Duration::from_millis(40), ..Habits::default() }
}

fn found(status: u16, passed: &str) -> String {
    format!(
        r#"
- id: found
  proves: [head.exists-200-no-body]
  title: HEAD finds the stream.
  given:
    - put: {{ as: created, body: {{ text: a }} }}
  steps:
    - head: {{ before: {{ after: created, passed: {passed} }}, expect: {{ status: {status} }} }}
"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_answer_accuses_when_it_comes_in_time_and_only_then() {
    assert_is(&of(&found(404, "10s"), sluggish(), Timings::default()).await, Failed);
    let late = of(&found(404, "20ms"), sluggish(), Timings::default()).await;
    assert_is(&late, Errored);
    assert!(late.attempts > 1, "a void attempt is repeated");
    let reason = late.reason.unwrap_or_default();
    assert!(reason.contains("too late to tell"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_answer_is_right_however_late_it_comes() {
    let case = of(&found(200, "20ms"), sluggish(), Timings::default()).await;
    assert_is(&case, Passed);
    assert_eq!(case.attempts, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_without_demands_that_fails_late_blocks_nothing() {
    let missing = r#"
- id: found
  proves: [head.exists-200-no-body]
  title: HEAD finds the stream.
  given:
    - put: { as: created, body: { text: a } }
    - get: { stream: missing, before: { after: created, passed: 20ms } }
  steps:
    - head: { expect: { status: 200 } }
"#;
    assert_is(&of(missing, sluggish(), Timings::default()).await, Errored);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_begins_late_is_not_looked_at() {
    for start in [
        "start_get: { as: reader, query: { offset: now, live: long-poll }, ",
        "start_sse: { as: reader, query: { live: sse }, ",
    ] {
        let begun = |passed: &str| {
            format!(
                r#"
- id: begun
  proves: [head.exists-200-no-body]
  title: A read begins in time.
  given:
    - put: {{ as: created, body: {{ text: a }} }}
    - {start} before: {{ after: created, passed: {passed} }} }}
  steps:
    - head: {{ expect: {{ status: 200 }} }}
"#
            )
        };
        assert_is(&of(&begun("10s"), sluggish(), Timings::default()).await, Passed);
        assert_is(&of(&begun("20ms"), sluggish(), Timings::default()).await, Errored);
    }
}
