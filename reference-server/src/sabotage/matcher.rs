//! Which exchanges an edit is for.

use ::http::{HeaderMap, Method, StatusCode, request, response};
use http_body::Body;
use serde::Deserialize;
use url::form_urlencoded;

use super::{
    notation::{Name, OneOrMany, Pairs},
    value_test::ValueTest,
};
use crate::http::ResponseBody;

/// Conditions on an exchange; all that are given have to hold. None at all is every request to a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct On {
    method: Option<OneOrMany<String>>,
    path: OneOrMany<Role>,
    query: Pairs<String, ValueTest>,
    /// A parameter that the protocol does not know.
    unknown_query: bool,
    /// A parameter that occurs more than once.
    repeated_query: bool,
    request_headers: Pairs<Name, ValueTest>,
    body: OneOrMany<BodyTest>,
    status: Option<OneOrMany<u16>>,
    response_headers: Pairs<Name, ValueTest>,
    response_body: Option<Presence>,
    /// The Content-Type of the stream that is there.
    pub(super) stream_type: Option<ValueTest>,
    /// A path from which a stream was deleted.
    pub(super) deleted: bool,
    /// Only the one exchange with this number on its URL path, from 1.
    nth: Option<u32>,
    /// The exchanges from this number on.
    from_nth: Option<u32>,
    /// Counts the exchanges on all paths together that hold the same long number of hexadecimal digits, as those of one
    /// case do.
    together: bool,
}

/// What a URL path is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Role {
    /// A stream, forks included.
    #[default]
    Stream,
    /// A stream that was created as a fork.
    Fork,
    /// A stream that was created, and not as a fork.
    Root,
    /// A subscription itself.
    Subscription,
    /// The links of a subscription, all or one.
    Links,
    Claim,
    Ack,
    Release,
    Callback,
    /// The keys that sign deliveries.
    Jwks,
    /// In the reserved part of the stream root, but no control route.
    Unrouted,
    /// Anything in the reserved part of the stream root.
    Control,
    /// The log stream.
    Logs,
    /// Anything at all.
    Any,
}

impl Role {
    /// What follows `__ds/` in a URL path is for.
    pub(super) fn in_control_space(rest: &str) -> Self {
        if rest == "jwks.json" {
            return Self::Jwks;
        }
        let Some(below) = rest.strip_prefix("subscriptions/") else {
            return Self::Unrouted;
        };
        match below.split_once('/').map(|(_, action)| action) {
            None => Self::Subscription,
            Some("claim") => Self::Claim,
            Some("ack") => Self::Ack,
            Some("release") => Self::Release,
            Some("callback") => Self::Callback,
            Some(action) if action.split('/').next() == Some("streams") => Self::Links,
            Some(_) => Self::Unrouted,
        }
    }

    /// Whether a path with this role is meant where `wanted` is asked for.
    fn is_meant_by(self, wanted: Self, is_fork: bool) -> bool {
        match wanted {
            Self::Any => true,
            Self::Control => !matches!(self, Self::Stream | Self::Logs | Self::Any),
            Self::Fork => self == Self::Stream && is_fork,
            Self::Root => self == Self::Stream && !is_fork,
            wanted => wanted == self,
        }
    }
}

/// The body of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
enum BodyTest {
    Empty,
    Present,
    /// More than that many bytes.
    LargerThan(usize),
    /// JSON, an array without elements.
    EmptyArray,
    /// Brackets and braces inside each other, more than that many.
    DeeperThan(usize),
}

/// Whether there is something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Presence {
    Empty,
    Present,
}

const KNOWN_PARAMETERS: [&str; 3] = ["offset", "live", "cursor"];

impl On {
    /// Whether a request fits; `role` says what its path is for.
    pub(super) fn fits_request(
        &self,
        parts: &request::Parts,
        body: &[u8],
        role: Role,
        is_fork: bool,
    ) -> bool {
        self.method_fits(&parts.method)
            && self.role_fits(role, is_fork)
            && self.query_fits(parts.uri.query().unwrap_or_default())
            && headers_fit(&self.request_headers, &parts.headers)
            && self.body.0.iter().all(|test| test.fits(body))
    }

    /// Whether a response fits.
    pub(super) fn fits_response(&self, parts: &response::Parts, body: &ResponseBody) -> bool {
        let presence = if body.is_end_stream() { Presence::Empty } else { Presence::Present };
        self.status_fits(parts.status)
            && headers_fit(&self.response_headers, &parts.headers)
            && self.response_body.is_none_or(|wanted| wanted == presence)
    }

    /// Whether the response has to be seen to decide.
    pub(super) fn asks_for_response(&self) -> bool {
        self.status.is_some() || !self.response_headers.0.is_empty() || self.response_body.is_some()
    }

    /// Whether exchanges are counted.
    pub(super) fn counts(&self) -> bool {
        self.nth.is_some() || self.from_nth.is_some()
    }

    /// What the exchanges on a path are counted by.
    pub(super) fn counted_by<'a>(&self, url_path: &'a str) -> &'a str {
        const LONG: usize = 16;
        let mut numbers = url_path.split(|letter: char| !letter.is_ascii_hexdigit());
        let number = numbers.find(|number| number.len() >= LONG).filter(|_| self.together);
        number.unwrap_or(url_path)
    }

    /// Whether the exchange with this number is meant.
    pub(super) fn fits_number(&self, number: u32) -> bool {
        self.nth.is_none_or(|nth| nth == number) && self.from_nth.is_none_or(|first| first <= number)
    }

    fn method_fits(&self, method: &Method) -> bool {
        let Some(methods) = &self.method else {
            return true;
        };
        methods.0.iter().any(|name| name == method.as_str())
    }

    fn role_fits(&self, role: Role, is_fork: bool) -> bool {
        match self.path.0.as_slice() {
            [] => role.is_meant_by(Role::default(), is_fork),
            wanted => wanted.iter().any(|wanted| role.is_meant_by(*wanted, is_fork)),
        }
    }

    fn query_fits(&self, query: &str) -> bool {
        let parameters: Vec<(String, String)> =
            form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let value = |wanted: &str| {
            parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
        };
        let has_unknown = || parameters.iter().any(|(name, _)| !KNOWN_PARAMETERS.contains(&name.as_str()));
        let names: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
        let has_repeated = || names.iter().enumerate().any(|(at, name)| names[..at].contains(name));
        self.query.0.iter().all(|(name, test)| test.fits(value(name)))
            && (!self.unknown_query || has_unknown())
            && (!self.repeated_query || has_repeated())
    }

    fn status_fits(&self, status: StatusCode) -> bool {
        self.status.as_ref().is_none_or(|wanted| wanted.0.contains(&status.as_u16()))
    }
}

impl BodyTest {
    fn fits(self, body: &[u8]) -> bool {
        match self {
            Self::Empty => body.is_empty(),
            Self::Present => !body.is_empty(),
            Self::LargerThan(size) => body.len() > size,
            Self::EmptyArray => serde_json::from_slice::<[(); 0]>(body).is_ok(),
            Self::DeeperThan(depth) => deepest(body) > depth,
        }
    }
}

fn deepest(body: &[u8]) -> usize {
    let mut depth: usize = 0;
    let mut deepest = 0;
    for byte in body {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn headers_fit(tests: &Pairs<Name, ValueTest>, headers: &HeaderMap) -> bool {
    tests.0.iter().all(|(name, test)| test.fits(headers.get(&name.0).and_then(|value| value.to_str().ok())))
}
