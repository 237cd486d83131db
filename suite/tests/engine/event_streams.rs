//! Event streams in the background.

use std::time::Duration;

use streamgauge::{
    event::CaseVerdict::{Errored, Failed, Passed},
    run::Timings,
};

use super::{
    server::{Events, Habits},
    verdict::{assert_is, of, subjects},
};

const LIVE: &str = r#"
- id: live
  proves: [sse.backlog-then-live]
  title: Appends come as they happen.
  given:
    - put: { body: { text: "one " } }
    - start_sse: { as: tail, query: { offset: "-1", live: sse } }
    - await_sse: { as: tail, expect: { data: { text: "one " } } }
    - post: { body: { text: "two " } }
  steps:
    - await_sse: { as: tail, expect: { data: { text: "one two " }, within: 300ms } }
    - quiet: { tail: 100ms }
"#;

fn habits(events: Events) -> Habits {
    Habits { events, ..Habits::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_server_passes() {
    assert_is(&of(LIVE, habits(Events::AsTheyHappen), Timings::default()).await, Passed);
}

#[tokio::test(flavor = "multi_thread")]
async fn control_events_that_are_repeated_disturb_nothing() {
    assert_is(&of(LIVE, habits(Events::RepeatedControl), Timings::default()).await, Passed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_carries_no_appends_is_accused() {
    let case = of(LIVE, habits(Events::StoredOnly), Timings::default()).await;
    assert_is(&case, Failed);
    assert_eq!(subjects(&case), ["data events"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waiting_cannot_mend_is_not_waited_for() {
    let twice = LIVE.replace("expect: { data: { text: \"one \" } }", "expect: { data: not_empty }");
    let case = of(&twice, habits(Events::Twice), Timings::default()).await;
    assert_is(&case, Failed);
    assert!(case.duration < Duration::from_secs(1), "{:?}", case.duration);
}

#[tokio::test(flavor = "multi_thread")]
async fn late_events_of_a_server_that_is_quick_elsewhere_accuse_it() {
    let case = of(LIVE, habits(Events::Late(Duration::from_millis(400))), Timings::default()).await;
    assert_is(&case, Failed);
    assert_eq!(subjects(&case), ["time"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn late_events_of_a_slow_server_tell_nothing() {
    let slowness = Duration::from_millis(400);
    let slow = Habits { slowness, ..habits(Events::Late(slowness)) };
    let case = of(LIVE, slow, Timings::default()).await;
    assert_is(&case, Errored);
    let reason = case.reason.unwrap_or_default();
    assert!(reason.starts_with("too slow to tell"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_head_is_told_from_a_slow_server() {
    let head = r#"
- id: head
  proves: [sse.data-to-client-promptly]
  title: The head comes at once.
  given:
    - put: {}
  steps:
    - start_sse: { as: tail, query: { offset: "-1", live: sse }, expect: { status: 200, within: 300ms } }
"#;
    let late = Habits { head_after: Duration::from_millis(400), ..Habits::default() };
    assert_is(&of(head, Habits::default(), Timings::default()).await, Passed);
    let case = of(head, late, Timings::default()).await;
    assert_is(&case, Failed);
    assert_eq!(subjects(&case), ["time to answer"]);
    let slow = Habits { slowness: Duration::from_millis(400), ..Habits::default() };
    assert_is(&of(head, slow, Timings::default()).await, Errored);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_keeps_coming_is_waited_for() {
    let stored = r#"
- id: stored
  proves: [sse.backlog-then-live]
  title: What is stored comes first.
  given:
    - put: { body: { text: "a long event" } }
  steps:
    - start_sse: { as: tail, query: { offset: "-1", live: sse } }
    - await_sse: { as: tail, expect: { data: { text: "a long event" } } }
"#;
    let case = of(stored, habits(Events::Trickling(Duration::from_millis(130))), Timings::default()).await;
    assert_is(&case, Passed);
    assert!(case.duration > Duration::from_millis(3200), "{:?}", case.duration);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_off_is_told() {
    let case = of(LIVE, habits(Events::BreakingOff), Timings::default()).await;
    assert_is(&case, Failed);
    assert_eq!(subjects(&case), ["data events", "connection"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_ends_at_its_known_lifetime_accuses_nobody() {
    let quiet = r#"
- id: quiet
  proves: [sse.backlog-then-live]
  title: Nothing comes while nothing happens.
  given:
    - put: { body: { text: "one " } }
    - start_sse: { as: tail, query: { offset: "-1", live: sse } }
    - await_sse: { as: tail, expect: { data: { text: "one " } } }
  steps:
    - quiet: { tail: 400ms }
"#;
    let lifetime = Duration::from_millis(150);
    let ending = habits(Events::EndingAfter(lifetime));
    let told = Timings { sse_lifetime: Some(lifetime), ..Timings::default() };
    assert_is(&of(quiet, ending, told).await, Errored);
    assert_is(&of(quiet, ending, Timings::default()).await, Failed);
}
