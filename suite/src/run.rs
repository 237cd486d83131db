//! Runs cases against a target: side by side, bounded in time, each on streams of its own.

mod act;
mod answer;
mod at_once;
mod background;
mod base_rule;
mod case;
mod clock;
mod deliveries;
mod event_reader;
mod events;
mod logs;
mod moment;
mod names;
mod pages;
mod plan;
mod raw;
mod reads;
mod receiver;
mod record;
mod repeat;
mod request;
mod room;
mod rules;
mod send;
mod stage;
mod stalls;
mod stocked;
mod target;

use clock::Clock;
pub(crate) use event_reader::EventReader;
pub(crate) use events::LIFETIME_CAME_FIRST;
pub(crate) use pages::Leafing;
pub use plan::{Job, Pattern, Plan, Selection, SelectionError, Shard, Suite};
pub use repeat::merge;
pub(crate) use request::encode_query;
use room::Room;
pub use stage::{Answer, Blame, Halt, SendFailure, Stage};
use stalls::Stalls;
pub use stocked::{NamedStreams, UnusableStream};
pub use target::{LogUrls, Target, Timings, UnusableRoot, stream_root};

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::{Duration, Instant},
};

use futures_util::{Stream, StreamExt as _, stream};
use tokio::sync::Semaphore;

use crate::{
    event::{CaseResult, CaseVerdict, Event, Listener, Mismatch, RunResult, SkipReason, Unheard},
    rule::{Capability, Catalogue, Judgement, RuleId},
};

/// Bounds and habits of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Requests under way at once; background reads don't count.
    pub jobs: usize,
    /// How long one case may take, its waits for the target included.
    pub case_limit: Duration,
    /// How long a step looks again and again at most for what may come later.
    pub look_limit: Duration,
    /// How long the whole run may take; what has not begun by then is not checked.
    pub run_limit: Duration,
    /// How long one request may take that does not wait for anything.
    pub request_limit: Duration,
    /// Where random data comes from.
    pub seed: u64,
    /// Whether exchanges of passed cases are kept, too.
    pub keep_all_exchanges: bool,
    /// Whether cases that failed for nothing but time, or that time kept from telling anything, are looked at again
    /// when all others are done. Only who knows that the target is broken can do without.
    pub second_looks: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            jobs: 32,
            case_limit: Duration::from_secs(60),
            look_limit: Duration::from_secs(60),
            run_limit: Duration::from_secs(600),
            request_limit: Duration::from_secs(10),
            seed: 0,
            keep_all_exchanges: false,
            second_looks: true,
        }
    }
}

/// How many cases may be begun at once. Most of them wait; the requests they send are bounded by
/// [`Options::jobs`].
const CASES_AT_ONCE: usize = 256;

/// How many doubtful cases are looked at again at once: few, so that they are not in each other's way, and enough to come
/// to an end with a target that is late everywhere.
const SECOND_LOOKS_AT_ONCE: usize = 3;

/// How often a case is begun anew when an attempt told nothing, such as a long-poll that timed out just
/// before the append it waited for.
const ATTEMPTS: u32 = 4;

/// What all cases of a run share.
pub(crate) struct World {
    pub(crate) target: Target,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) options: Options,
    pub(crate) permits: Semaphore,
    pub(crate) epoch: Instant,
    pub(crate) clock: Clock,
    /// The target refused a request as often as it was repeated: no other one is.
    pub(crate) refuses_all: AtomicBool,
    /// The target led a read from page to page without end: others follow fewer.
    pub(crate) leads_on: AtomicBool,
    /// One at a time of the jobs that read much has a turn.
    much: Semaphore,
    /// One job at a time waits to begin.
    door: Semaphore,
    stalls: Stalls,
    room: Room,
    /// Capabilities that a probe found missing, with the case that showed it.
    missing: Mutex<BTreeMap<Capability, String>>,
    /// Probes of which another shard tells.
    borrowed: BTreeSet<String>,
}

