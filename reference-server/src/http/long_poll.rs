//! `live=long-poll`: wait for the next thing that happens (section 5.7).

use ::http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::time::{Instant, sleep_until};

use super::{
    App, Response, ResponseBody,
    read::{describe, next_cursor, with_data},
};
use crate::core::{
    error::Refusal, headers, offset::ReadStart, page::Page, read_query::ReadQuery, reader::LiveReader,
};

pub(super) async fn answer(
    app: &App,
    reader: LiveReader,
    query: &ReadQuery,
    request: &HeaderMap,
) -> Result<Response, Refusal> {
    let page = wait(app, &reader, query.start).await?;
    let cursor = (!page.is_final()).then(|| next_cursor(app, query.cursor.as_deref()));
    let mut response =
        if page.is_empty() { without_data(&page) } else { with_data(app, &reader, page, request, app.now()) };
    if let Some(cursor) = cursor {
        response.headers_mut().insert(headers::STREAM_CURSOR, cursor_value(cursor));
    }
    Ok(response)
}

/// The first page that holds data or says that none will come; an empty one when time is up.
async fn wait(app: &App, reader: &LiveReader, start: ReadStart) -> Result<Page, Refusal> {
    let timeout = Instant::now() + app.config.long_poll_timeout;
    let mut start = start;
    let mut is_over = false;
    loop {
        let changed = reader.changed();
        let page = reader.page(start)?;
        if is_over || !page.is_empty() || page.closed {
            return Ok(page);
        }
        // `now` means the moment of the request, not of each look.
        start = ReadStart::At(page.start);
        tokio::select! {
            () = changed => {}
            () = sleep_until(timeout) => is_over = true,
            () = app.ending.cancelled() => is_over = true,
        }
    }
}

fn without_data(page: &Page) -> Response {
    let mut response = Response::new(ResponseBody::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    let map = response.headers_mut();
    describe(page, map);
    map.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn cursor_value(cursor: u128) -> HeaderValue {
    HeaderValue::from_str(&cursor.to_string()).expect("decimal digits")
}
