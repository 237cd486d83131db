//! From the words of a case to a request.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;

use super::{case::Context, names::CaseNames, stage::Halt};
use crate::{
    case::{BodySpec, Fields, Method, On, RequestSpec, filled},
    check::{self, Names},
    wire::{Body, Headers, Request, Target},
};

impl Context<'_> {
    pub(super) fn request(
        &self,
        method: Method,
        spec: &RequestSpec,
        names: &CaseNames,
    ) -> Result<Request, Halt> {
        let below = spec.at.as_ref().map(|at| self.stage.render(at, names)).transpose()?;
        let target = match (spec.on, below, &spec.url) {
            (On::Streams, Some(below), _) => {
                self.on_streams(&format!("{}/{below}", names.value("root").unwrap_or_default()))?
            }
            (On::Streams, None, Some(url)) => {
                self.on_streams(&self.path_of_url(&self.stage.render(url, names)?)?)?
            }
            (On::Streams, None, None) => {
                self.on_streams(&names.path(spec.stream.as_deref().unwrap_or("stream")))?
            }
            (on, below, _) => {
                let path = below.map(|below| format!("/{below}")).unwrap_or_default();
                self.stage.request_on(method.as_str(), on, &path)?.target
            }
        };
        let mut request = self.read_request(method, target, &spec.query, &spec.headers, names)?;
        if let Some(body) = &spec.body {
            request.body = self.body(body, names)?;
        }
        Ok(request)
    }

    pub(super) fn on_streams(&self, path: &str) -> Result<Target, Halt> {
        self.stage.world.target.at(path).map_err(|error| Halt::Errored(error.to_string()))
    }

    pub(super) fn read_request(
        &self,
        method: Method,
        mut target: Target,
        query: &Fields,
        headers: &Fields,
        names: &CaseNames,
    ) -> Result<Request, Halt> {
        for (name, values) in &query.0 {
            for value in values {
                let Some(value) = self.stage.render_or_omit(value, names)? else { continue };
                let path = &mut target.path_and_query;
                path.push(if path.contains('?') { '&' } else { '?' });
                path.push_str(&format!("{name}={}", encode_query(&value)));
            }
        }
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
