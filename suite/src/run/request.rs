//! From the words of a case to a request.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;

use super::{case::Context, names::CaseNames, stage::Halt};
use crate::{
    case::{BodySpec, Fields, Method, RequestSpec, filled},
    check::{self, Names},
    wire::{Body, Headers, Request},
};

impl Context<'_> {
    pub(super) fn request(
        &self,
        method: Method,
        spec: &RequestSpec,
        names: &CaseNames,
    ) -> Result<Request, Halt> {
        let path = match (&spec.at, &spec.url) {
            (Some(at), _) => {
                format!("{}/{}", names.value("root").unwrap_or_default(), self.stage.render(at, names)?)
            }
            (None, Some(url)) => self.path_of_url(&self.stage.render(url, names)?)?,
            (None, None) => names.path(spec.stream.as_deref().unwrap_or("stream")),
        };
        let mut request = self.read_request(method, path, &spec.query, &spec.headers, names)?;
        if let Some(body) = &spec.body {
            request.body = self.body(body, names)?;
        }
        Ok(request)
    }

    pub(super) fn read_request(
        &self,
        method: Method,
        path: String,
        query: &Fields,
        headers: &Fields,
        names: &CaseNames,
    ) -> Result<Request, Halt> {
        let mut target = path;
        for (name, values) in &query.0 {
            for value in values {
                let Some(value) = self.stage.render_or_omit(value, names)? else { continue };
                target.push(if target.contains('?') { '&' } else { '?' });
                target.push_str(&format!("{name}={}", encode_query(&value)));
            }
        }
        let target = self.stage.world.target.at(&target).map_err(|error| Halt::Errored(error.to_string()))?;
        let mut fields = Headers::default();
        for (name, values) in &headers.0 {
            for value in values {
                if let Some(value) = self.stage.render_or_omit(value, names)? {
                    fields.push(name.as_str(), value);
                }
            }
        }
        let mut request = Request::new(method.as_str(), target);
        request.headers = fields;
        Ok(request)
    }

    /// The path of a URL that the target has given out. Where it leads to another server the case is blocked:
    /// nothing but the target is ever asked.
    fn path_of_url(&self, text: &str) -> Result<String, Halt> {
        let target = &self.stage.world.target;
        match target.own_path(text) {
            Some(path) => Ok(path),
            None => Err(Halt::Blocked {
                rule: None,
                why: format!(
                    "{}: {text} leads away from {}, and only the target is asked",
                    self.place,
                    target.name()
                ),
            }),
        }
    }

    fn body(&self, spec: &BodySpec, names: &CaseNames) -> Result<Body, Halt> {
        Ok(match spec {
            BodySpec::Text(text) => Body::Bytes(self.stage.render(text, names)?.into()),
            BodySpec::Base64(text) => Body::Bytes(STANDARD.decode(text).unwrap_or_default().into()),
            BodySpec::Json(value) => {
                let value =
                    check::render_json(value, names).map_err(|unbound| Halt::Errored(unbound.to_string()))?;
                Body::Bytes(value.to_string().into())
            }
            BodySpec::Filled(size) => Body::Bytes(filled(*size).into()),
            BodySpec::Chunks { texts, pause } => {
                let chunks: Result<Vec<Bytes>, Halt> =
                    texts.iter().map(|text| self.stage.render(text, names).map(Bytes::from)).collect();
                Body::Chunked { chunks: chunks?, pause: pause.map_or(Duration::ZERO, |pause| pause.0) }
            }
        })
    }
}

/// A value as it has to stand in a query: unreserved characters as they are, all others percent-encoded.
pub(crate) fn encode_query(value: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(value, RESERVED).to_string()
}
