//! A case, step by step.

use std::sync::Arc;

use super::{
    Job, Suite,
    stage::{Halt, Stage},
};
use crate::{
    case::{Case, Step},
    fixture::Place,
    rule::RuleId,
    wire::Request,
};

/// What the steps of a case have in common.
pub(super) struct Context<'a> {
    pub(super) stage: &'a Stage,
    pub(super) case: &'a Arc<Case>,
    /// The step only sets the stage.
    pub(super) given: bool,
    pub(super) place: Place,
}

/// Carries out a job.
pub(super) async fn run(stage: &Stage, job: &Job) -> Result<(), Halt> {
    match job {
        Job::Scenario(scenario) => (scenario.run)(stage).await,
        Job::Case(case) => {
            match stage.target().is_written() || job.suite() == Suite::Logs {
                true => steps(stage, case, &case.given, true).await?,
                false => given_by_the_target(stage, case).await?,
            }
            match steps(stage, case, &case.steps, false).await {
                Err(Halt::Done) => Ok(()),
                other => other,
            }
        }
    }
}

/// Sets the stage on streams that are there already: what would write them is left out.
async fn given_by_the_target(stage: &Stage, case: &Arc<Case>) -> Result<(), Halt> {
    let wanted = case.wants().unwrap_or_default();
    for (name, stream) in &wanted.tails {
        let tail = tail(stage, stream).await?;
        stage.set(name, tail);
    }
    steps(stage, case, &case.given[wanted.writes..], true).await
}

async fn tail(stage: &Stage, stream: &str) -> Result<String, Halt> {
    let blocked = |why: String| Halt::Blocked { rule: Some(RuleId::new("head.exists-200-no-body")), why };
    let target = stage.target().at(&stage.path(stream)).map_err(|error| Halt::Errored(error.to_string()))?;
    let answer = stage.send(Request::new("HEAD", target), stage.request_limit()).await;
    let answer = answer.map_err(|failure| blocked(failure.error.to_string()))?;
    answer
        .seen
        .headers
        .text("Stream-Next-Offset")
        .ok_or_else(|| blocked("HEAD does not tell the tail".to_owned()))
}

/// Carries out steps in order.
pub(super) async fn steps(stage: &Stage, case: &Arc<Case>, steps: &[Step], given: bool) -> Result<(), Halt> {
    for step in steps {
        let place = Place { file: case.file.clone(), line: step.referenced.line() };
        let context = Context { stage, case, given, place };
        Box::pin(context.act(&step.value)).await?;
    }
    Ok(())
}
