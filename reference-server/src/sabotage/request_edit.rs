//! Changes of a request before the server sees it.

use ::http::{HeaderMap, HeaderValue, Method, Uri, request};
use bytes::Bytes;
use serde::Deserialize;
use url::form_urlencoded;

use super::{
    notation::{Name, Pairs},
    text_edit::{Steps, edit_bytes, edit_text},
};

/// What becomes of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RequestEdit {
    method: Option<String>,
    /// Changes of the URL path.
    path: Steps,
    /// Headers to leave out.
    drop: Vec<Name>,
    rename: Pairs<Name, Name>,
    set: Pairs<Name, String>,
    transform: Pairs<Name, Steps>,
    drop_query: Vec<String>,
    set_query: Pairs<String, String>,
    transform_query: Pairs<String, Steps>,
    body: Steps,
}

impl RequestEdit {
    /// Changes the request.
    pub(super) fn apply(&self, parts: &mut request::Parts, body: &mut Bytes) {
        if let Some(method) = self.method.as_ref().and_then(|name| Method::from_bytes(name.as_bytes()).ok()) {
            parts.method = method;
        }
        self.edit_headers(&mut parts.headers);
        self.edit_path(&mut parts.uri);
        self.edit_query(&mut parts.uri);
        if !self.body.0.is_empty() {
            *body = edit_bytes(&self.body, body);
        }
    }

    fn edit_headers(&self, headers: &mut HeaderMap) {
        for name in &self.drop {
            headers.remove(&name.0);
        }
        for (from, to) in &self.rename.0 {
            if let Some(value) = headers.remove(&from.0) {
                headers.insert(to.0.clone(), value);
            }
        }
        for (name, text) in &self.set.0 {
            if let Ok(value) = HeaderValue::from_str(text) {
                headers.insert(name.0.clone(), value);
            }
        }
        transform_headers(&self.transform, headers);
    }

    fn edit_query(&self, uri: &mut Uri) {
        let (drop, set, transform) = (&self.drop_query, &self.set_query.0, &self.transform_query.0);
        if drop.is_empty() && set.is_empty() && transform.is_empty() {
            return;
        }
        let query = uri.query().unwrap_or_default();
        let mut parameters: Vec<(String, String)> =
            form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        parameters.retain(|(name, _)| !drop.contains(name));
        for (name, value) in set {
            parameters.retain(|(known, _)| known != name);
            parameters.push((name.clone(), value.clone()));
        }
        for (name, value) in &mut parameters {
            for (_, steps) in transform.iter().filter(|(wanted, _)| wanted == name) {
                *value = edit_text(steps, value);
            }
        }
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let path = uri.path().to_owned();
        replace(uri, &path, &query);
    }

    fn edit_path(&self, uri: &mut Uri) {
        if !self.path.0.is_empty() {
            let path = edit_text(&self.path, uri.path());
            let query = uri.query().unwrap_or_default().to_owned();
            replace(uri, &path, &query);
        }
    }
}

/// Gives a URI another path and query, unless they are none.
fn replace(uri: &mut Uri, path: &str, query: &str) {
    let path_and_query = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    let Ok(path_and_query) = path_and_query.parse() else {
        return;
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path_and_query);
    if let Ok(changed) = Uri::from_parts(parts) {
        *uri = changed;
    }
}

/// Changes the values of headers that are there.
pub(super) fn transform_headers(transform: &Pairs<Name, Steps>, headers: &mut HeaderMap) {
    for (name, steps) in &transform.0 {
        let changed = headers
            .get(&name.0)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| HeaderValue::from_bytes(edit_text(steps, text).as_bytes()).ok());
        if let Some(value) = changed {
            headers.insert(name.0.clone(), value);
        }
    }
}
