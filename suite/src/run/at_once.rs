//! One request, many times at once.

use futures_util::future::join_all;

use super::{
    case::Context,
    stage::{Halt, SendFailure},
};
use crate::{
    case::{Act, AtOnce, Method, RequestSpec, StatusExpect},
    check::Finding,
};

impl Context<'_> {
    /// Sends all requests on connections of their own and counts the statuses.
    pub(super) async fn at_once(&self, at_once: &AtOnce) -> Result<(), Halt> {
        let (method, spec) = request_of(&at_once.request)?;
        let blame = self.blame_for(at_once.proves.as_deref(), None);
        let mut sending = Vec::new();
        for index in 0..at_once.times {
            let mut names = self.stage.names();
            names.set("index", index.to_string());
            let mut request = self.request(method, spec, &names)?;
            request.fresh_connection = true;
            sending.push(self.stage.send(request, self.stage.world.options.request_limit));
        }
        let mut statuses = Vec::new();
        for answer in join_all(sending).await {
            match answer {
                Ok(answer) => statuses.push(answer.seen.status),
                Err(SendFailure { error, exchange }) => {
                    self.stage.unanswered(SendFailure { error, exchange }, &blame).await?;
                }
            }
        }
        self.stage.judge(self.tally(at_once, &statuses)?, &blame, None)
    }

    fn tally(&self, at_once: &AtOnce, statuses: &[u16]) -> Result<Vec<Finding>, Halt> {
        let names = self.stage.names();
        let mut uncounted: Vec<u16> = statuses.to_vec();
        let mut met = true;
        let mut wanted = Vec::new();
        for line in &at_once.tally {
            let status = line
                .status
                .resolve(|template| crate::check::Names::render(&names, template))
                .map_err(Halt::Errored)?;
            let count = statuses.iter().filter(|found| status.accepts(**found)).count();
            uncounted.retain(|found| !status.accepts(*found));
            met &= line.count.is_none_or(|count_wanted| count == count_wanted);
            met &= line.at_least.is_none_or(|least| count >= least);
            wanted.push(describe(&status, line.count, line.at_least));
        }
        if met && uncounted.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![Finding::new("answers", wanted.join(", "), summary(statuses))])
    }
}

fn request_of(act: &Act) -> Result<(Method, &RequestSpec), Halt> {
    Ok(match act {
        Act::Put(spec) => (Method::Put, spec),
        Act::Post(spec) => (Method::Post, spec),
        Act::Get(spec) => (Method::Get, spec),
        Act::Head(spec) => (Method::Head, spec),
        Act::Delete(spec) => (Method::Delete, spec),
        _ => return Err(Halt::Errored("at_once repeats put, post, get, head or delete".to_owned())),
    })
}

fn describe(status: &StatusExpect, count: Option<usize>, at_least: Option<usize>) -> String {
    match (count, at_least) {
        (Some(count), _) => format!("{count} times {status}"),
        (None, Some(least)) => format!("at least {least} times {status}"),
        (None, None) => format!("any number of {status}"),
    }
}

fn summary(statuses: &[u16]) -> String {
    let mut counts = std::collections::BTreeMap::new();
    for status in statuses {
        *counts.entry(status).or_insert(0) += 1;
    }
    counts.into_iter().map(|(status, count)| format!("{count} times {status}")).collect::<Vec<_>>().join(", ")
}
