//! Which control route a request path names (section 6).

use percent_encoding::percent_decode_str;

/// A route below `__ds`. Ids and paths are percent-decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Jwks,
    Subscription(String),
    /// The explicit links of a subscription.
    Links(String),
    /// One explicit link: the subscription's id and the stream's path.
    Link(String, String),
    Callback(String),
    Claim(String),
    Ack(String),
    Release(String),
}

impl Route {
    /// `path` is what follows `__ds/` in the request's path, still percent-encoded.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let (first, rest) = split(path);
        match (decoded(first)?.as_str(), rest) {
            ("jwks.json", None) => Some(Self::Jwks),
            ("subscriptions", Some(rest)) => Self::parse_subscription(rest),
            _ => None,
        }
    }

    fn parse_subscription(path: &str) -> Option<Self> {
        let (id, rest) = split(path);
        let id = decoded(id).filter(|id| !id.is_empty())?;
        let Some(rest) = rest else {
            return Some(Self::Subscription(id));
        };
        let (action, rest) = split(rest);
        match (decoded(action)?.as_str(), rest) {
            ("streams", None) => Some(Self::Links(id)),
            ("streams", Some(path)) if !path.is_empty() => Some(Self::Link(id, decoded(path)?)),
            ("callback", None) => Some(Self::Callback(id)),
            ("claim", None) => Some(Self::Claim(id)),
            ("ack", None) => Some(Self::Ack(id)),
            ("release", None) => Some(Self::Release(id)),
            _ => None,
        }
    }
}

fn split(path: &str) -> (&str, Option<&str>) {
    match path.split_once('/') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    }
}

fn decoded(text: &str) -> Option<String> {
    Some(percent_decode_str(text).decode_utf8().ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_told_apart() {
        let id = || "s 1/2".to_owned();
        for (path, route) in [
            ("jwks.json", Some(Route::Jwks)),
            ("subscriptions/s%201%2F2", Some(Route::Subscription(id()))),
            ("subscriptions/s%201%2F2/streams", Some(Route::Links(id()))),
            ("subscriptions/s%201%2F2/streams/a/b%2Fc", Some(Route::Link(id(), "a/b/c".to_owned()))),
            ("subscriptions/s%201%2F2/callback", Some(Route::Callback(id()))),
            ("subscriptions/s%201%2F2/claim", Some(Route::Claim(id()))),
            ("subscriptions/s%201%2F2/ack", Some(Route::Ack(id()))),
            ("subscriptions/s%201%2F2/release", Some(Route::Release(id()))),
            ("", None),
            ("/", None),
            ("subscriptions", None),
            ("subscriptions/", None),
            ("subscriptions/a/", None),
            ("subscriptions/a/streams/", None),
            ("subscriptions/a/claim/b", None),
            ("subscriptions/%ff", None),
            ("jwks.json/x", None),
        ] {
            assert_eq!(Route::parse(path), route, "{path}");
        }
    }
}
