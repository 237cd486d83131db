//! How bytes say what happens. A byte is a step, or a detail that the next step takes: wherever a fuzzer cuts, copies or
//! inserts, the steps around stay what they are. Three bits say what it is, five how:
//!
//! | bits | meaning | the five bits, from the lowest |
//! |---|---|---|
//! | 0 | create | path 2, type 2 (none, JSON, text, binary), closed 1 |
//! | 1 | append | path 2, body 2 (none, a byte, three bytes, no messages), close 1 |
//! | 2 | something else | path 2, what 3: see [`other`] |
//! | 3 | create a fork | path 2, source 2, closed 1 |
//! | 4 | wait | the root of the seconds 5, in halves |
//! | 5 | detail: a lifetime | the root of the seconds 4, from now 1 |
//! | 6 | detail: a producer | id 1, epoch 2, sequence 2 |
//! | 7 | another detail | see [`Details::take`] |

use super::step::{
    AppendStep, Body, CreateStep, ForkStep, Label, LifetimeAsked, PATHS, Path, Place, Producer, Start, Step,
    Type,
};

/// The steps that bytes say.
pub(super) struct Script<'a> {
    rest: &'a [u8],
}

impl<'a> Script<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn next_byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    fn next_bytes(&mut self, most: u8) -> &'a [u8] {
        let (bytes, rest) = self.rest.split_at(self.rest.len().min(most.into()));
        self.rest = rest;
        bytes
    }
}

impl<'a> Iterator for Script<'a> {
    type Item = Step<'a>;

    fn next(&mut self) -> Option<Step<'a>> {
        let mut details = Details::default();
        loop {
            let byte = self.next_byte()?;
            let how = byte & 31;
            return Some(match byte >> 5 {
                0 => Step::Create(details.create(how)),
                1 => Step::Append(details.append(how)),
                2 => other(how, &details),
                3 => Step::Create(details.fork(how)),
                4 => Step::Wait((u16::from(how) * u16::from(how) / 4) as u8),
                5 => {
                    let seconds = (how & 15) * (how & 15);
                    let from_now = how >> 4 == 1;
                    let lifetime = if from_now { LifetimeAsked::For } else { LifetimeAsked::Sliding };
                    details.lifetime = Some(lifetime(seconds));
                    continue;
                }
                6 => {
                    let id = if how & 1 == 0 { "p" } else { "q" };
                    details.producer = Some(Producer { id, epoch: how >> 1 & 3, seq: how >> 3 });
                    continue;
                }
                _ => {
                    details.take(how, self)?;
                    continue;
                }
            });
        }
    }
}

/// What the next step takes, as far as it has a use for it.
#[derive(Default)]
struct Details<'a> {
    label: Option<Label>,
    lifetime: Option<LifetimeAsked>,
    producer: Option<Producer>,
    seq: Option<u8>,
    place: Option<Place>,
    sub_offset: u8,
    body: Option<Body<'a>>,
}

impl<'a> Details<'a> {
    /// None at the end of the script.
    fn take(&mut self, how: u8, script: &mut Script<'a>) -> Option<()> {
        match how {
            0 => self.place = Some(Place(script.next_byte()?)),
            1 => self.sub_offset = script.next_byte()?,
            2 => self.seq = Some(script.next_byte()?),
            3 => self.label = Some(Label::None),
            4..=6 => self.label = one_type(how - 3).map(Label::This),
            7 => self.sub_offset = 1,
            8..=15 => self.place = Some(Place(how - 8)),
            _ => self.body = Some(Body::Bytes(script.next_bytes(how - 16))),
        }
        Some(())
    }

    fn create(self, how: u8) -> CreateStep<'a> {
        CreateStep {
            path: path(how),
            content_type: one_type(how >> 2 & 3),
            lifetime: self.lifetime,
            closed: how >> 4 == 1,
            fork: None,
            body: self.body.unwrap_or(Body::Nothing),
        }
    }

    fn fork(self, how: u8) -> CreateStep<'a> {
        let content_type = match self.label {
            Some(Label::This(given)) => Some(given),
            _ => None,
        };
        let fork = ForkStep { source: path(how >> 2), offset: self.place, sub_offset: self.sub_offset };
        CreateStep { content_type, fork: Some(fork), ..self.create(how & !0b1100) }
    }

    fn append(self, how: u8) -> AppendStep<'a> {
        let body = match how >> 2 & 3 {
            0 => Body::Nothing,
            1 => Body::Bytes(b"1"),
            2 => Body::Bytes(b"\0\x01\x02"),
            _ => Body::Bytes(b""),
        };
        AppendStep {
            path: path(how),
            label: self.label.unwrap_or(Label::Right),
            body: self.body.unwrap_or(body),
            close: how >> 4 == 1,
            seq: self.seq,
            producer: self.producer,
        }
    }
}

fn other<'a>(how: u8, details: &Details<'_>) -> Step<'a> {
    let path = path(how);
    match how >> 2 {
        0 | 1 => Step::Read(path, details.place.map_or(Start::Beginning, Start::At)),
        2 => Step::Read(path, Start::Now),
        3 => Step::Look(path),
        4 | 5 => Step::Delete(path),
        _ => Step::Sweep,
    }
}

fn path(bits: u8) -> Path {
    Path(PATHS[usize::from(bits & 3)])
}

fn one_type(bits: u8) -> Option<Type> {
    [None, Some(Type::Json), Some(Type::Text), Some(Type::Binary)][usize::from(bits & 3)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_go_to_the_next_step_and_to_no_other() {
        let script = [0b000_00100, 0b110_01000, 0b001_00100, 0b001_00100, 0b111_10010, 7, 8, 0b011_00001];
        let steps: Vec<Step<'_>> = Script::new(&script).collect();
        let [Step::Create(created), Step::Append(first), Step::Append(second), Step::Create(fork)] =
            &steps[..]
        else {
            panic!("{steps:?}");
        };
        assert_eq!(created.content_type, Some(Type::Json));
        assert_eq!(first.producer, Some(Producer { id: "p", epoch: 0, seq: 1 }));
        assert_eq!(second.producer, None);
        assert_eq!((fork.path.0, fork.body.bytes()), ("b", &[7, 8][..]));
        assert_eq!(fork.fork.as_ref().map(|fork| fork.source.0), Some("a"));
    }
}
