//! A body on which something happens halfway.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt as _, StreamBody};
use tokio::time::sleep;

use crate::http::{BoxError, ResponseBody};

/// Where it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Point {
    Bytes(usize),
    /// Behind that many events.
    Events(usize),
    /// Inside the event behind that many.
    InsideEvent(usize),
}

/// What happens there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Break,
    End,
    Pause(Duration),
}

/// What is written before a connection breaks has to be on its way by then.
const ON_ITS_WAY: Duration = Duration::from_millis(30);

/// The body, until `act` happens at `point`.
pub(super) fn struck(body: ResponseBody, point: Point, act: Act) -> ResponseBody {
    let passage = Passage { body, point: Some(point), act, events: 0, bytes: 0, rest: None };
    ResponseBody::streamed(StreamBody::new(stream::unfold(Some(passage), |passage| async {
        let mut passage = passage?;
        match passage.next().await {
            Some(Ok(bytes)) => Some((Ok(Frame::data(bytes)), Some(passage))),
            Some(Err(error)) => Some((Err(error), None)),
            None => None,
        }
    })))
}

/// The middle of a body; of one whose length nobody knows, behind its first bytes.
pub(super) fn middle(body: &ResponseBody) -> usize {
    const FIRST_BYTES: usize = 16;
    body.size_hint().exact().map_or(FIRST_BYTES, |length| (length / 2) as usize)
}

struct Passage {
    body: ResponseBody,
    /// Where it is to happen, until it has.
    point: Option<Point>,
    act: Act,
    events: usize,
    bytes: usize,
    /// What lay behind the point.
    rest: Option<Bytes>,
}

impl Passage {
    async fn next(&mut self) -> Option<Result<Bytes, BoxError>> {
        if let Some(rest) = self.rest.take() {
            match self.act {
                Act::Break => {
                    sleep(ON_ITS_WAY).await;
                    return Some(Err("broken off on purpose".into()));
                }
                Act::End => return None,
                Act::Pause(time) => sleep(time).await,
            }
            if !rest.is_empty() {
                return Some(Ok(rest));
            }
        }
        let frame = match self.body.frame().await? {
            Ok(frame) => frame,
            Err(error) => return Some(Err(error)),
        };
        let mut bytes = frame.into_data().unwrap_or_default();
        if let Some(at) = self.place_in(&bytes) {
            self.point = None;
            self.rest = Some(bytes.split_off(at));
        }
        Some(Ok(bytes))
    }

    /// Where in these bytes the point lies, if it does.
    fn place_in(&mut self, bytes: &[u8]) -> Option<usize> {
        match self.point? {
            Point::Bytes(count) => {
                let at = count.saturating_sub(self.bytes);
                self.bytes += bytes.len();
                (at <= bytes.len()).then_some(at)
            }
            Point::Events(count) => {
                self.events_in(bytes).find_map(|(end, number)| (number == count).then_some(end))
            }
            Point::InsideEvent(count) => {
                let mut begin = 0;
                let mut inside = None;
                for (end, number) in self.events_in(bytes) {
                    if number == count + 1 && inside.is_none() {
                        inside = Some(begin + (end - begin) / 2);
                    }
                    begin = end;
                }
                inside
            }
        }
    }

    /// The ends of the events in these bytes, with their numbers in the stream; comments are none. The server
    /// writes events whole.
    fn events_in(&mut self, bytes: &[u8]) -> impl Iterator<Item = (usize, usize)> + use<> {
        let mut ends = Vec::new();
        let mut begin = 0;
        while let Some(length) = bytes[begin..].windows(2).position(|pair| pair == b"\n\n") {
            let end = begin + length + 2;
            if bytes[begin] != b':' {
                self.events += 1;
                ends.push((end, self.events));
            }
            begin = end;
        }
        ends.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn seen(pieces: &[&'static str], point: Point, act: Act) -> (String, bool) {
        let pieces: Vec<Bytes> = pieces.iter().map(|piece| Bytes::from_static(piece.as_bytes())).collect();
        let mut body = struck(pieces.into(), point, act);
        let mut text = String::new();
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap()),
                Err(_) => return (text, false),
            }
        }
        (text, true)
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_breaks_off_where_it_should() {
        assert_eq!(seen(&["abc", "def"], Point::Bytes(4), Act::Break).await, ("abcd".into(), false));
        assert_eq!(seen(&["abc"], Point::Bytes(0), Act::Break).await, (String::new(), false));
        assert_eq!(seen(&["abc"], Point::Bytes(9), Act::Break).await, ("abc".into(), true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_loses_nothing() {
        let began = tokio::time::Instant::now();
        let pause = Act::Pause(Duration::from_secs(3));
        assert_eq!(seen(&["abc", "def"], Point::Bytes(2), pause).await, ("abcdef".into(), true));
        assert_eq!(began.elapsed().as_secs(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn events_are_counted_and_comments_are_not() {
        let events = ["a:1\n\nb:2\n\n", ":\n\n", "a:3\n\nb:4\n\n"];
        let two = "a:1\n\nb:2\n\n".to_owned();
        assert_eq!(seen(&events, Point::Events(2), Act::End).await, (two.clone(), true));
        assert_eq!(seen(&events, Point::InsideEvent(2), Act::Break).await, (two + ":\n\na:", false));
    }
}
