//! A read that goes on, page after page, up to the tail: a server may cut what it returns wherever it likes.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{
    case::Context,
    request::encode_query,
    stage::{Answer, Halt, SendFailure, Stage},
};
use crate::{
    check::Seen,
    wire::{Request, Target},
};

/// More pages than this are no honest way to return what a case has written.
const MOST_PAGES: usize = 1000;

/// The same, once a target has led on a read without end.
const PAGES_AFTER_THAT: usize = 50;

/// For how long pages are followed.
const LONGEST: Duration = Duration::from_secs(12);

/// Counts the pages of one read, so that no target leads it on for ever.
pub(crate) struct Leafing {
    pages: usize,
    until: Instant,
}

impl Leafing {
    pub(crate) fn begin() -> Self {
        Self { pages: 0, until: Instant::now() + LONGEST }
    }

    /// Another page was read, and leads on to the next.
    pub(crate) fn turn(&mut self, stage: &Stage) -> Result<(), Halt> {
        self.pages += 1;
        let leads_on = &stage.world.leads_on;
        let most = if leads_on.load(Ordering::Relaxed) { PAGES_AFTER_THAT } else { MOST_PAGES };
        if self.pages < most && Instant::now() < self.until {
            return Ok(());
        }
        leads_on.store(true, Ordering::Relaxed);
        let pages = self.pages;
        Err(Halt::Errored(format!(
            "the tail was not reached within {pages} pages; each leads on to another one"
        )))
    }
}

impl Context<'_> {
    /// Sends a read, and further ones from each `Stream-Next-Offset`, until a page says that it reaches the tail,
    /// leads nowhere new, or is no 200. The answer is the last page's, with the body of all.
    pub(super) async fn read_to_tail(&self, first: Request) -> Result<Result<Answer, SendFailure>, Halt> {
        let limit = self.stage.world.options.request_limit;
        let mut leafing = Leafing::begin();
        let mut answer = match self.stage.send(first.clone(), limit).await {
            Ok(answer) => answer,
            Err(failure) => return Ok(Err(failure)),
        };
        let mut asked = None;
        let mut bodies = vec![answer.seen.body.clone()];
        while let Some(next) = next_page(&answer.seen, asked.as_deref()) {
            leafing.turn(self.stage)?;
            let request = Request { target: from_offset(&first.target, &next), ..first.clone() };
            let mut page = match self.stage.send(request, limit).await {
                Ok(page) => page,
                Err(failure) => return Ok(Err(failure)),
            };
            bodies.push(page.seen.body.clone());
            page.seen.elapsed += answer.seen.elapsed;
            page.seen.url = answer.seen.url.take();
            answer = page;
            asked = Some(next);
        }
        if answer.seen.status == 200 {
            answer.seen.body = joined(&answer.seen, bodies);
        }
        Ok(Ok(answer))
    }
}

/// Where the next page begins, if there is one.
fn next_page(seen: &Seen, asked: Option<&str>) -> Option<String> {
    let at_tail = seen.headers.text("Stream-Up-To-Date").is_some_and(|value| value == "true");
    if seen.status != 200 || at_tail || !seen.ending.is_clean() {
        return None;
    }
    seen.headers.text("Stream-Next-Offset").filter(|next| Some(next.as_str()) != asked)
}

/// The same request target with another `offset`.
fn from_offset(target: &Target, offset: &str) -> Target {
    let (path, query) = target.path_and_query.split_once('?').unwrap_or((&target.path_and_query, ""));
    let mut parameters: Vec<String> = query
        .split('&')
        .filter(|parameter| !parameter.is_empty() && !parameter.starts_with("offset="))
        .map(str::to_owned)
        .collect();
    parameters.push(format!("offset={}", encode_query(offset)));
    target.with_path_and_query(format!("{path}?{}", parameters.join("&")))
}

/// All pages in one: bytes after one another, the arrays of a JSON stream as one array.
fn joined(last: &Seen, bodies: Vec<Bytes>) -> Bytes {
    if bodies.len() == 1 {
        return bodies.concat().into();
    }
    let items: Option<Vec<&[u8]>> = bodies.iter().map(|body| items_of(body)).collect();
    match items {
        Some(pages) if last.is_json() => {
            let pages: Vec<&[u8]> = pages.into_iter().filter(|items| !items.is_empty()).collect();
            [b"[", pages.join(&b","[..]).as_slice(), b"]"].concat().into()
        }
        _ => bodies.concat().into(),
    }
}

/// What stands between the brackets of an array.
fn items_of(body: &[u8]) -> Option<&[u8]> {
    let items = body.trim_ascii().strip_prefix(b"[")?.strip_suffix(b"]")?;
    Some(items.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Ending, Headers};

    fn page(status: u16, headers: Headers) -> Seen {
        Seen {
            status,
            headers,
            body: Bytes::new(),
            ending: Ending::Clean,
            elapsed: Duration::ZERO,
            url: None,
        }
    }

    #[test]
    fn pages_follow_one_another_until_the_tail() {
        let more = page(200, Headers::from([("Stream-Next-Offset", "7")]));
        assert_eq!(next_page(&more, None).as_deref(), Some("7"));
        assert_eq!(next_page(&more, Some("3")).as_deref(), Some("7"));
        assert_eq!(next_page(&more, Some("7")), None, "a page that leads nowhere new");
        let last = Headers::from([("Stream-Next-Offset", "7"), ("Stream-Up-To-Date", "true")]);
        assert_eq!(next_page(&page(200, last), None), None);
        let refused = page(404, Headers::from([("Stream-Next-Offset", "7")]));
        assert_eq!(next_page(&refused, None), None);
        assert_eq!(next_page(&page(200, Headers::default()), None), None);
    }

    #[test]
    fn the_offset_is_replaced_and_the_rest_is_kept() {
        let target = Target::parse("http://h/a?offset=-1&x=1").unwrap();
        assert_eq!(from_offset(&target, "a=b").path_and_query, "/a?x=1&offset=a%3Db");
        let bare = Target::parse("http://h/a").unwrap();
        assert_eq!(from_offset(&bare, "7").path_and_query, "/a?offset=7");
    }

    #[test]
    fn arrays_become_one_array_and_bytes_one_text() {
        let json = page(200, Headers::from([("Content-Type", "application/json; charset=utf-8")]));
        let text = page(200, Headers::from([("Content-Type", "text/plain")]));
        let pages = || vec![Bytes::from("[1,2]"), Bytes::from(" [] "), Bytes::from("[[3]]\n")];
        assert_eq!(joined(&json, pages()), "[1,2,[3]]");
        assert_eq!(joined(&text, pages()), "[1,2] [] [[3]]\n");
        assert_eq!(joined(&json, vec!["[1]".into(), "no array".into()]), "[1]no array");
    }
}
