//! Histories: any sequence of operations on the core, beside a model that is nothing but vectors. Same answers, and what
//! must always hold: offsets grow, bytes never change, closed stays closed, forks share prefixes, references add up.

mod model;
mod script;
mod step;

use jiff::{SignedDuration, Timestamp};
use streamgauge_reference_server::core::{
    append::Append,
    content_type::Format,
    create::Creation,
    error::Refusal,
    fork::ForkRequest,
    headers,
    limits::Limits,
    offset::{Offset, ReadStart},
    page::Page,
    producer::ProducerHeaders,
    sequence::StreamSeq,
    store::Store,
    ttl::Expiry,
};

use self::{
    model::Model,
    script::Script,
    step::{AppendStep, Body, CreateStep, ForkStep, Label, Lifetime, Start, Step},
};

const MOST_STEPS: usize = 128;
const PAGES: [usize; 4] = [1, 7, 64, 1 << 20];

/// How long a producer is remembered, in the seconds that steps can wait.
const RETENTION: u8 = 200;

/// The first byte chooses how large a page is, the rest is a script.
pub fn run(data: &[u8]) {
    let Some((page, script)) = data.split_first() else { return };
    let mut both = Both::new(PAGES[usize::from(*page) % PAGES.len()]);
    for step in Script::new(script).take(MOST_STEPS) {
        both.step(&step);
    }
    both.end();
}

/// The core and the model, at the same time.
struct Both {
    store: Store,
    model: Model,
    start: Timestamp,
    /// Seconds since the start.
    now: u64,
}

impl Both {
    fn new(page: usize) -> Self {
        let limits = Limits {
            page,
            producer_retention: std::time::Duration::from_secs(RETENTION.into()),
            ..Limits::default()
        };
        let start = "2030-01-01T00:00:00Z".parse().expect("a fixed timestamp");
        Self { store: Store::new(limits), model: Model::default(), start, now: 0 }
    }

    fn instant(&self, seconds: u64) -> Timestamp {
        self.start + SignedDuration::from_secs(seconds as i64)
    }

    fn step(&mut self, step: &Step<'_>) {
        let now = self.instant(self.now);
        match step {
            Step::Wait(seconds) => self.now += u64::from(*seconds),
            Step::Create(create) => self.create(create, now),
            Step::Append(append) => self.append(append, now),
            Step::Read(path, from) => self.read(path.0, *from, now),
            Step::Look(path) => {
                let seen = self.store.describe(path.0, now);
                let seen = seen.map(|seen| (seen.content_type, seen.tail.position(), seen.closed));
                assert_eq!(seen, self.model.describe(path.0, self.now), "{step:?}");
            }
            Step::Delete(path) => {
                let deleted = self.store.delete(path.0, now);
                assert_eq!(deleted, self.model.delete(path.0, self.now), "{step:?}");
            }
            Step::Sweep => {
                self.store.sweep(now);
                self.model.sweep(self.now);
                assert_eq!(self.store.memory().used(), self.model.memory(), "memory adds up");
                let mut paths: Vec<String> =
                    self.store.paths(now).iter().map(|path| path.to_string()).collect();
                paths.sort();
                assert_eq!(paths, self.model.paths());
            }
        }
    }

    fn create(&mut self, step: &CreateStep<'_>, now: Timestamp) {
        let content_type = step.content_type.map(step::Type::text);
        let format = self.model.format_for(step);
        let body = step.body.in_format(format);
        let fork = step.fork.as_ref().map(|fork| self.fork_request(fork));
        let lifetime = step.lifetime.map(|lifetime| lifetime.at(self.now));
        let expiry = lifetime.map(|lifetime| self.expiry(lifetime));
        let creation =
            Creation { content_type, expiry, closed: step.closed, fork: fork.clone(), body: &body };
        let created = self.store.create(step.path.0, &creation, now);
        let created = created.map(|made| (made.is_new, made.content_type, made.tail.position(), made.closed));
        let fork = fork.map(|fork| model::ForkAsked {
            source: fork.source.into_string(),
            offset: fork.offset.map(Offset::position),
            sub_offset: fork.sub_offset,
        });
        let asked = model::Asked { content_type, lifetime, closed: step.closed, fork, body: &step.body };
        assert_eq!(created, self.model.create(step.path.0, &asked, self.now), "{step:?}");
    }

    fn fork_request(&self, fork: &ForkStep) -> ForkRequest {
        let tail = self.model.tail(fork.source.0);
        let offset = fork.offset.map(|offset| Offset::at(offset.near(tail)));
        ForkRequest { source: fork.source.0.into(), offset, sub_offset: fork.sub_offset.into() }
    }

