//! A body in small pieces.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame};

use crate::http::{BoxError, ResponseBody};

/// The same bytes, never more than so many of them in a frame, and nobody knows how many in all.
pub(super) struct Pieces {
    body: ResponseBody,
    size: usize,
    rest: Bytes,
}

impl Pieces {
    pub(super) fn new(body: ResponseBody, size: usize) -> Self {
        Self { body, size: size.max(1), rest: Bytes::new() }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        while this.rest.is_empty() {
            match ready!(Pin::new(&mut this.body).poll_frame(context)) {
                Some(Ok(frame)) => this.rest = frame.into_data().unwrap_or_default(),
                end => return Poll::Ready(end),
            }
        }
        let piece = this.rest.split_to(this.size.min(this.rest.len()));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn nothing_is_lost() {
        let whole = vec![Bytes::from_static(b"abcde"), Bytes::from_static(b"f")];
        let mut pieces = Pieces::new(whole.into(), 2);
        assert_eq!(pieces.size_hint().exact(), None);
        let mut seen = Vec::new();
        while let Some(frame) = pieces.frame().await {
            seen.push(frame.unwrap().into_data().unwrap());
        }
        assert_eq!(seen, ["ab", "cd", "e", "f"]);
    }
}
