//! Reading a stream, once or as it grows.

use std::{
    ops::Deref,
    sync::{Arc, atomic::Ordering},
};

use jiff::Timestamp;
use tokio::sync::futures::Notified;

use super::{
    content_type::ContentType,
    error::Refusal,
    offset::ReadStart,
    page::{Collect, Page},
    stream::Stream,
};

/// A read of one stream.
#[derive(Debug)]
pub struct Reader {
    stream: Arc<Stream>,
    page_size: usize,
    deadline: Option<Timestamp>,
}

impl Reader {
    pub(super) fn new(stream: Arc<Stream>, page_size: usize, deadline: Option<Timestamp>) -> Self {
        Self { stream, page_size, deadline }
    }

    /// The type of the stream.
    pub fn content_type(&self) -> &ContentType {
        &self.stream.content_type
    }

    /// When the stream would expire if this read were the last use of it.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.deadline
    }

    /// What the stream holds from `start` on, up to the page size.
    ///
    /// # Errors
    /// The stream was deleted meanwhile, or the offset is none of its own.
    pub fn page(&self, start: ReadStart) -> Result<Page, Refusal> {
        self.stream.page(start, self.page_size, Collect::Content)
    }

    /// The same page without its content.
    ///
    /// # Errors
    /// As of [`Self::page`].
    pub(crate) fn outline(&self, start: ReadStart) -> Result<Page, Refusal> {
        self.stream.page(start, self.page_size, Collect::Extent)
    }

    /// Goes on to follow the stream.
    pub fn follow(self) -> LiveReader {
        self.stream.live_readers.fetch_add(1, Ordering::Relaxed);
        LiveReader(self)
    }
}

/// A reader that waits for what comes. While it lives, idleness does not expire the stream (section 5.1).
#[derive(Debug)]
pub struct LiveReader(Reader);

impl LiveReader {
    /// Completes at the first append, closure or removal after this call. Call it before looking at
    /// the stream, or a change in between is missed.
    pub fn changed(&self) -> Notified<'_> {
        self.0.stream.changed.notified()
    }
}

impl Deref for LiveReader {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.0
    }
}

impl Drop for LiveReader {
    fn drop(&mut self) {
        self.0.stream.live_readers.fetch_sub(1, Ordering::Relaxed);
    }
}
