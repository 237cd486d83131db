//! Random JSON, there and back.

use rand::{Rng as _, rngs::StdRng};
use serde_json::{Value, value::RawValue};

use super::{Scenario, pages::Pages, proof::Proof, random, stream::Stream};
use crate::{
    check::{json_equal, without_white_space},
    rule::Capability,
    run::{Halt, Stage},
};

/// Messages, and how many go into one append at most.
const MESSAGES: usize = 60;
const BATCH: usize = 7;

pub(super) static FAITHFUL: Scenario = Scenario::new(
    "random-json-comes-back-equal",
    "Random JSON values, in any notation, come back as as many messages, each equal to what was sent.",
    &["json.value-fidelity", "json.message-boundaries"],
    |stage| Box::pin(faithful(stage)),
)
.needing(&[Capability::Json]);

async fn faithful(stage: &Stage) -> Result<(), Halt> {
    let stream = stage.stream("stream", "application/json");
    let random = &mut stage.random(FAITHFUL.id);
    let values: Vec<Value> = (0..MESSAGES).map(|_| random::json_value(random, 4)).collect();
    let texts: Vec<String> = values.iter().map(|value| random::json_text(random, value)).collect();
    append_in_batches(&stream, &texts, random).await?;

    let proof = stage.proof("json.value-fidelity");
    let (pages, found) = read_as_many(&stream, MESSAGES).await?;
    for (message, (wanted, sent)) in found.iter().zip(values.iter().zip(&texts)) {
        let same = serde_json::from_str::<Value>(message.get()).is_ok_and(|seen| json_equal(&seen, wanted));
        proof.demand(
            same,
            "message",
            format_args!("{wanted} (sent as {sent:?})"),
            message.get(),
            pages.last(),
        )?;
    }
    Ok(())
}

pub(super) static LITERAL: Scenario = Scenario::new(
    "digits-and-keys-of-random-json-are-kept",
    "Long numbers, the order of keys and keys that occur twice come back as they were sent.",
    &["json.digits-and-keys-kept"],
    |stage| Box::pin(literal(stage)),
)
.needing(&[Capability::Json]);

async fn literal(stage: &Stage) -> Result<(), Halt> {
    let stream = stage.stream("stream", "application/json");
    let random = &mut stage.random(LITERAL.id);
    let texts: Vec<String> = (0..MESSAGES / 2).map(|_| object(random)).collect();
    append_in_batches(&stream, &texts, random).await?;

    let proof = stage.proof("json.digits-and-keys-kept");
    let (pages, found) = read_as_many(&stream, texts.len()).await?;
    let differing = found.iter().zip(&texts).find(|(found, sent)| without_white_space(found.get()) != **sent);
    match differing {
        Some((found, sent)) => proof.demand(false, "message", sent, found.get(), pages.last()),
        None => Ok(()),
    }
}

/// An object with one or two long numbers and keys in no order, one of them perhaps twice.
fn object(random: &mut StdRng) -> String {
    let digits = |random: &mut StdRng, count: usize| -> String {
        (0..count).map(|_| char::from(random.random_range(b'1'..=b'9'))).collect()
    };
    let members: Vec<String> = (0..random.random_range(2..5))
        .map(|_| {
            let key = char::from(random.random_range(b'a'..=b'd'));
            let size = random.random_range(17..32);
            let number = digits(random, size);
            match random.random_range(0..3) {
                0 => format!("\"{key}\":{number}"),
                1 => format!("\"{key}\":0.{number}"),
                _ => format!("\"{key}\":-{}.{number}", digits(random, 3)),
            }
        })
        .collect();
    format!("{{{}}}", members.join(","))
}

/// Each batch is an array, so that arrays among the messages are not taken apart.
async fn append_in_batches(stream: &Stream<'_>, texts: &[String], random: &mut StdRng) -> Result<(), Halt> {
    stream.create().await?;
    let mut rest = texts;
    while !rest.is_empty() {
        let (batch, after) = rest.split_at(random.random_range(1..=BATCH).min(rest.len()));
        stream.append(format!("[{}]", batch.join(","))).await?;
        rest = after;
    }
    Ok(())
}

/// All messages, which must be as many as were sent.
async fn read_as_many(stream: &Stream<'_>, count: usize) -> Result<(Pages, Vec<Box<RawValue>>), Halt> {
    let pages = stream.rest("-1").await?;
    let proof: Proof<'_> = stream.stage.proof("json.message-boundaries");
    let found = pages.messages().map_err(|no_array| Halt::Blocked {
        rule: Some(crate::rule::RuleId::new("json.read-array")),
        why: format!("a page of a JSON stream is no array: {}", no_array.why),
    })?;
    proof.demand(found.len() == count, "messages", count, found.len(), pages.last())?;
    Ok((pages, found))
}
