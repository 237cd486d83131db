//! Changes of a response before the client sees it.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use ::http::{HeaderMap, HeaderValue, StatusCode, header, request};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::ext::ReasonPhrase;
use serde::Deserialize;
use url::form_urlencoded;

use super::{
    notation::{Name, Pairs, SpanRange},
    request_edit::transform_headers,
    text_edit::{Steps, edit_bytes},
};
use crate::http::{BoxError, Response, ResponseBody};

/// What becomes of a response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ResponseEdit {
    status: Option<u16>,
    /// The words behind the status, in HTTP/1.1.
    reason: Option<String>,
    /// Headers to leave out.
    drop: Vec<Name>,
    /// `$query.NAME`, `$request.NAME` and `$response.NAME` stand for a parameter or a header of the exchange.
    set: Pairs<Name, String>,
    /// Likewise, beside what is there.
    append: Pairs<Name, String>,
    transform: Pairs<Name, Steps>,
    body: Steps,
    /// How much later it is sent.
    delay: Option<SpanRange>,
    /// It is never sent.
    hang: bool,
    /// The body breaks off in the middle.
    end_early: bool,
    /// The body comes in pieces of that many bytes, without its length being told.
    pub(super) pieces: Option<usize>,
}

impl ResponseEdit {
    /// Changes the response, or never returns it. `asked` is the request as the client sent it.
    pub(super) async fn apply(&self, asked: &request::Parts, response: Response) -> Response {
        if self.hang {
            return std::future::pending().await;
        }
        if let Some(delay) = self.delay {
            tokio::time::sleep(delay.pick()).await;
        }
        let (mut parts, body) = response.into_parts();
        if let Some(status) = self.status.and_then(|status| StatusCode::from_u16(status).ok()) {
            parts.status = status;
        }
        if let Some(reason) =
            self.reason.as_ref().and_then(|text| ReasonPhrase::try_from(text.as_bytes()).ok())
        {
            parts.extensions.insert(reason);
        }
        self.edit_headers(asked, &mut parts.headers);
        let body = if self.body.0.is_empty() && !self.end_early {
            body
        } else {
            parts.headers.remove(header::CONTENT_LENGTH);
            self.edit_body(body).await
        };
        Response::from_parts(parts, body)
    }

    fn edit_headers(&self, asked: &request::Parts, headers: &mut HeaderMap) {
        let value = |text: &str, headers: &HeaderMap| {
            value_of(text, asked, headers).and_then(|text| HeaderValue::from_str(&text).ok())
        };
        for (name, text) in &self.set.0 {
            if let Some(value) = value(text, headers) {
                headers.insert(name.0.clone(), value);
            }
        }
        for (name, text) in &self.append.0 {
            if let Some(value) = value(text, headers) {
                headers.append(name.0.clone(), value);
            }
        }
        transform_headers(&self.transform, headers);
        for name in &self.drop {
            headers.remove(&name.0);
        }
    }

    async fn edit_body(&self, body: ResponseBody) -> ResponseBody {
        let Ok(collected) = body.collect().await else {
            return ResponseBody::Empty;
        };
        let bytes = edit_bytes(&self.body, &collected.to_bytes());
        if self.end_early { ResponseBody::streamed(Torn::new(bytes)) } else { bytes.into() }
    }
}

fn value_of(text: &str, asked: &request::Parts, answered: &HeaderMap) -> Option<String> {
    let header = |headers: &HeaderMap, name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
    if let Some(name) = text.strip_prefix("$request.") {
        return header(&asked.headers, name);
    }
    if let Some(name) = text.strip_prefix("$response.") {
        return header(answered, name);
    }
    if let Some(wanted) = text.strip_prefix("$query.") {
        let query = asked.uri.query().unwrap_or_default();
        let mut parameters = form_urlencoded::parse(query.as_bytes());
        return parameters.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
    }
    Some(text.to_owned())
}

/// A body that promises its whole length and breaks off halfway.
struct Torn {
    promised: u64,
    half: Option<Bytes>,
}

impl Torn {
    fn new(mut bytes: Bytes) -> Self {
        let promised = bytes.len().max(1) as u64;
        bytes.truncate(bytes.len() / 2);
        Self { promised, half: Some(bytes).filter(|half| !half.is_empty()) }
    }
}

impl Body for Torn {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(Some(match self.half.take() {
            Some(half) => Ok(Frame::data(half)),
            None => Err("broken off on purpose".into()),
        }))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}