/// Runs the plan and tells the listeners what happens, in order.
pub async fn run(
    target: Target,
    catalogue: Arc<Catalogue>,
    plan: Plan,
    options: Options,
    listener: &mut dyn Listener,
) -> RunResult {
    let begun = Instant::now();
    let target_name = target.name();
    let seed = options.seed;
    listener.on_event(&Event::RunStarted { target: target_name.clone(), cases: plan.len(), seed });

    let look = match target.first_look().await {
        Ok(clock) => target.look_at_named_streams().await.map(|()| clock),
        Err(why) => Err(why),
    };
    let world = Arc::new(World {
        clock: look.as_ref().copied().unwrap_or_default(),
        permits: Semaphore::new(options.jobs.max(1)),
        target,
        catalogue,
        options,
        epoch: begun,
        refuses_all: AtomicBool::new(false),
        leads_on: AtomicBool::new(false),
        much: Semaphore::new(1),
        door: Semaphore::new(1),
        stalls: Stalls::default(),
        room: Room::default(),
        missing: Mutex::default(),
        borrowed: plan.borrowed_probes.iter().map(|probe| probe.id().to_owned()).collect(),
    });
    let unusable = look.err();
    let mut cases = plan.skipped;
    for case in &cases {
        listener.on_event(&Event::CaseFinished(Box::new(case.clone())));
    }
    if unusable.is_none() {
        run_jobs(&world, plan.borrowed_probes, &mut Unheard).await;
        cases.extend(run_jobs(&world, plan.probes, listener).await);
        let late = run_jobs(&world, plan.jobs.clone(), listener).await;
        cases.extend(late);
    }
    cases.sort_by(|a, b| a.id.cmp(&b.id));
    let rules = rules::verdicts(&world.catalogue, cases.iter().chain(&plan.elsewhere), &plan.rules);
    let result = RunResult {
        target: target_name,
        seed,
        duration: begun.elapsed(),
        cases,
        elsewhere: plan.elsewhere,
        rules,
        unusable,
        shard: plan.shard.map(|shard| shard.to_string()),
        repeats: None,
    };
    // Not told with a clone: a result may be large.
    let finished = Event::RunFinished(Box::new(result));
    listener.on_event(&finished);
    match finished {
        Event::RunFinished(result) => *result,
        _ => unreachable!("it was made here"),
    }
}

/// The result of a run that could not begin.
pub fn not_begun(
    target: &Target,
    catalogue: &Catalogue,
    mut plan: Plan,
    seed: u64,
    why: String,
) -> RunResult {
    plan.skipped.sort_by(|a, b| a.id.cmp(&b.id));
    let rules = rules::verdicts(catalogue, plan.skipped.iter().chain(&plan.elsewhere), &plan.rules);
    RunResult {
        target: target.name(),
        seed,
        duration: Duration::ZERO,
        cases: plan.skipped,
        elsewhere: plan.elsewhere,
        rules,
        unusable: Some(why),
        shard: plan.shard.map(|shard| shard.to_string()),
        repeats: None,
    }
}

/// Runs jobs side by side. Cases that failed for nothing but time, or that time kept from telling anything,
/// are looked at again afterwards, nearly alone: slow is not wrong.
async fn run_jobs(world: &Arc<World>, jobs: Vec<Job>, listener: &mut dyn Listener) -> Vec<CaseResult> {
    let mut done = Vec::new();
    let mut doubtful = Vec::new();
    let mut finish = |job: &Job, mut result: CaseResult| {
        world.note_missing_capability(job, &mut result);
        world.target.secrets.hide_in_case(&mut result);
        listener.on_event(&Event::CaseFinished(Box::new(result.clone())));
        done.push(result);
    };
    let mut running = attempts(world, jobs, CASES_AT_ONCE);
    while let Some((job, result, in_doubt)) = running.next().await {
        match in_doubt && world.options.second_looks {
            true => doubtful.push(job),
            false => finish(&job, result),
        }
    }
    let mut running = attempts(world, doubtful, SECOND_LOOKS_AT_ONCE);
    while let Some((job, result, _)) = running.next().await {
        finish(&job, result);
    }
    done
}

/// Runs jobs, so many at once, and gives each with its result and whether that is in doubt.
fn attempts(
    world: &Arc<World>,
    jobs: Vec<Job>,
    at_once: usize,
) -> impl Stream<Item = (Job, CaseResult, bool)> + Unpin {
    let attempts = stream::iter(jobs).map(|job| {
        let world = Arc::clone(world);
        async move {
            let (result, in_doubt) = attempt(&world, &job).await;
            (job, result, in_doubt)
        }
    });
    Box::pin(attempts.buffer_unordered(at_once))
}

