//! What a client without credentials may do where others have some.

use super::Scenario;
use crate::{
    rule::Capability,
    run::{Halt, Stage},
};

pub(super) static NEEDED: Scenario = Scenario::new(
    "writes-need-the-credentials",
    "Without the credentials that the run was given nobody creates, appends to or deletes a stream.",
    &["security.credentials-needed"],
    |stage| Box::pin(needed(stage)),
)
.needing(&[Capability::CorsSecurity])
.with_credentials();

async fn needed(stage: &Stage) -> Result<(), Halt> {
    const CONTENT: &str = "[with credentials]";
    let proof = stage.proof("security.credentials-needed");
    let (stream, other) = (stage.stream("stream", "text/plain"), stage.stream("other", "text/plain"));
    stream.create().await?;
    stream.append(CONTENT).await?;
    let writes = [
        ("PUT", other.creating()?),
        ("POST", stream.appending("[without]")?),
        ("DELETE", stream.deleting()?),
    ];
    for (method, request) in writes {
        let answer = proof.look_anonymously(request).await?;
        let status = answer.seen.status;
        let refused = matches!(status, 401 | 403 | 404);
        let subject = format!("status of {method} without credentials");
        proof.demand(refused, &subject, "401 or 403 (404 hides the stream)", status, answer.exchange)?;
    }
    let read = proof.look(stream.reading("-1")?).await?;
    proof.bytes("content afterwards", CONTENT.as_bytes(), read.body(), read.exchange)?;
    let head = proof.look(other.heading()?).await?;
    let status = head.seen.status;
    proof.demand(status == 404, "status of the stream that was not to be created", 404, status, head.exchange)
}
