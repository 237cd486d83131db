//! Taking in the body of a request, within its limits.

use std::{future::Future, pin::pin, time::Duration};

use bytes::Bytes;
use http_body::Body;
use http_body_util::BodyExt;
use tokio::time::timeout;

use super::BoxError;
use crate::{
    config::Config,
    core::{
        error::Refusal,
        limits::{MemoryBudget, Reservation},
    },
};

/// A whole body; its bytes are counted against the memory limit as long as this lives.
pub(super) struct Collected {
    pub(super) bytes: Bytes,
    _counted: Option<Reservation>,
}

/// Reads the body to its end.
///
/// # Errors
/// It is too large, pauses for too long, does not fit into memory, or breaks off.
pub(super) async fn collect<B>(body: B, config: &Config, memory: &MemoryBudget) -> Result<Collected, Refusal>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let limit = config.max_body;
    let too_large = Refusal::BodyTooLarge { limit };
    let mut body = pin!(body);
    let announced = body.size_hint().lower();
    if announced > limit as u64 {
        discard(body.as_mut(), limit).await;
        return Err(too_large);
    }
    let Some(first) = next_data(&mut body, config.body_timeout).await? else {
        return Ok(Collected::of(Bytes::new()));
    };
    if body.is_end_stream() && first.len() <= limit {
        return Ok(Collected::of(first));
    }
    let mut counted = memory.reserve(0)?;
    // Not more than the limit, and untouched until it is filled.
    let mut bytes = Vec::with_capacity(announced as usize);
    let mut next = Some(first);
    while let Some(data) = next {
        if bytes.len() + data.len() > limit {
            discard(body.as_mut(), limit).await;
            return Err(too_large);
        }
        counted.grow(data.len() as u64)?;
        bytes.extend_from_slice(&data);
        next = next_data(&mut body, config.body_timeout).await?;
    }
    Ok(Collected { bytes: bytes.into(), _counted: Some(counted) })
}

impl Collected {
    fn of(bytes: Bytes) -> Self {
        Self { bytes, _counted: None }
    }
}

async fn next_data<B>(body: &mut B, patience: Duration) -> Result<Option<Bytes>, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    loop {
        let frame = match within(patience, body.frame()).await? {
            None => return Ok(None),
            // The connection is gone; nobody will read the answer.
            Some(Err(_)) => return Err(Refusal::BodyTimedOut),
            Some(Ok(frame)) => frame,
        };
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
}

async fn within<F: Future>(patience: Duration, future: F) -> Result<F::Output, Refusal> {
    timeout(patience, future).await.map_err(|_| Refusal::BodyTimedOut)
}

/// Most clients read the answer only after they have sent everything. Some more is taken and thrown
/// away, so that a 413 is seen rather than a connection reset.
async fn discard<B>(mut body: std::pin::Pin<&mut B>, at_most: usize)
where
    B: Body<Data = Bytes>,
{
    const PATIENCE: Duration = Duration::from_secs(2);
    let mut discarded = 0;
    let drain = async {
        while let Some(Ok(frame)) = body.frame().await {
            discarded += frame.data_ref().map_or(0, Bytes::len);
            if discarded > at_most {
                break;
            }
        }
    };
    // Whether it came to the end makes no difference to the answer.
    let _ = timeout(PATIENCE, drain).await;
}
