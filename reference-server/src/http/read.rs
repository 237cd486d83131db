//! `GET`: read what is there, or hand over to a live mode (section 5.6).

use ::http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use jiff::Timestamp;

use super::{
    App, Response, ResponseBody,
    caching::{cache_control, client_has},
    event_stream, long_poll,
    router::offset_value,
};
use crate::core::{
    cursor,
    error::Refusal,
    headers,
    offset::ReadStart,
    page::Page,
    path::StreamPath,
    read_query::{Mode, ReadQuery},
    reader::Reader,
    store::Store,
};
use crate::sabotage::{Switch, Switches};

const HEADERS_OF_A_PAGE: usize = 12;

pub(super) async fn answer(
    app: &std::sync::Arc<App>,
    path: &StreamPath<'_>,
    parts: &Parts,
) -> Result<Response, Refusal> {
    let query = ReadQuery::parse_with(parts.uri.query().unwrap_or_default(), app.store.offsets)?;
    let now = app.now();
    let reader = match renews_nothing(app, path.as_str(), &query, &parts.headers) {
        true => app.store.peek(path.as_str(), now)?,
        false => app.store.read(path.as_str(), now)?,
    };
    match query.mode {
        Mode::LongPoll => long_poll::answer(app, reader.follow(), &query, &parts.headers).await,
        Mode::EventStream => event_stream::answer(app, reader.follow(), query),
        Mode::CatchUp => {
            if query.start != ReadStart::Now && parts.headers.contains_key(header::IF_NONE_MATCH) {
                let outline = reader.outline(query.start)?;
                let response = tagged(app, &reader, &outline, &parts.headers, now);
                if response.status() == StatusCode::NOT_MODIFIED {
                    return Ok(response);
                }
            }
            let page = reader.page(query.start)?;
            Ok(match query.start {
                ReadStart::Now => tail_only(app, &reader, page),
                ReadStart::Beginning | ReadStart::At(_) => with_data(app, &reader, page, &parts.headers, now),
            })
        }
    }
}

/// Whether a faulty server leaves the window of the stream as it is.
fn renews_nothing(app: &App, path: &str, query: &ReadQuery, request: &HeaderMap) -> bool {
    let switches = app.store.switches;
    if switches == Switches::NONE {
        return false;
    }
    let is_at_tail = || match query.start {
        ReadStart::Now => true,
        ReadStart::Beginning => false,
        ReadStart::At(offset) => app.store.tail(path, app.now()) == Some(offset),
    };
    switches.on(Switch::ReadsRenewNothing)
        || (switches.on(Switch::ReadsAtTailRenewNothing) && is_at_tail())
        || (switches.on(Switch::ConditionalReadsRenewNothing) && request.contains_key(header::IF_NONE_MATCH))
        || (switches.on(Switch::LiveReadsRenewNothing) && query.mode != Mode::CatchUp)
}

/// A page as a response, or 304 when the client holds it already.
pub(super) fn with_data(
    app: &App,
    reader: &Reader,
    page: Page,
    request: &HeaderMap,
    now: Timestamp,
) -> Response {
    let mut response = tagged(app, reader, &page, request, now);
    if response.status() != StatusCode::NOT_MODIFIED {
        fill(&mut response, reader, page);
    }
    response
}

/// The answer that a page is, up to its content: 304 when the client holds it already.
fn tagged(app: &App, reader: &Reader, page: &Page, request: &HeaderMap, now: Timestamp) -> Response {
    let switches = app.store.switches;
    let tag = page.entity_tag().as_told(switches).to_string();
    let mut response = Response::new(ResponseBody::Empty);
    let map = response.headers_mut();
    // With those that every answer carries.
    map.reserve(HEADERS_OF_A_PAGE);
    describe(page, map, &app.store);
    map.insert(header::CACHE_CONTROL, cache_control(app.config.cache_visibility, reader.deadline(), now));
    map.insert(header::ETAG, HeaderValue::from_str(&tag).expect("hexadecimal digits and colons"));
    if client_has(request, &tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    response
}

/// The answer to `offset=now`: where the tail is, and nothing to keep (section 8).
fn tail_only(app: &App, reader: &Reader, page: Page) -> Response {
    let mut response = Response::new(ResponseBody::Empty);
    let map = response.headers_mut();
    describe(&page, map, &app.store);
    map.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    fill(&mut response, reader, page);
    response
}

fn fill(response: &mut Response, reader: &Reader, page: Page) {
    response.headers_mut().insert(header::CONTENT_TYPE, content_type_value(reader));
    *response.body_mut() = page.into_frames().into();
}

/// Where the page ends, and whether more may follow.
pub(super) fn describe(page: &Page, map: &mut HeaderMap, store: &Store) {
    map.insert(headers::STREAM_NEXT_OFFSET, offset_value(page.end, store.offsets));
    if page.at_tail {
        map.insert(headers::STREAM_UP_TO_DATE, HeaderValue::from_static("true"));
    }
    if page.is_final() || (page.closed && store.switches.on(Switch::PartialPageSaysClosed)) {
        map.insert(headers::STREAM_CLOSED, HeaderValue::from_static("true"));
    }
}

fn content_type_value(reader: &Reader) -> HeaderValue {
    HeaderValue::from_str(reader.content_type().as_str()).expect("taken from a header")
}

/// The cursor of a live answer (section 10.1).
pub(super) fn next_cursor(app: &App, client: Option<&str>) -> u128 {
    let jitter = rand::random_range(cursor::SHORTEST_JITTER..=cursor::LONGEST_JITTER);
    cursor::next(client, &app.config.cursor, app.now(), jitter, app.store.switches)
}
