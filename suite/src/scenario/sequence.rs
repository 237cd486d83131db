//! Stream-Seq against a model.

use futures_util::future::try_join_all;
use rand::{Rng, RngCore, rngs::StdRng, seq::IndexedRandom as _};

use super::{Scenario, stream::Stream};
use crate::run::{Halt, Stage};

/// Streams, side by side, and appends to each.
const STREAMS: usize = 6;
const APPENDS: usize = 24;

pub(super) static BYTEWISE: Scenario = Scenario::new(
    "random-sequences-are-compared-byte-by-byte",
    "Random Stream-Seq values are accepted where they are greater, byte by byte, than the last accepted one, and refused elsewhere.",
    &["seq.bytewise-order"],
    |stage| Box::pin(bytewise(stage)),
);

async fn bytewise(stage: &Stage) -> Result<(), Halt> {
    let random = &mut stage.random(BYTEWISE.id);
    let histories = (0..STREAMS).map(|index| {
        let stream = stage.stream(format!("stream-{index}"), "text/plain");
        append_against_model(stream, rand::SeedableRng::seed_from_u64(random.next_u64()))
    });
    try_join_all(histories).await.map(drop)
}

async fn append_against_model(stream: Stream<'_>, mut random: StdRng) -> Result<(), Halt> {
    stream.create().await?;
    let proof = stream.stage.proof("seq.bytewise-order");
    let mut last: Option<String> = None;
    for _ in 0..APPENDS {
        let value = neighbour(&mut random, last.as_deref());
        if last.as_ref() == Some(&value) {
            continue;
        }
        let is_greater = last.as_ref().is_none_or(|last| value.as_bytes() > last.as_bytes());
        let answer = proof.look(stream.appending("x")?.header("Stream-Seq", value.as_str())).await?;
        let status = answer.seen.status;
        let subject = format!("status for Stream-Seq {value} after {}", last.as_deref().unwrap_or("none"));
        match is_greater {
            true => proof.demand(answer.is_success(), &subject, "2xx", status, answer.exchange)?,
            false => proof.demand(status == 409, &subject, 409, status, answer.exchange)?,
        }
        if is_greater {
            last = Some(value);
        }
    }
    Ok(())
}

/// A value that is hard to order for whoever compares numbers, lengths or letters without case: near the last one.
fn neighbour(random: &mut impl Rng, last: Option<&str>) -> String {
    const LETTERS: &[u8] = b"!$*-.0123456789ABCZ_abcz~";
    let letter = |random: &mut dyn RngCore| char::from(*LETTERS.choose(random).unwrap_or(&b'0'));
    let Some(last) = last else {
        return "0".to_owned();
    };
    let mut letters: Vec<char> = last.chars().collect();
    let place = random.random_range(0..letters.len());
    match random.random_range(0..6) {
        0 if letters.len() < 16 => letters.push(letter(random)),
        1 if letters.len() > 1 => letters.truncate(place.max(1)),
        2 => letters[place] = letters[place].to_ascii_uppercase(),
        3 => letters[place] = letters[place].to_ascii_lowercase(),
        4 if letters.len() < 16 => letters.insert(place, letter(random)),
        // One step up in the last place keeps the walk from ending at the greatest value.
        _ => {
            let end = letters.len() - 1;
            letters[end] = letter(random);
        }
    }
    letters.into_iter().collect()
}