    fn expiry(&self, lifetime: Lifetime) -> Expiry {
        let (name, value) = match lifetime {
            Lifetime::Sliding(seconds) => (headers::STREAM_TTL, seconds.to_string()),
            Lifetime::Until(seconds) => (headers::STREAM_EXPIRES_AT, self.instant(seconds).to_string()),
        };
        let mut map = ::http::HeaderMap::with_capacity(1);
        map.insert(name, value.parse().expect("digits"));
        Expiry::parse(&map).expect("a right header").expect("a header")
    }

    fn append(&mut self, step: &AppendStep<'_>, now: Timestamp) {
        let path = step.path.0;
        let content_type = match step.label {
            Label::Right => self.model.content_type_at(path),
            Label::None => None,
            Label::This(given) => Some(given.text()),
        };
        let format = self.model.format_at(path);
        let body = step.body.in_format(format);
        let producer = step.producer.map(|producer| ProducerHeaders {
            id: producer.id.as_bytes().into(),
            epoch: producer.epoch.into(),
            seq: producer.seq.into(),
        });
        let mut append = Append::default();
        append.content_type = content_type;
        append.body = &body;
        append.close = step.close;
        append.seq = step.seq.map(stream_seq);
        append.producer = producer;
        let appended = self.store.append(path, append, now);
        if let Ok(appended) = &appended {
            assert!(appended.tail >= appended.previous_tail, "offsets grow");
        }
        let appended = appended.map(|made| model::Appended {
            outcome: made.outcome,
            previous_tail: made.previous_tail.position(),
            tail: made.tail.position(),
            closed: made.closed,
            producer: made.producer.map(|state| (state.epoch, state.last_seq)),
        });
        assert_eq!(appended, self.model.append(step, content_type, self.now), "{step:?}");
    }

    /// Reads to the tail, page by page.
    fn read(&mut self, path: &str, from: Start, now: Timestamp) {
        let tail = self.model.tail(path);
        let start = match from {
            Start::Beginning => ReadStart::Beginning,
            Start::Now => ReadStart::Now,
            Start::At(offset) => ReadStart::At(Offset::at(offset.near(tail))),
        };
        let position = match start {
            ReadStart::Beginning => 0,
            ReadStart::Now => tail,
            ReadStart::At(offset) => offset.position(),
        };
        let seen = self.store.read(path, now).and_then(|reader| {
            let mut content = Vec::new();
            let mut start = start;
            loop {
                let page = reader.page(start)?;
                assert!(page.at_tail || page.end > page.start, "a page leads on");
                let (end, is_last, closed) = (page.end, page.at_tail, page.is_final());
                content.extend(bytes_of(page));
                start = ReadStart::At(end);
                if is_last {
                    return Ok((content, end.position(), closed));
                }
            }
        });
        assert_eq!(seen, self.model.read(path, position, self.now), "{path} from {from:?}");
    }

    /// Every byte is where it was, and when all is deleted nothing is left.
    fn end(&mut self) {
        let now = self.instant(self.now);
        for path in step::PATHS {
            self.read(path, Start::Beginning, now);
        }
        for path in step::PATHS {
            let deleted = self.store.delete(path, now);
            assert_eq!(deleted, self.model.delete(path, self.now), "{path}");
        }
        self.store.sweep(now);
        assert_eq!(self.store.memory().used(), 0, "nothing is kept for nobody");
        assert!(self.store.paths(now).is_empty());
        for path in step::PATHS {
            assert_eq!(self.store.describe(path, now), Err(Refusal::NotFound), "no path stays blocked");
        }
    }
}

/// The stored form: in JSON mode each message with a comma behind it.
fn bytes_of(page: Page) -> Vec<u8> {
    let (is_json, is_empty) = (page.format == Format::Json, page.is_empty());
    let bytes = page.into_bytes();
    match (is_json, is_empty) {
        (false, _) => bytes.into(),
        (true, true) => {
            assert_eq!(bytes, &b"[]"[..]);
            Vec::new()
        }
        (true, false) => {
            let inner = bytes.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")).expect("an array");
            [inner, b","].concat()
        }
    }
}

fn stream_seq(number: u8) -> StreamSeq {
    let mut map = ::http::HeaderMap::with_capacity(1);
    map.insert(headers::STREAM_SEQ, number.to_string().parse().expect("digits"));
    StreamSeq::parse(&map).expect("one header").expect("a header")
}

impl Body<'_> {
    /// What is sent to a stream of that format.
    fn in_format(&self, format: Format) -> Vec<u8> {
        match format {
            Format::Json if self.is_nothing() => Vec::new(),
            Format::Json => format!("[{}]", self.messages().join(",")).into_bytes(),
            Format::Text | Format::Binary => self.bytes().to_owned(),
        }
    }
}
