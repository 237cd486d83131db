//! What a reader asks for.

use std::sync::Arc;

use thiserror::Error;
use url::form_urlencoded;

use super::entry::{Entry, Level, MAX_NAME_BYTES, UnknownLevel};
use crate::sabotage::{Switch, Switches};

/// A request for logs, of `GET /api/logs/stream` and `GET /api/logs` alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogsQuery {
    /// Whose logs.
    pub scope: Scope,
    /// Which of them.
    pub filter: Filter,
    /// How many of the newest entries to begin with; entries that come later are not limited.
    pub limit: usize,
}

/// Whose logs are read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Entries that belong to no job.
    Service,
    /// Entries of the job with this id.
    Job(Arc<str>),
}

/// Which entries of a scope are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The least serious level that passes.
    pub level: Level,
    /// The one step that passes; none lets all through. Always none for the service.
    pub step: Option<Arc<str>>,
    /// Whether only the level itself passes, as on a faulty server.
    pub(super) exact: bool,
}

/// Why a query is refused (400).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QueryError {
    #[error("scope is required: service or job")]
    NoScope,
    #[error("scope must be service or job, not {0:?}")]
    UnknownScope(String),
    #[error("scope=job needs a job_id that is not empty")]
    NoJobId,
    #[error("job_id and step may have at most {MAX_NAME_BYTES} bytes")]
    LongName,
    #[error(transparent)]
    UnknownLevel(#[from] UnknownLevel),
    #[error("limit must be a whole number from 1 on, not {0:?}")]
    BadLimit(String),
    #[error("{0} is given more than once")]
    Repeated(&'static str),
}

const DEFAULT_LIMIT: usize = 100;
const MAX_SERVICE_LIMIT: usize = 500;
const MAX_JOB_LIMIT: usize = 5_000;

impl LogsQuery {
    /// Reads a raw query string (what follows the `?`). Parameters it does not know are ignored;
    /// an empty `step` is none.
    ///
    /// # Errors
    ///
    /// [`QueryError`] says what is missing or cannot be meant.
    pub fn parse(raw: &str) -> Result<Self, QueryError> {
        Self::read(raw, Switches::NONE)
    }

    pub(super) fn read(raw: &str, switches: Switches) -> Result<Self, QueryError> {
        let parameters = Parameters::collect(raw)?;
        let too_long = |name: &Option<String>| name.as_ref().is_some_and(|n| n.len() > MAX_NAME_BYTES);
        if too_long(&parameters.job_id) || too_long(&parameters.step) {
            return Err(QueryError::LongName);
        }
        let level = match &parameters.level {
            Some(text) => text.parse()?,
            None => Level::Info,
        };
        let (scope, step, max_limit) = match parameters.scope.as_deref() {
            None | Some("") => return Err(QueryError::NoScope),
            Some("service") => {
                let step = parameters.step.filter(|_| switches.on(Switch::LogsStepHidesService));
                (Scope::Service, step.map(Arc::from), MAX_SERVICE_LIMIT)
            }
            Some("job") => {
                let job_id = parameters.job_id.filter(|id| !id.is_empty());
                let job_id = job_id.ok_or(QueryError::NoJobId)?;
                let step = parameters.step.filter(|step| !step.is_empty());
                (Scope::Job(job_id.into()), step.map(Arc::from), MAX_JOB_LIMIT)
            }
            Some(other) => return Err(QueryError::UnknownScope(other.to_owned())),
        };
        let limit = match parameters.limit {
            Some(text) => parse_limit(text)?,
            None => DEFAULT_LIMIT,
        };
        let most = if switches.on(Switch::LogsLimitUncapped) { usize::MAX } else { max_limit };
        let exact = switches.on(Switch::LogsLevelExact);
        Ok(Self { scope, filter: Filter { level, step, exact }, limit: limit.min(most) })
    }
}

impl Filter {
    pub(super) fn admits(&self, entry: &Entry) -> bool {
        let level_fits = if self.exact { entry.level == self.level } else { entry.level >= self.level };
        level_fits && self.step.as_deref().is_none_or(|step| entry.step() == Some(step))
    }
}

#[derive(Default)]
struct Parameters {
    scope: Option<String>,
    job_id: Option<String>,
    step: Option<String>,
    level: Option<String>,
    limit: Option<String>,
}

impl Parameters {
    fn collect(raw: &str) -> Result<Self, QueryError> {
        let mut found = Self::default();
        for (name, value) in form_urlencoded::parse(raw.as_bytes()) {
            let (slot, name) = match &*name {
                "scope" => (&mut found.scope, "scope"),
                "job_id" => (&mut found.job_id, "job_id"),
                "step" => (&mut found.step, "step"),
                "level" => (&mut found.level, "level"),
                "limit" => (&mut found.limit, "limit"),
                _ => continue,
            };
            if slot.replace(value.into_owned()).is_some() {
                return Err(QueryError::Repeated(name));
            }
        }
        Ok(found)
    }
}

/// A number too large for the machine is a number above every maximum.
fn parse_limit(text: String) -> Result<usize, QueryError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(0) => Err(QueryError::BadLimit(text)),
        Ok(limit) if digits => Ok(limit),
        Err(_) if digits => Ok(usize::MAX),
        _ => Err(QueryError::BadLimit(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(query: &str) -> Result<LogsQuery, QueryError> {
        LogsQuery::parse(&format!("scope=job&job_id=7&{query}"))
    }

    #[test]
    fn scope_is_required_and_known() {
        assert_eq!(LogsQuery::parse(""), Err(QueryError::NoScope));
        assert_eq!(LogsQuery::parse("scope="), Err(QueryError::NoScope));
        for scope in ["all", "Service", "JOB"] {
            assert_eq!(
                LogsQuery::parse(&format!("scope={scope}")),
                Err(QueryError::UnknownScope(scope.to_owned()))
            );
        }
        assert_eq!(LogsQuery::parse("scope=job"), Err(QueryError::NoJobId));
        assert_eq!(LogsQuery::parse("scope=job&job_id="), Err(QueryError::NoJobId));
        assert_eq!(LogsQuery::parse("scope=job&scope=service&job_id=1"), Err(QueryError::Repeated("scope")));
    }

    #[test]
    fn defaults() {
        let query = LogsQuery::parse("scope=job&job_id=a%2Fb+c&other=1").unwrap();
        assert_eq!(query.scope, Scope::Job("a/b c".into()));
        assert_eq!(query.filter, Filter { level: Level::Info, step: None, exact: false });
        assert_eq!(query.limit, 100);
    }

    #[test]
    fn a_step_is_for_jobs_and_an_empty_one_is_none() {
        assert_eq!(job("step=build").unwrap().filter.step.as_deref(), Some("build"));
        assert_eq!(job("step=").unwrap().filter.step, None);
        let service = LogsQuery::parse("scope=service&step=build").unwrap();
        assert_eq!(service.filter.step, None);
    }

    #[test]
    fn a_level_must_be_known() {
        assert_eq!(job("level=WRN").unwrap().filter.level, Level::Warn);
        for level in ["", "all", "verbose"] {
            let refused = job(&format!("level={level}"));
            assert!(matches!(refused, Err(QueryError::UnknownLevel(_))), "{level:?}");
        }
    }

    #[test]
    fn a_limit_is_capped_by_its_scope() {
        assert_eq!(job("limit=1").unwrap().limit, 1);
        assert_eq!(job("limit=99999").unwrap().limit, 5_000);
        assert_eq!(job("limit=99999999999999999999999").unwrap().limit, 5_000);
        assert_eq!(LogsQuery::parse("scope=service&limit=501").unwrap().limit, 500);
        for limit in ["", "0", "00", "-1", "%2B5", "+5", "ten", "1.0", "1e3", "٣"] {
            assert!(matches!(job(&format!("limit={limit}")), Err(QueryError::BadLimit(_))), "{limit:?}");
        }
    }
}