/// Runs one job within its time, again where an attempt told nothing. The flag says that nothing but
/// lateness was found, or nothing at all.
async fn attempt(world: &Arc<World>, job: &Job) -> (CaseResult, bool) {
    let _turn = if job.moves_much() { Some(world.much.acquire().await) } else { None };
    world.wait_for_room().await;
    let began = Instant::now();
    if world.epoch.elapsed() > world.options.run_limit {
        return (job.skipped(SkipReason::OutOfTime), false);
    }
    if let Some(result) = world.blocked_by_missing_capability(job) {
        return (result, false);
    }
    let mut attempts = 1;
    loop {
        let stage = Stage::new(Arc::clone(world), job, attempts);
        let halt = tokio::select! {
            biased;
            why = world.stalls.too_many() => Err(Halt::Errored(why)),
            outcome = case::run(&stage, job) => outcome,
            () = tokio::time::sleep(world.options.case_limit) => {
                Err(Halt::Errored(format!("the case did not end within {:?}", world.options.case_limit)))
            }
        };
        if !world.stalls.are_too_many() {
            stage.clean_up().await;
        }
        if let Err(Halt::Inconclusive(_)) = &halt
            && attempts < ATTEMPTS
        {
            attempts += 1;
            continue;
        }
        let told_nothing = matches!(halt, Err(Halt::Inconclusive(_)));
        let (mut result, only_late) = stage.into_result(job, halt);
        result.attempts = attempts;
        result.duration = began.elapsed();
        world.room.fit(&mut result);
        return (result, only_late || told_nothing);
    }
}

impl World {
    /// Jobs begin one by one, each behind the requests that wait for a turn: with a slow target fewer are under way, and
    /// none of those comes too late for its own waiting.
    async fn wait_for_room(&self) {
        let _at_the_door = self.door.acquire().await;
        let _turn = self.permits.acquire().await;
    }

    /// Tells of a probe that found nothing, and remembers what is missing.
    fn note_missing_capability(&self, job: &Job, result: &mut CaseResult) {
        if let (Some(capability), CaseVerdict::Failed | CaseVerdict::Blocked) = (job.probes(), result.verdict)
        {
            self.accuse_of_absence(result, capability);
            let mut missing = self.missing.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            missing.insert(capability, job.id().to_owned());
        }
    }

    /// What a target claims and does not show at all is a failure, told once: by the probe, whose own stage
    /// could not even be set.
    fn accuse_of_absence(&self, probe: &mut CaseResult, capability: Capability) {
        if probe.verdict != CaseVerdict::Blocked {
            return;
        }
        let rules: Vec<RuleId> = match &probe.blocked_by {
            Some(rule) => vec![rule.clone()],
            None => probe.proves.clone(),
        };
        probe.verdict = CaseVerdict::Failed;
        probe.mismatches.push(Mismatch {
            rules,
            weight: Judgement::Error,
            place: probe.place.clone(),
            subject: capability.to_string(),
            expected: format!(
                "some sign of {capability}, which the target claims (--without {capability} if it does not)"
            ),
            actual: probe.reason.take().unwrap_or_else(|| "none".to_owned()),
            exchange: probe.exchanges.len().checked_sub(1),
        });
    }

    /// A capability that is missing altogether is told once, by its probe; what builds on it is blocked, but for a case
    /// or two of each area.
    fn blocked_by_missing_capability(&self, job: &Job) -> Option<CaseResult> {
        if job.is_undeterred() {
            return None;
        }
        let missing = self.missing.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let (capability, probe) = missing.iter().find(|(capability, _)| job.needs().contains(capability))?;
        let whose = if self.borrowed.contains(probe) { ", of which another shard tells" } else { "" };
        let mut result = job.result(CaseVerdict::Blocked);
        result.reason = Some(format!(
            "the target shows no {capability} at all (case {probe}{whose}); if it does not claim it, say --without {capability}"
        ));
        Some(result)
    }
}
