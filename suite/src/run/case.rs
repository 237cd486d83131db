//! A case, step by step.

use std::sync::Arc;

use super::{
    Job,
    stage::{Halt, Stage},
};
use crate::{
    case::{Case, Step},
    fixture::Place,
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
            steps(stage, case, &case.given, true).await?;
            match steps(stage, case, &case.steps, false).await {
                Err(Halt::Done) => Ok(()),
                other => other,
            }
        }
    }
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
