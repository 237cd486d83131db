//! `live=long-poll`: wait for the next thing that happens (section 5.7).

use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::time::{Instant, sleep, sleep_until};

use super::{
    App, Response, ResponseBody,
    read::{describe, next_cursor, with_data},
};
use crate::core::{
    error::Refusal, headers, offset::ReadStart, page::Page, read_query::ReadQuery, reader::LiveReader,
};
use crate::sabotage::Switch;

/// How long a faulty server waits where it should not, or where it should wait longer.
const A_MOMENT: Duration = Duration::from_millis(60);

pub(super) async fn answer(
    app: &App,
    reader: LiveReader,
    query: &ReadQuery,
    request: &HeaderMap,
) -> Result<Response, Refusal> {
    let page = wait(app, &reader, query.start).await?;
    let cursor = (!page.is_final()).then(|| next_cursor(app, query.cursor.as_deref()));
    let mut response = if page.is_empty() && !answers_empty_start(app, query, &page) {
        without_data(app, &page)
    } else {
        with_data(app, &reader, page, request, app.now())
    };
    if let Some(cursor) = cursor {
        response.headers_mut().insert(headers::STREAM_CURSOR, cursor_value(cursor));
    }
    Ok(response)
}

/// The first page that holds data or says that none will come; an empty one when time is up.
async fn wait(app: &App, reader: &LiveReader, start: ReadStart) -> Result<Page, Refusal> {
    let switches = app.store.switches;
    let hurries = switches.on(Switch::LongPollHurries);
    let timeout = Instant::now() + if hurries { A_MOMENT } else { app.config.long_poll_timeout };
    let is_start = start == ReadStart::Beginning && switches.on(Switch::EmptyStartAnswered);
    let mut start = start;
    let mut is_over = is_start;
    let mut waited = false;
    loop {
        let mut changed = reader.changed();
        let mut page = reader.page(start)?;
        if is_over || !page.is_empty() || page.closed {
            if waited && page.closed && switches.on(Switch::ClosureOvertakesData) {
                page = reader.page(ReadStart::Now)?;
            }
            return Ok(page);
        }
        waited = true;
        // `now` means the moment of the request, not of each look.
        if !switches.on(Switch::NowReadAgain) {
            start = ReadStart::At(page.start);
        }
        if switches.on(Switch::WakeupLost) {
            sleep(A_MOMENT).await;
            changed = reader.changed();
        }
        tokio::select! {
            () = changed => {}
            () = app.store.stranger() => is_over = true,
            () = sleep_until(timeout) => {
                is_over = true;
                if switches.on(Switch::TimeoutSkipsData) {
                    sleep(A_MOMENT).await;
                    start = ReadStart::Now;
                }
            }
            () = app.ending.cancelled() => is_over = true,
        }
    }
}

/// Whether the start of an empty stream is answered like a read that does not wait.
fn answers_empty_start(app: &App, query: &ReadQuery, page: &Page) -> bool {
    app.store.switches.on(Switch::EmptyStartAnswered) && query.start == ReadStart::Beginning && page.at_tail
}

fn without_data(app: &App, page: &Page) -> Response {
    let mut response = Response::new(ResponseBody::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    let map = response.headers_mut();
    describe(page, map, &app.store);
    map.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn cursor_value(cursor: u128) -> HeaderValue {
    HeaderValue::from_str(&cursor.to_string()).expect("decimal digits")
}
