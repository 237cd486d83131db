//! Long-polls in the background.

use std::time::Duration;

use streamgauge::{
    event::CaseVerdict::{Errored, Failed, Passed, Warned},
    run::Timings,
};

use super::{
    server::{Habits, Woken},
    verdict::{assert_is, of, subjects},
};

const WAKES: &str = r#"
- id: wakes
  proves: [longpoll.wakes-with-new-data]
  title: An append wakes a reader.
  given:
    - put: { body: { text: a }, save: { tail: Stream-Next-Offset } }
    - start_get: { as: reader, query: { offset: $tail, live: long-poll } }
    - still_waiting: { reader: 100ms }
    - post: { body: { text: hello } }
  steps:
    - finish_get: { as: reader, expect: { status: 200, body: { text: hello }, within: 300ms } }
"#;

fn habits(woken: Woken) -> Habits {
    Habits { woken, ..Habits::default() }
}

/// The suite is told what the server is set to.
fn told() -> Timings {
    Timings { long_poll_timeout: Some(Habits::default().long_poll_timeout), ..Timings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_server_passes_whether_its_timeout_is_known_or_not() {
    assert_is(&of(WAKES, habits(Woken::WithData), told()).await, Passed);
    let case = of(WAKES, habits(Woken::WithData), Timings::default()).await;
    assert_is(&case, Passed);
    assert_eq!(case.attempts, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_wakes_nobody_is_accused() {
    let case = of(WAKES, habits(Woken::Not), told()).await;
    assert_is(&case, Failed);
    assert_eq!(subjects(&case), ["status", "body", "time to answer"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_wakes_with_a_204_is_accused() {
    assert_is(&of(WAKES, habits(Woken::With204), told()).await, Failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_answers_is_accused() {
    let case = of(WAKES, habits(Woken::Never), told()).await;
    assert_is(&case, Failed);
    assert_eq!(subjects(&case), ["answer"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_late_though_it_is_quick_elsewhere_is_accused() {
    let case = of(WAKES, habits(Woken::WithDataAfter(Duration::from_millis(350))), told()).await;
    assert_is(&case, Failed);
    assert_eq!(subjects(&case), ["time to answer"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_slow_server_lateness_tells_nothing() {
    let slowness = Duration::from_millis(350);
    let late = Woken::WithDataAfter(slowness);
    let case = of(WAKES, Habits { slowness, ..habits(late) }, Timings::default()).await;
    assert_is(&case, Errored);
    let reason = case.reason.unwrap_or_default();
    assert!(reason.starts_with("too slow to tell"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_timed_out_before_the_append_accuses_nobody() {
    let late_append = r#"
- id: wakes
  proves: [longpoll.wakes-with-new-data]
  title: An append wakes a reader.
  given:
    - put: { as: created, body: { text: a }, save: { tail: Stream-Next-Offset } }
    - start_get: { as: reader, query: { offset: $tail, live: long-poll } }
    - wait_until: { after: created, passed: 350ms }
    - post: { body: { text: hello } }
  steps:
    - finish_get: { as: reader, expect: { status: 200, body: { text: hello } } }
"#;
    let timeout = Duration::from_millis(250);
    let short = Habits { long_poll_timeout: timeout, ..Habits::default() };
    for timings in [Timings::default(), Timings { long_poll_timeout: Some(timeout), ..Timings::default() }] {
        let case = of(late_append, short, timings).await;
        assert_is(&case, Errored);
        assert!(case.attempts > 1, "an attempt that tells nothing is repeated");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_times_out_while_the_append_is_under_way_accuses_nobody() {
    // The append is sent before the reader's time is over, and takes effect after it.
    let timeout = Duration::from_millis(250);
    let writes_take = Duration::from_millis(400);
    let slow = Habits { writes_take, long_poll_timeout: timeout, ..Habits::default() };
    let timings = Timings { long_poll_timeout: Some(timeout), ..Timings::default() };
    assert_is(&of(WAKES, slow, timings).await, Errored);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_wait_is_accused_where_waiting_is_to_be_proven_and_blocks_elsewhere() {
    let waits = r#"
- id: waits
  proves: [longpoll.waits-at-tail]
  title: A reader waits.
  given:
    - put: { body: { text: a }, save: { tail: Stream-Next-Offset } }
    - start_get: { as: reader, query: { offset: $tail, live: long-poll } }
  steps:
    - still_waiting: { reader: 200ms }
"#;
    assert_is(&of(waits, habits(Woken::WithData), told()).await, Passed);
    assert_is(&of(waits, habits(Woken::BeforeItWaits), told()).await, Failed);
    assert_is(
        &of(WAKES, habits(Woken::BeforeItWaits), told()).await,
        streamgauge::event::CaseVerdict::Blocked,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_timeout_shortens_what_is_waited() {
    let waits = r#"
- id: waits
  proves: [longpoll.waits-at-tail]
  title: A reader waits.
  given:
    - put: { body: { text: a }, save: { tail: Stream-Next-Offset } }
    - start_get: { as: reader, query: { offset: $tail, live: long-poll } }
  steps:
    - still_waiting: { reader: 5s }
"#;
    assert_is(&of(waits, habits(Woken::WithData), told()).await, Passed);
    let case = of(waits, habits(Woken::WithData), Timings::default()).await;
    assert_is(&case, Errored);
    assert!(case.reason.unwrap_or_default().contains("--long-poll-timeout"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_only_warned_can_still_be_finished() {
    let start_of_empty = r#"
- id: empty
  proves: [longpoll.start-of-empty-waits]
  title: The start of an empty stream is its tail.
  given:
    - put: {}
    - start_get: { as: reader, query: { offset: "0", live: long-poll } }
  steps:
    - still_waiting: { reader: 100ms }
    - finish_get: { as: reader, expect: { status: 204 } }
"#;
    assert_is(&of(start_of_empty, habits(Woken::BeforeItWaits), told()).await, Warned);
}
