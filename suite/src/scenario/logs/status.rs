//! What is told of a job's state, beside its lines.

use serde_json::json;

use super::Scenario;
use crate::{
    case::On,
    check::{self, EventLog},
    rule::Capability,
    run::{Halt, Stage},
};

const RULE: &str = "logs.status-after-logs";
const ROUNDS: usize = 3;

pub(super) static AFTER_LOGS: Scenario = Scenario::new(
    "a-status-does-not-overtake-the-lines-before-it",
    "Lines that wait for their batch are sent before the change of status that came after them.",
    &[RULE],
    |stage| Box::pin(after_logs(stage)),
)
.needing(&[Capability::Logs])
.asking(&[On::Logs, On::Emit, On::Status]);

async fn after_logs(stage: &Stage) -> Result<(), Halt> {
    let mut reader = stage.read_own_log().await?;
    for round in 0..ROUNDS {
        let line = format!("line {round}");
        let state = format!("state {round}");
        stage.emit(vec![stage.line(&line)]).await?;
        let changing = stage.request_on("PUT", On::Status, &format!("/{}/status", stage.mark()))?;
        stage.hand_in(changing, json!({ "status": state }).to_string()).await?;
        reader.until_line(&line).await?;
        let line_behind = format!("behind {round}");
        stage.emit(vec![stage.line(&line_behind)]).await?;
        reader.until_line(&line_behind).await?;
        let log = reader.log();
        let (Some(told), Some(sent)) =
            (place_of_status(&log, &state), place_of_line(&log, &stage.mark(), &line))
        else {
            return Err(Halt::Blocked {
                rule: Some(crate::rule::RuleId::new("logs.status-payload")),
                why: "a line or a change of status was not told at all".to_owned(),
            });
        };
        stage.proof(RULE).demand(
            sent < told,
            "status event",
            "behind the logs event with the line before it",
            format_args!("it is event {}, and the line is in event {}", told + 1, sent + 1),
            reader.exchange(),
        )?;
    }
    Ok(())
}

/// The place among all events of the status event that tells this state.
fn place_of_status(log: &EventLog, state: &str) -> Option<usize> {
    log.events.iter().position(|event| {
        let payload: serde_json::Value = serde_json::from_str(&event.data).unwrap_or_default();
        event.name == "status" && payload.pointer("/job/status").is_some_and(|status| status == state)
    })
}

/// The place among all events of the logs event with this line.
fn place_of_line(log: &EventLog, mark: &str, message: &str) -> Option<usize> {
    let line = check::own_lines(log, mark).into_iter().find(|line| line.message == message)?;
    let mut batches = log.events.iter().enumerate().filter(|(_, event)| event.name == "logs");
    batches.nth(line.event).map(|(place, _)| place)
}
