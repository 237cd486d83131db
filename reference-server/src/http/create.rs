//! `PUT`: create a stream or a fork (sections 4.2 and 5.1).

use ::http::{HeaderValue, StatusCode, header, request::Parts};
use bytes::Bytes;
use http_body::Body;

use super::{
    App, BoxError, Response, ResponseBody,
    append::content_type,
    racing, request_body,
    router::{offset_value, stream_path},
};
use crate::core::{
    create::{Created, Creation},
    error::{Malformed, Refusal},
    fork::{ForkHeaders, ForkRequest},
    headers,
    path::{StreamPath, StreamRoot},
    ttl::Expiry,
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
    let fork = ForkHeaders::parse(&parts.headers)?;
    let request = Creation {
        content_type: content_type(&parts.headers)?,
        expiry: Expiry::parse(&parts.headers)?,
        closed: headers::stream_closed(&parts.headers),
        fork: fork.map(|fork| fork_request(fork, &app.root)).transpose()?,
        body: &body.bytes,
    };
    let created = match app.store.switches {
        Switches::NONE => app.store.create(path.as_str(), &request, app.now())?,
        switches => racing::create(app, path, request, switches).await?,
    };
    Ok(respond(&created, parts, app.config.scheme()))
}

/// The source as a path below the stream root; a path elsewhere on this server names no stream.
fn fork_request(fork: ForkHeaders, root: &StreamRoot) -> Result<ForkRequest, Refusal> {
    if !fork.source.starts_with('/') {
        return Err(Malformed::ForkSource.into());
    }
    let source = stream_path(root, &fork.source).map_err(|refusal| match refusal {
        Refusal::NotFound => Refusal::SourceNotFound,
        other => other,
    })?;
    Ok(ForkRequest { source: source.as_str().into(), offset: fork.offset, sub_offset: fork.sub_offset })
}

fn respond(created: &Created, parts: &Parts, scheme: &str) -> Response {
    let mut response = Response::new(ResponseBody::Empty);
    let map = response.headers_mut();
    let content_type = HeaderValue::from_str(&created.content_type).expect("taken from a header");
    map.insert(header::CONTENT_TYPE, content_type);
    map.insert(headers::STREAM_NEXT_OFFSET, offset_value(created.tail));
    if created.closed {
        map.insert(headers::STREAM_CLOSED, HeaderValue::from_static("true"));
    }
    if created.is_new {
        if let Some(location) = location(parts, scheme) {
            map.insert(header::LOCATION, location);
        }
        *response.status_mut() = StatusCode::CREATED;
    }
    response
}

/// The stream's URL: absolute where the request says which host it was sent to.
fn location(parts: &Parts, scheme: &str) -> Option<HeaderValue> {
    let path = parts.uri.path();
    let in_uri = parts.uri.authority().map(|authority| authority.as_str());
    let in_header = || parts.headers.get(header::HOST)?.to_str().ok();
    let host = in_uri.or_else(in_header).filter(|host| !host.is_empty());
    let url = match host {
        Some(host) => format!("{scheme}://{host}{path}"),
        None => path.to_owned(),
    };
    HeaderValue::from_str(&url).ok()
}
