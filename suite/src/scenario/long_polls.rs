//! Appends that race with long-polls.

use std::{
    iter,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::future::{join_all, try_join_all};
use rand::Rng as _;

use super::{Scenario, proof::Proof, stream::Stream};
use crate::{
    case::Wait,
    rule::Capability,
    run::{Answer, Halt, Stage},
    wire::Request,
};

/// A long-poll that ended with 204 this shortly after an append may have been decided before it.
const CROSSING: Duration = Duration::from_millis(150);

pub(super) static NO_LOST_WAKEUP: Scenario = Scenario::new(
    "no-append-beside-the-start-of-a-long-poll-is-missed",
    "An append just before, at or just after the start of a long-poll is delivered at once, round after round.",
    &["longpoll.no-lost-wakeup"],
    |stage| Box::pin(no_lost_wakeup(stage)),
)
.needing(&[Capability::LongPoll]);

/// Streams side by side, and rounds on each.
const STREAMS: usize = 8;
const ROUNDS: usize = 8;

async fn no_lost_wakeup(stage: &Stage) -> Result<(), Halt> {
    let mut random = stage.random(NO_LOST_WAKEUP.id);
    let streams = (0..STREAMS).map(|index| {
        // From 5 ms before the request to 20 ms after it.
        let delays: Vec<i64> = (0..ROUNDS).map(|_| random.random_range(-5_000..20_000)).collect();
        rounds(stage.stream(format!("stream-{index}"), "text/plain"), delays)
    });
    try_join_all(streams).await.map(drop)
}

async fn rounds(stream: Stream<'_>, delays: Vec<i64>) -> Result<(), Halt> {
    let proof = stream.stage.proof("longpoll.no-lost-wakeup");
    let mut tail = stream.create().await?;
    for (round, delay) in delays.into_iter().enumerate() {
        let body = format!("[round {round}]");
        let until = |ahead: i64| Duration::from_micros(u64::try_from(ahead).unwrap_or(0));
        let race = Race::run(
            proof,
            (until(-delay), stream.long_polling(&tail)?),
            (until(delay), stream.appending(body.clone())?),
        );
        let race = race.await?;
        tail = race.write.next_offset("append.response-next-offset")?;
        if race.crossed() {
            continue;
        }
        let poll = &race.poll;
        let subject = format!("long-poll with an append {:.1} ms after it", delay as f64 / 1000.0);
        let right = poll.seen.status == 200 && **poll.body() == *body.as_bytes();
        let actual = format!(
            "{} {} after {:.0?}, {:.0?} after the append was acknowledged",
            poll.seen.status,
            crate::check::BodyRender(poll.body()),
            poll.seen.elapsed,
            race.delay()
        );
        proof.demand(right, &subject, format_args!("200 {body:?}"), actual, poll.exchange)?;
        proof.in_time(&subject, promptness(stream.stage), race.delay(), poll.exchange).await?;
    }
    Ok(())
}

/// How soon a waiting reader is to be answered: clearly before its timeout, where that is known.
fn promptness(stage: &Stage) -> Duration {
    let second = Duration::from_secs(1);
    stage.target().timings.long_poll_timeout.map_or(second, |timeout| second.min(timeout * 3 / 5))
}

/// A long-poll and a write beside it.
pub(super) struct Race {
    pub(super) poll: Answer,
    pub(super) write: Answer,
    polled: Instant,
    written: Instant,
    /// When both were under way.
    asked: Instant,
    earliest_timeout: Duration,
}

impl Race {
    /// Sends both, each after its delay, and waits for both. A write that fails blocks the case.
    pub(super) async fn run(
        proof: Proof<'_>,
        (before_poll, poll): (Duration, Request),
        (before_write, write): (Duration, Request),
    ) -> Result<Self, Halt> {
        let poll = async {
            tokio::time::sleep(before_poll).await;
            let asked = Instant::now();
            let answer = proof.wait(poll).await?;
            Ok::<_, Halt>((asked, answer, Instant::now()))
        };
        let write = async {
            tokio::time::sleep(before_write).await;
            let answer = proof.stage().set_up_now(write, "append.success-204").await?;
            Ok((answer, Instant::now()))
        };
        let ((asked, poll, polled), (write, written)) = tokio::try_join!(poll, write)?;
        let earliest_timeout = proof.stage().target().earliest_timeout();
        Ok(Self { poll, write, polled, written, asked, earliest_timeout })
    }

    /// Whether the long-poll timed out so close to the write that it tells nothing.
    pub(super) fn crossed(&self) -> bool {
        Self::timed_out(&self.poll) && self.delay() < CROSSING || self.came_first(&self.poll)
    }

    /// Whether a long-poll that began no later had a right to be over before the write was acknowledged.
    pub(super) fn came_first(&self, poll: &Answer) -> bool {
        let waited = self.written.saturating_duration_since(self.asked);
        Self::timed_out(poll) && waited >= self.earliest_timeout
    }

    fn timed_out(poll: &Answer) -> bool {
        poll.seen.status == 204 && !poll.says("Stream-Closed")
    }

    /// How long the long-poll went on once the write was acknowledged.
    pub(super) fn delay(&self) -> Duration {
        self.polled.saturating_duration_since(self.written.max(self.asked))
    }
}

pub(super) static SKIPS_NOTHING: Scenario = Scenario::new(
    "a-204-names-no-offset-past-unread-data",
    "When an append meets the end of a long-poll, the offset in its 204 does not lie beyond what was appended.",
    &["longpoll.204-skips-nothing"],
    |stage| Box::pin(skips_nothing(stage)),
)
.needing(&[Capability::LongPoll])
.waiting_for(Wait::LongPollTimeout, MEETINGS + 1);

/// Times that appends meet the end of long-polls, streams side by side each time, and readers of each stream.
const MEETINGS: u32 = 4;
const STREAMS_THAT_MEET: u32 = 16;
const READERS: usize = 8;

/// How long before the expected end the first append is sent, and how long after the one before each following: the
/// end comes before one of them, even where it is not expected to the millisecond.
const AHEAD: Duration = Duration::from_millis(12);
const STEP: Duration = Duration::from_millis(1);

/// How much earlier all is sent the next time, or later, when nearly all or nearly no reader was told the end.
const CORRECTION: Duration = Duration::from_millis(8);

/// The moment in which a server tells the two in the wrong order is short while it is idle: it lies between the end of
/// the time and the look at what is stored. So the target has something to do from this long before the end on, and
/// turns to both afterwards: appends of many small messages, as many as keep some processors busy.
const BUSY_AHEAD: Duration = Duration::from_millis(30);
const TASKS: usize = 8;
const MESSAGES: usize = 32 << 10;

async fn skips_nothing(stage: &Stage) -> Result<(), Halt> {
    let proof = stage.proof("longpoll.204-skips-nothing");
    let idle = stage.stream("idle", "text/plain");
    let tail = idle.create().await?;
    let polls = iter::repeat_with(|| idle.long_polling(&tail)).take(READERS);
    let polls = try_join_all(polls.map(|poll| async move { proof.wait(poll?).await })).await?;
    if let Some(answer) = polls.iter().find(|poll| poll.seen.status != 204) {
        return Err(blocked_by_no_timeout(answer));
    }
    // The declared time may be rounded. What is measured holds the way of the answer, too, and every other delay.
    let mut end = polls.iter().map(|poll| poll.seen.elapsed).min().unwrap_or_default();
    let work = stage.stream("work", "application/json");
    work.create().await?;
    let streams = (0..STREAMS_THAT_MEET).map(|index| async move {
        let stream = stage.stream(format!("stream-{index}"), "text/plain");
        let tail = stream.create().await?;
        Ok::<_, Halt>((stream, tail))
    });
    let mut streams = try_join_all(streams).await?;
    for meeting in 0..MEETINGS {
        let meetings = (0..).zip(&mut streams).map(|(index, (stream, tail))| {
            meet(stream, tail, end.saturating_sub(AHEAD) + STEP * index, format!("[meeting {meeting}]"))
        });
        let busy = keep_busy(&work, end.saturating_sub(BUSY_AHEAD));
        let (ended, ()) = tokio::try_join!(try_join_all(meetings), busy)?;
        match ended.iter().sum::<usize>() * 8 / (ended.len() * READERS) {
            0 => end += CORRECTION,
            7.. => end = end.saturating_sub(CORRECTION),
            _ => {}
        }
    }
    Ok(())
}

fn blocked_by_no_timeout(answer: &Answer) -> Halt {
    Halt::Blocked {
        rule: Some(crate::rule::RuleId::new("longpoll.timeout-204")),
        why: format!("a long-poll without data ended with {}", answer.seen.status),
    }
}

/// Gives the target something to do. What it answers is none of this scenario's business.
async fn keep_busy(work: &Stream<'_>, at: Duration) -> Result<(), Halt> {
    let body = Bytes::from(format!("[{}0]", "0,".repeat(MESSAGES - 1)));
    let tasks: Vec<Request> =
        iter::repeat_with(|| work.appending(body.clone())).take(TASKS).collect::<Result<_, _>>()?;
    tokio::time::sleep(at).await;
    let limit = work.stage.request_limit();
    join_all(tasks.into_iter().map(|task| work.stage.send_waiting(task, limit))).await;
    Ok(())
}

/// Appends once at about the end of some long-polls, looks at the offsets of those that timed out, and counts them.
async fn meet(stream: &Stream<'_>, tail: &mut String, at: Duration, body: String) -> Result<usize, Halt> {
    let proof = stream.stage.proof("longpoll.204-skips-nothing");
    let polls = iter::repeat_with(|| stream.long_polling(tail)).take(READERS);
    let polls = polls.map(|poll| async move { proof.wait(poll?).await });
    let append = async {
        tokio::time::sleep(at).await;
        stream.stage.set_up_now(stream.appending(body.clone())?, "append.success-204").await
    };
    let (polls, write) = tokio::try_join!(try_join_all(polls), append)?;
    let ended: Vec<&Answer> = polls.iter().filter(|poll| poll.seen.status == 204).collect();
    for poll in &ended {
        let next = poll.next_offset("longpoll.204-headers")?;
        if next != *tail {
            let rest = stream.rest(&next).await?;
            let subject = format!("content from {next}, the offset of the 204");
            proof.bytes(&subject, body.as_bytes(), &rest.bytes(), poll.exchange)?;
        }
    }
    *tail = write.next_offset("append.response-next-offset")?;
    Ok(ended.len())
}
