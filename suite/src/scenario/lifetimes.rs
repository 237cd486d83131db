//! How long caches may keep what will expire.

use super::Scenario;
use crate::{
    rule::Capability,
    run::{Halt, Stage},
};

pub(super) static MAX_AGE: Scenario = Scenario::new(
    "caches-forget-a-stream-that-expires",
    "What is read of a stream that lives for 20 s may be kept in caches for no longer than that.",
    &["cache.max-age-within-lifetime"],
    |stage| Box::pin(max_age(stage)),
)
.needing(&[Capability::Ttl]);

async fn max_age(stage: &Stage) -> Result<(), Halt> {
    const LIFETIME: u64 = 20;
    let stream = stage.stream("stream", "text/plain");
    let request = stream.creating()?.header("Stream-TTL", LIFETIME.to_string());
    stage.set_up(request, "ttl.grammar-400").await?;
    stream.append("hello").await?;
    let proof = stage.proof("cache.max-age-within-lifetime");
    let read = proof.look(stream.reading("-1")?).await?;
    proof.success(&read)?;
    proof.bytes("content", b"hello", read.body(), read.exchange)?;
    let ages = read.seen.headers.members("Cache-Control").into_iter().filter_map(|directive| {
        let (name, value) = directive.split_once('=')?;
        let is_age = ["max-age", "s-maxage"].iter().any(|age| name.trim().eq_ignore_ascii_case(age));
        is_age.then(|| value.trim().trim_matches('"').parse::<u64>().ok()).flatten()
    });
    let longest = ages.max().unwrap_or(0);
    proof.demand(longest <= LIFETIME, "max-age", format!("at most {LIFETIME}"), longest, read.exchange)
}
