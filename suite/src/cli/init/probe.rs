//! What a server shows of itself in a few seconds.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::Offer;
use crate::{
    case::CaseSet,
    cli::Misuse,
    event::{CaseVerdict, Unheard},
    fixture::FixtureSource,
    rule::Catalogue,
    run::{self, Job, Options, Plan, Selection, Suite, Target, encode_query},
    wire::{Body, Client, Request, Target as WireTarget},
};

/// How long the end of a long-poll is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long a plain request may take.
const PLAIN: Duration = Duration::from_secs(5);

/// What the server offers, or why it cannot be used.
pub(super) async fn probe(url: &str, client: &Client) -> Result<Result<Offer, String>, Misuse> {
    let target = Target::new(url, client.clone()).map_err(Misuse::new)?;
    let source = FixtureSource::Embedded;
    let catalogue = Catalogue::load(&source).map_err(Misuse::new)?;
    let cases = CaseSet::load(&source, &catalogue).map_err(Misuse::new)?.cases;
    // The cases that tell of a capability's absence are those that ask whether it is there.
    let probes: Vec<_> = cases.into_iter().filter(|case| case.probes.is_some()).map(Arc::new).collect();
    let jobs = probes.iter().cloned().map(Job::Case).collect();
    let selection = Selection { suite: Suite::Streams, ..Selection::default() };
    let plan = Plan::new(jobs, &selection, &target, &catalogue).map_err(Misuse::new)?;
    let mut unheard = Unheard;
    let (result, long_poll_timeout) = tokio::join!(
        run::run(target, Arc::new(catalogue), plan, Options::default(), &mut unheard),
        long_poll_timeout(url, client)
    );
    if let Some(why) = result.unusable {
        return Ok(Err(why));
    }
    let failed = |id: &str| {
        result
            .cases
            .iter()
            .any(|case| case.id == id && matches!(case.verdict, CaseVerdict::Failed | CaseVerdict::Blocked))
    };
    let mut missing: Vec<_> =
        probes.iter().filter(|case| failed(&case.id)).filter_map(|case| case.probes).collect();
    missing.sort();
    Ok(Ok(Offer { missing, long_poll_timeout }))
}

/// How long a long-poll at the tail of an empty stream waits for its 204, if not longer than [`LONGEST_WAIT`].
async fn long_poll_timeout(url: &str, client: &Client) -> Option<Duration> {
    let root = url.trim_end_matches('/');
    let stream = WireTarget::parse(&format!("{root}/sg-init-{:016x}", rand::random::<u64>())).ok()?;
    let request = |method: &str, query: &str| {
        Request::new(method, stream.with_path_and_query(format!("{}{query}", stream.path_and_query)))
    };
    let create = request("PUT", "").header("Content-Type", "text/plain").body(Body::Absent);
    let created = client.fetch(&create, PLAIN).await.ok()?;
    let waited = match created.headers().text("Stream-Next-Offset") {
        None => None,
        Some(tail) => {
            let query = format!("?offset={}&live=long-poll", encode_query(&tail));
            let began = Instant::now();
            let answer = client.fetch(&request("GET", &query), LONGEST_WAIT).await;
            let waited = began.elapsed();
            answer.ok().filter(|answer| answer.status() == 204).map(|_| waited)
        }
    };
    // What cannot be removed is not this command's business.
    let _ = client.fetch(&request("DELETE", ""), PLAIN).await;
    waited.and_then(rounded)
}

/// The setting behind a time that was measured: a whole number of tenths of a second, as people choose them.
fn rounded(waited: Duration) -> Option<Duration> {
    let tenths = u64::try_from(waited.as_millis() / 100).ok().filter(|tenths| *tenths > 0)?;
    Some(Duration::from_millis(tenths * 100))
}
