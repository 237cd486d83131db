//! The core as a whole, in virtual time.

mod closing;
mod expiring;
mod forking;
mod limiting;
mod linearizing;
mod model;
mod racing;
mod watching;
mod writing;

use jiff::{SignedDuration, Timestamp};

use super::{
    append::{Append, Appended},
    create::{Created, Creation},
    error::Refusal,
    fork::ForkRequest,
    limits::Limits,
    offset::{Offset, ReadStart},
    producer::ProducerHeaders,
    store::Store,
    ttl::Expiry,
};

/// A store and a clock that moves when it is told to.
struct Lab {
    store: Store,
    now: Timestamp,
}

impl Lab {
    fn new() -> Self {
        Self::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        Self { store: Store::new(limits), now: "2030-01-01T00:00:00Z".parse().unwrap() }
    }

    fn wait(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    fn create(&self, path: &str, request: &Creation<'_>) -> Result<Created, Refusal> {
        self.store.create(path, request, self.now)
    }

    fn text(&self, path: &str, body: &str) -> Offset {
        let request =
            Creation { content_type: Some("text/plain"), body: body.as_bytes(), ..Creation::default() };
        self.create(path, &request).unwrap().tail
    }

    fn append(&self, path: &str, request: Append<'_>) -> Result<Appended, Refusal> {
        self.store.append(path, request, self.now)
    }

    fn add(&self, path: &str, body: &str) -> Offset {
        self.append(path, text(body)).unwrap().tail
    }

    fn close(&self, path: &str) -> Result<Appended, Refusal> {
        self.append(path, Append { close: true, ..Append::default() })
    }

    fn read(&self, path: &str, start: ReadStart) -> Result<String, Refusal> {
        let page = self.store.read(path, self.now)?.page(start)?;
        Ok(String::from_utf8(page.into_bytes().into()).unwrap())
    }

    fn content(&self, path: &str) -> String {
        self.read(path, ReadStart::Beginning).unwrap()
    }

    fn delete(&self, path: &str) -> Result<(), Refusal> {
        self.store.delete(path, self.now)
    }

    /// `Ok` while the stream lives; looking does not keep it alive.
    fn look(&self, path: &str) -> Result<(), Refusal> {
        self.store.describe(path, self.now).map(drop)
    }

    fn used(&self) -> u64 {
        self.store.memory().used()
    }
}

fn text(body: &str) -> Append<'_> {
    Append { content_type: Some("text/plain"), body: body.as_bytes(), ..Append::default() }
}

fn producer(id: &str, epoch: u64, seq: u64) -> Option<ProducerHeaders> {
    Some(ProducerHeaders { id: id.as_bytes().into(), epoch, seq })
}

fn fork(source: &str, offset: Option<Offset>, sub_offset: u64) -> Creation<'static> {
    let fork = ForkRequest { source: source.into(), offset, sub_offset };
    Creation { fork: Some(fork), ..Creation::default() }
}

fn ttl(seconds: &str) -> Option<Expiry> {
    header_expiry(super::headers::STREAM_TTL, seconds)
}

fn expires_at(instant: Timestamp) -> Option<Expiry> {
    header_expiry(super::headers::STREAM_EXPIRES_AT, &instant.to_string())
}

fn header_expiry(name: ::http::HeaderName, value: &str) -> Option<Expiry> {
    let mut headers = ::http::HeaderMap::new();
    headers.insert(name, value.parse().unwrap());
    Expiry::parse(&headers).unwrap()
}
