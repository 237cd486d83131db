//! Small histories of threads that race for one name: there is an order of the calls, each at some moment between its
//! beginning and its end, that explains every answer.

use std::{collections::BTreeMap, sync::Mutex, thread};

use rand::{Rng, SeedableRng, rngs::StdRng};
use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};

use super::*;

const THREADS: usize = 3;
const CALLS: usize = 4;
const HISTORIES: u64 = 1500;

#[derive(Clone, Debug)]
enum Call {
    Create,
    Append(u8),
    Close,
    Read(Name),
    Delete(Name),
    Fork,
}

/// All race for the source; a fork of it may hold it back from being removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Source,
    Fork,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    Done,
    Existed,
    Content(String, bool),
    NotFound,
    Gone,
    Blocked,
    Differs,
    Closed,
}

/// What the protocol says of two names, as plain as can be.
#[derive(Clone, Debug, Default)]
struct Model {
    streams: BTreeMap<Name, Plain>,
}

#[derive(Clone, Debug, Default)]
struct Plain {
    content: String,
    closed: bool,
    soft_deleted: bool,
}

impl SequentialSpec for Model {
    type Op = Call;
    type Ret = Answer;

    fn invoke(&mut self, call: &Call) -> Answer {
        match call {
            Call::Create => match self.streams.get(&Name::Source) {
                None => {
                    self.streams.insert(Name::Source, Plain::default());
                    Answer::Done
                }
                Some(stream) if stream.soft_deleted => Answer::Blocked,
                Some(stream) if stream.closed => Answer::Differs,
                Some(_) => Answer::Existed,
            },
            Call::Append(byte) => self.with(Name::Source, |stream| match stream.closed {
                true => Answer::Closed,
                false => {
                    stream.content.push(char::from(*byte));
                    Answer::Done
                }
            }),
            Call::Close => self.with(Name::Source, |stream| {
                stream.closed = true;
                Answer::Done
            }),
            Call::Read(name) => {
                self.with(*name, |stream| Answer::Content(stream.content.clone(), stream.closed))
            }
            Call::Delete(name) => self.delete(*name),
            Call::Fork => self.fork(),
        }
    }
}

impl Model {
    fn with(&mut self, name: Name, then: impl FnOnce(&mut Plain) -> Answer) -> Answer {
        match self.streams.get_mut(&name) {
            None => Answer::NotFound,
            Some(stream) if stream.soft_deleted => Answer::Gone,
            Some(stream) => then(stream),
        }
    }

    fn delete(&mut self, name: Name) -> Answer {
        let has_fork = name == Name::Source && self.streams.contains_key(&Name::Fork);
        let answer = self.with(name, |stream| {
            stream.soft_deleted = has_fork;
            Answer::Done
        });
        if answer == Answer::Done && !has_fork {
            self.streams.remove(&name);
            let source_waits = self.streams.get(&Name::Source).is_some_and(|source| source.soft_deleted);
            if name == Name::Fork && source_waits {
                self.streams.remove(&Name::Source);
            }
        }
        answer
    }

    /// A fork that exists is one of this source: no history that forks makes the source anew.
    fn fork(&mut self) -> Answer {
        if self.streams.contains_key(&Name::Fork) {
            return Answer::Existed;
        }
        match self.streams.get(&Name::Source) {
            None => Answer::NotFound,
            Some(source) if source.soft_deleted => Answer::Gone,
            Some(source) => {
                let content = source.content.clone();
                self.streams.insert(Name::Fork, Plain { content, ..Plain::default() });
                Answer::Done
            }
        }
    }
}

fn carry_out(lab: &Lab, call: &Call) -> Answer {
    let outcome = match call {
        Call::Create => {
            let request = Creation { content_type: Some("text/plain"), ..Creation::default() };
            lab.create("source", &request).map(|created| created.is_new)
        }
        Call::Append(byte) => lab.append("source", text(&char::from(*byte).to_string())).map(|_| true),
        Call::Close => lab.close("source").map(|_| true),
        Call::Delete(name) => lab.delete(path(*name)).map(|()| true),
        Call::Fork => lab.create("fork", &fork("source", None, 0)).map(|created| created.is_new),
        Call::Read(name) => {
            let page =
                lab.store.read(path(*name), lab.now).and_then(|reader| reader.page(ReadStart::Beginning));
            return match page {
                Ok(page) => {
                    let closed = page.closed;
                    Answer::Content(String::from_utf8(page.into_bytes().into()).unwrap(), closed)
                }
                Err(refusal) => refused(&refusal),
            };
        }
    };
    match outcome {
        Ok(true) => Answer::Done,
        Ok(false) => Answer::Existed,
        Err(refusal) => refused(&refusal),
    }
}

fn refused(refusal: &Refusal) -> Answer {
    match refusal {
        Refusal::NotFound | Refusal::SourceNotFound => Answer::NotFound,
        Refusal::Gone | Refusal::SourceGone => Answer::Gone,
        Refusal::PathBlocked => Answer::Blocked,
        Refusal::ConfigurationDiffers => Answer::Differs,
        Refusal::Closed { .. } => Answer::Closed,
        other => panic!("{other}"),
    }
}

fn path(name: Name) -> &'static str {
    match name {
        Name::Source => "source",
        Name::Fork => "fork",
    }
}

#[test]
fn calls_on_one_name_have_an_order() {
    let calls = |random: &mut StdRng| match random.random_range(0..8) {
        0 | 1 => Call::Create,
        2 | 3 => Call::Append(random.random_range(b'a'..=b'z')),
        4 => Call::Close,
        5 => Call::Delete(Name::Source),
        _ => Call::Read(Name::Source),
    };
    explore(calls);
}

#[test]
fn forks_and_deletions_of_their_source_have_an_order() {
    let calls = |random: &mut StdRng| match random.random_range(0..9) {
        0 | 1 => Call::Fork,
        2 => Call::Append(random.random_range(b'a'..=b'z')),
        3 => Call::Delete(Name::Source),
        4 | 5 => Call::Delete(Name::Fork),
        6 => Call::Read(Name::Source),
        _ => Call::Read(Name::Fork),
    };
    explore(calls);
}

/// Runs many histories, each from a source that exists, and holds each against the model.
fn explore(calls: impl Fn(&mut StdRng) -> Call + Copy + Send + Sync) {
    for seed in 0..HISTORIES {
        let lab = Lab::new();
        lab.text("source", "");
        let start = Model { streams: BTreeMap::from([(Name::Source, Plain::default())]) };
        let tester = Mutex::new(LinearizabilityTester::new(start));
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (lab, tester) = (&lab, &tester);
                scope.spawn(move || {
                    let mut random = StdRng::seed_from_u64(seed * 10 + thread as u64);
                    for _ in 0..CALLS {
                        let call = calls(&mut random);
                        tester.lock().unwrap().on_invoke(thread, call.clone()).unwrap();
                        let answer = carry_out(lab, &call);
                        tester.lock().unwrap().on_return(thread, answer).unwrap();
                    }
                });
            }
        });
        let tester = tester.into_inner().unwrap();
        assert!(tester.is_consistent(), "no order explains history {seed}: {tester:?}");
    }
}
