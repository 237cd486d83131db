//! A read that goes on, page after page: a server may cut what it returns wherever it likes.

use serde_json::value::RawValue;

use super::{
    proof::Proof,
    stream::{Mode, Stream},
};
use crate::run::{Answer, Halt, Leafing};

/// So many pages in a row without content, short of the tail, lead nowhere.
const MOST_EMPTY_PAGES: usize = 50;

/// The pages of one read, up to the tail of that time.
pub(super) struct Pages {
    pub(super) all: Vec<Page>,
    /// Why the last page is not at the tail, if it is not.
    pub(super) stuck: Option<&'static str>,
}

/// One page.
pub(super) struct Page {
    pub(super) answer: Answer,
}

impl Pages {
    /// Reads on from each Stream-Next-Offset until a page says that it reaches the tail, or leads nowhere new.
    pub(super) async fn read(
        stream: &Stream<'_>,
        offset: &str,
        mode: Mode,
        proof: Option<Proof<'_>>,
    ) -> Result<Self, Halt> {
        let mut all: Vec<Page> = Vec::new();
        let mut from = offset.to_owned();
        let mut empty = 0;
        let mut leafing = Leafing::begin();
        loop {
            let answer = stream.page(&from, mode, proof).await?;
            let next = answer.next_offset("read.next-offset")?;
            let at_tail = answer.says("Stream-Up-To-Date") || answer.seen.status == 204;
            let is_empty = answer.body().len() <= if stream.is_json() { "[]".len() } else { 0 };
            empty = if is_empty { empty + 1 } else { 0 };
            let leads_nowhere = next == from;
            all.push(Page { answer });
            let stuck = match (at_tail, leads_nowhere) {
                (true, _) => None,
                // A tail that does not say so is the business of another rule.
                (false, true) if is_empty => None,
                (false, true) => Some("Stream-Next-Offset is the offset that was asked for"),
                _ if empty == MOST_EMPTY_PAGES => Some("page after page is empty and short of the tail"),
                _ => {
                    leafing.turn(stream.stage)?;
                    from = next;
                    continue;
                }
            };
            return Ok(Self { all, stuck });
        }
    }

    /// The bytes of all pages.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.all.iter().flat_map(|page| page.answer.body().iter().copied()).collect()
    }

    /// The messages of all pages; the case goes no further where a page is no array.
    pub(super) fn messages(&self) -> Result<Vec<Box<RawValue>>, NoArray> {
        let mut messages = Vec::new();
        for page in &self.all {
            messages.extend(page.messages()?);
        }
        Ok(messages)
    }

    /// The exchange of the last page.
    pub(super) fn last(&self) -> Option<usize> {
        self.all.last().map(|page| page.answer.exchange)
    }

    /// Where the last page ends.
    pub(super) fn end(&self) -> Option<String> {
        self.all.last().and_then(|page| page.answer.header("Stream-Next-Offset"))
    }
}

impl Page {
    pub(super) fn messages(&self) -> Result<Vec<Box<RawValue>>, NoArray> {
        serde_json::from_slice(self.answer.body())
            .map_err(|error| NoArray { why: error.to_string(), shown_by: self.answer.exchange })
    }
}

/// A page of a JSON stream that is not one array.
#[derive(Debug)]
pub(super) struct NoArray {
    pub(super) why: String,
    pub(super) shown_by: usize,
}
