//! `live=sse`: everything from an offset on, as it comes (section 5.8).

use std::sync::Arc;

use ::http::{HeaderValue, header};
use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::time::{Instant, sleep_until};

use super::{
    App, Response, ResponseBody,
    read::{describe, next_cursor},
    sse_writer::{self, Control},
};
use crate::core::{
    content_type::Format, error::Refusal, headers, offset::ReadStart, page::Page, read_query::ReadQuery,
    reader::LiveReader,
};
use crate::sabotage::{Switch, Switches};

pub(super) fn answer(app: &Arc<App>, reader: LiveReader, query: ReadQuery) -> Result<Response, Refusal> {
    // Looked at before anything is sent: a bad offset is an HTTP error, not an event.
    let first = reader.page(query.start)?;
    let format = format_of(&reader, first.format, app.store.switches);
    let mut response = Response::new(ResponseBody::Empty);
    let map = response.headers_mut();
    if first.is_empty() && first.closed {
        describe(&first, map, &app.store);
    }
    map.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    map.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if format == Format::Binary {
        map.insert(headers::STREAM_SSE_DATA_ENCODING, HeaderValue::from_static("base64"));
    }
    let session = Session::new(app.clone(), reader, format, first.start, query.cursor.as_deref());
    let events = stream::unfold(session, |mut session| async {
        let event = session.next().await?;
        Some((Ok(Frame::data(event)), session))
    });
    *response.body_mut() = ResponseBody::streamed(StreamBody::new(events));
    Ok(response)
}

/// One connection. It holds a position and no data: a slow reader is served from the store when it
/// is ready for more, and costs nothing until then.
struct Session {
    app: Arc<App>,
    reader: LiveReader,
    format: Format,
    at: ReadStart,
    cursor: u128,
    client_cursor: Option<String>,
    end_of_life: Instant,
    has_spoken: bool,
    is_over: bool,
}

impl Session {
    fn new(
        app: Arc<App>,
        reader: LiveReader,
        format: Format,
        start: crate::core::offset::Offset,
        client_cursor: Option<&str>,
    ) -> Self {
        Self {
            cursor: next_cursor(&app, client_cursor),
            client_cursor: client_cursor.map(str::to_owned),
            end_of_life: Instant::now() + app.config.sse_lifetime,
            app,
            reader,
            format,
            at: ReadStart::At(start),
            has_spoken: false,
            is_over: false,
        }
    }

    /// The next bytes to send; `None` at the end of the connection.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.is_over {
                return None;
            }
            let changed = self.reader.changed();
            // A stream that is gone has no more to say.
            let page = self.reader.page(self.at).ok()?;
            if !page.is_empty() || page.closed || !self.has_spoken {
                drop(changed);
                return Some(self.tell(page));
            }
            let keep_alive = Instant::now() + self.app.config.sse_keep_alive;
            tokio::select! {
                () = changed => {}
                () = sleep_until(self.end_of_life) => return None,
                () = self.app.ending.cancelled() => return None,
                () = sleep_until(keep_alive) => return Some(Bytes::from_static(sse_writer::KEEP_ALIVE)),
            }
        }
    }

    /// The events for a page: data if there is any, and where that leads.
    fn tell(&mut self, page: Page) -> Bytes {
        self.has_spoken = true;
        self.at = ReadStart::At(page.end);
        self.is_over = page.is_final() || self.time_is_up();
        let control = Control {
            stream_next_offset: self.app.store.offsets.write(page.end),
            stream_cursor: (!page.is_final()).then(|| self.advance_cursor().to_string()),
            up_to_date: page.at_tail,
            stream_closed: page.is_final(),
        };
        let mut events = Vec::new();
        if !page.is_empty() {
            write_data(&mut events, page, self.format, self.app.store.switches);
        }
        sse_writer::write_control(&mut events, &control);
        events.into()
    }

    /// Cursors of one connection never go back, even when the first was ahead of time.
    fn advance_cursor(&mut self) -> u128 {
        if self.app.store.switches.on(Switch::CursorRolledAnew) {
            return next_cursor(&self.app, self.client_cursor.as_deref());
        }
        self.cursor = self.cursor.max(next_cursor(&self.app, None));
        self.cursor
    }

    fn time_is_up(&self) -> bool {
        Instant::now() >= self.end_of_life || self.app.ending.is_cancelled()
    }
}

/// How the data is carried.
fn format_of(reader: &LiveReader, format: Format, switches: Switches) -> Format {
    let name = reader.content_type().as_str();
    let looks_textual = || name.contains("json") || name.contains("xml");
    match format {
        Format::Binary if switches.on(Switch::SseTextBySubstring) && looks_textual() => Format::Text,
        format => format,
    }
}

fn write_data(events: &mut Vec<u8>, page: Page, format: Format, switches: Switches) {
    match format {
        Format::Json | Format::Text => sse_writer::write_text(events, &page.into_bytes(), switches),
        Format::Binary => sse_writer::write_binary(events, &page.into_bytes()),
    }
}
