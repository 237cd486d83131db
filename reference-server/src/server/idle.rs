//! How long a connection has had no request in progress.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

use crate::http::{BoxError, Response, ResponseBody};

/// Watches one connection. It costs one timer, which is set anew only when it fires: HTTP's own time limit for heads sets
/// one for every request, which a waiting reader that is woken would feel.
#[derive(Clone)]
pub(super) struct Idleness(Arc<Mutex<State>>);

struct State {
    /// More than one where the connection carries requests side by side.
    requests: usize,
    /// Since when there has been none, where there is none.
    since: Instant,
}

impl Idleness {
    /// A connection that has just been opened is idle.
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(State { requests: 0, since: Instant::now() })))
    }

    /// The head of a request has come: idleness is over until the request is.
    pub(super) fn end(&self) -> InProgress {
        self.0.lock().requests += 1;
        InProgress(self.0.clone())
    }

    /// Completes when the connection has been idle for so long. A head that has come in part ends nothing.
    pub(super) async fn lasts(&self, limit: Duration) {
        loop {
            let now = Instant::now();
            let over = {
                let State { requests, since } = *self.0.lock();
                if requests > 0 { now + limit } else { since + limit }
            };
            if over <= now {
                return;
            }
            sleep_until(over).await;
        }
    }
}

/// A request that has not been answered to its end.
pub(super) struct InProgress(Arc<Mutex<State>>);

impl InProgress {
    /// The same response, which holds its request in progress until its body is sent.
    pub(super) fn until_sent(self, response: Response) -> ::http::Response<HeldBody> {
        response.map(|body| HeldBody { body, _request: self })
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.requests -= 1;
        state.since = Instant::now();
    }
}

/// The body of a response, and its request.
pub(super) struct HeldBody {
    body: ResponseBody,
    _request: InProgress,
}

impl Body for HeldBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, timeout};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    async fn lasts_within(idleness: &Idleness, time: u64) -> bool {
        timeout(Duration::from_secs(time), idleness.lasts(LIMIT)).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn it_counts_from_the_end_of_the_last_request() {
        let idleness = Idleness::new();
        assert!(!lasts_within(&idleness, 9).await);
        let (first, second) = (idleness.end(), idleness.end());
        assert!(!lasts_within(&idleness, 30).await, "a request is in progress");
        drop(first);
        assert!(!lasts_within(&idleness, 30).await, "one of two is in progress");
        let response = second.until_sent(Response::new(ResponseBody::from(Bytes::from_static(b"x"))));
        advance(LIMIT * 2).await;
        assert!(!lasts_within(&idleness, 30).await, "the body is not sent");
        drop(response);
        assert!(!lasts_within(&idleness, 9).await);
        assert!(lasts_within(&idleness, 2).await);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_noticed_when_it_is_reached_and_not_later() {
        let idleness = Idleness::new();
        let request = idleness.end();
        let began = Instant::now();
        let watched = idleness.clone();
        let watch = tokio::spawn(async move { watched.lasts(LIMIT).await });
        tokio::time::sleep(Duration::from_secs(3)).await;
        drop(request);
        watch.await.unwrap();
        assert_eq!(began.elapsed(), Duration::from_secs(13));
    }
}
