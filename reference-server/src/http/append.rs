//! `POST`: append, close, or both (sections 5.2 and 5.3).

use ::http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use bytes::Bytes;
use http_body::Body;

use super::{App, BoxError, Response, ResponseBody, racing, request_body, router::offset_value};
use crate::core::{
    append::{Append, Appended, Outcome},
    error::{Malformed, Refusal},
    headers,
    offset_form::OffsetForm,
    path::StreamPath,
    producer::ProducerHeaders,
    sequence::StreamSeq,
};
use crate::sabotage::Switches;

pub(super) async fn answer<B>(
    app: &App,
    path: &StreamPath<'_>,
    parts: &Parts,
    body: B,
) -> Result<Response, Refusal>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let body = request_body::collect(body, &app.config, app.store.memory()).await?;
    let request = Append {
        content_type: content_type(&parts.headers)?,
        body: &body.bytes,
        close: headers::stream_closed(&parts.headers),
        seq: StreamSeq::parse(&parts.headers)?,
        producer: ProducerHeaders::parse(&parts.headers, app.store.switches)?,
        ..Append::default()
    };
    let appended = match app.store.switches {
        Switches::NONE => app.store.append(path.as_str(), request, app.now())?,
        switches => racing::append(app, path, request, switches).await?,
    };
    Ok(respond(&appended, app.store.offsets))
}

/// The `Content-Type` that was sent; an empty one counts as none.
pub(super) fn content_type(headers: &HeaderMap) -> Result<Option<&str>, Malformed> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Ok(None);
    };
    let text = value.to_str().map_err(|_| Malformed::ContentType)?;
    Ok(Some(text).filter(|text| !text.trim().is_empty()))
}

fn respond(appended: &Appended, offsets: OffsetForm) -> Response {
    let mut response = Response::new(ResponseBody::Empty);
    *response.status_mut() = status_of(appended);
    let map = response.headers_mut();
    map.insert(headers::STREAM_NEXT_OFFSET, offset_value(appended.tail, offsets));
    if appended.closed {
        map.insert(headers::STREAM_CLOSED, HeaderValue::from_static("true"));
    }
    if let Some(producer) = appended.producer {
        map.insert(headers::PRODUCER_EPOCH, HeaderValue::from(producer.epoch));
        map.insert(headers::PRODUCER_SEQ, HeaderValue::from(producer.last_seq));
    }
    response
}

/// To a producer 200 means new and 204 means known; everybody else gets 204.
fn status_of(appended: &Appended) -> StatusCode {
    match (appended.outcome, appended.producer) {
        (Outcome::Stored, Some(_)) => StatusCode::OK,
        _ => StatusCode::NO_CONTENT,
    }
}
