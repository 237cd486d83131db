//! A night: all targets in turns on all cores, until its time is over or somebody stops it.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use parking_lot::Mutex;
use streamgauge_fuzz_targets::Body;
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
    sync::RwLock,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Failure,
    build::{self, Binaries},
    export, findings, places,
    report::{self, spelled},
    session::{self, Known, Outcome, Session},
    state::State,
};

/// What is asked for.
pub(crate) struct Plan {
    pub(crate) targets: Vec<Body>,
    pub(crate) time: Duration,
    pub(crate) turn: Option<Duration>,
    pub(crate) jobs: Option<usize>,
    pub(crate) fresh: bool,
    pub(crate) quick_build: bool,
}

const SHORTEST_TURN: Duration = Duration::from_secs(5);
const LONGEST_TURN: Duration = Duration::from_secs(900);
const TURNS: u32 = 4;
/// How long minimising one finding may take.
const MINIMISING: Duration = Duration::from_secs(60);
/// A corpus that grew to twice its size is minimised, unless it is small.
const SMALL_CORPUS: usize = 500;
/// A target that breaks again and again gives its turn up.
const MOST_BREAKS: u64 = 10;

/// Runs a night and writes its report.
pub(crate) fn run(plan: &Plan) -> Result<ExitCode, Failure> {
    places::make(&places::artifacts())?;
    let state = begin(plan)?;
    let into = if plan.quick_build { places::builds().join("quick") } else { places::builds() };
    let binaries = build::build(places::workspace(), &into, &plan.targets, plan.quick_build)?;
    let seeds = places::builds().join("seeds");
    export::write(&seeds)?;
    let runtime = Runtime::new().map_err(|error| Failure::new(format!("no runtime: {error}")))?;
    let night = Arc::new(Night::new(plan, binaries, seeds, state));
    println!(
        "{} of the targets in turns of {}, {} at a time, for {}; Ctrl-C stops",
        night.targets.len(),
        spelled(night.turn),
        plan.jobs(),
        spelled(night.left()),
    );
    let state = runtime.block_on(night.clone().pass(plan))?;
    tell(&state, &night.stop)
}

/// The night that was stopped, or a new one.
fn begin(plan: &Plan) -> Result<State, Failure> {
    let stopped = if plan.fresh { None } else { State::unfinished()? };
    if let Some(state) = stopped {
        let (left, planned) = (spelled(state.left()), spelled(Duration::from_secs(state.planned)));
        println!("going on with a night of {planned}: {left} left (--fresh begins anew)");
        return Ok(state);
    }
    Ok(State { planned: plan.time.as_secs().max(1), ..State::default() })
}

fn tell(state: &State, stop: &CancellationToken) -> Result<ExitCode, Failure> {
    let path = places::artifacts().join("report.md");
    let text = report::markdown(state);
    std::fs::write(&path, &text).map_err(Failure::at(&path))?;
    println!("\n{text}\nThis report is {}.", path.display());
    if stop.is_cancelled() && !state.left().is_zero() {
        println!("Stopped with {} left; the same command goes on.", spelled(state.left()));
    } else {
        State::forget()?;
    }
    Ok(if state.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

struct Night {
    targets: Vec<Target>,
    binaries: Binaries,
    seeds: PathBuf,
    turn: Duration,
    begun: Instant,
    spent_before: u64,
    state: Mutex<State>,
    known: Mutex<Known>,
    /// Cancelled by Ctrl-C and SIGTERM.
    stop: CancellationToken,
    bars: MultiProgress,
}

struct Target {
    body: Body,
    /// Read by sessions, written by whoever minimises the corpus.
    corpus: RwLock<Corpus>,
}

struct Corpus {
    path: PathBuf,
    size_when_minimised: usize,
}

impl Night {
    fn new(plan: &Plan, binaries: Binaries, seeds: PathBuf, state: State) -> Self {
        let targets: Vec<Target> = plan.targets.iter().map(|body| Target::new(*body)).collect();
        let share = state.left() * plan.jobs() as u32 / (targets.len() as u32 * TURNS);
        let mut known = Known::default();
        for finding in &state.findings {
            known.learn(&finding.target, &finding.what);
        }
        Self {
            turn: plan.turn.unwrap_or(share.clamp(SHORTEST_TURN, LONGEST_TURN)),
            targets,
            binaries,
            seeds,
            begun: Instant::now(),
            spent_before: state.spent,
            state: Mutex::new(state),
            known: Mutex::new(known),
            stop: CancellationToken::new(),
            bars: MultiProgress::new(),
        }
    }

    async fn pass(self: Arc<Self>, plan: &Plan) -> Result<State, Failure> {
        let signals = tokio::spawn(self.clone().stop_on_signals());
        let workers: Vec<_> = (0..plan.jobs()).map(|_| tokio::spawn(self.clone().work())).collect();
        for worker in workers {
            let worked = worker.await.map_err(|error| Failure::new(error.to_string()));
            if let Err(failure) = worked.and_then(|worked| worked) {
                // The others would go on for the rest of the night, with nobody to tell.
                self.stop.cancel();
                return Err(failure);
            }
        }
        signals.abort();
        self.account()?;
        Ok(self.state.lock().clone())
    }

    async fn work(self: Arc<Self>) -> Result<(), Failure> {
        let bar = self.bars.add(ProgressBar::new_spinner());
        bar.set_style(
            ProgressStyle::with_template("{spinner} {msg}")
                .map_err(|error| Failure::new(error.to_string()))?,
        );
        while !self.stop.is_cancelled() && !self.left().is_zero() {
            let target = &self.targets[self.next()];
            self.turn(target, &bar).await?;
            self.minimise_if_grown(target).await?;
            self.account()?;
        }
        // Workers come to their ends one by one, and share what is left to do.
        while !self.stop.is_cancelled() {
            let Some(target) = self.targets.iter().find(|target| target.is_due_at_end()) else { break };
            target.minimise(&self.binaries.of(target.body.name), &self.stop).await?;
        }
        bar.finish_and_clear();
        Ok(())
    }

    fn next(&self) -> usize {
        let mut state = self.state.lock();
        let next = state.next % self.targets.len();
        state.next = next + 1;
        next
    }

    fn left(&self) -> Duration {
        let planned = self.state.lock().planned.saturating_sub(self.spent_before);
        Duration::from_secs(planned).saturating_sub(self.begun.elapsed())
    }

    /// One target for the time of a turn, however often it breaks.
    async fn turn(&self, target: &Target, bar: &ProgressBar) -> Result<(), Failure> {
        let name = target.body.name;
        let (begun, time) = (Instant::now(), self.turn.min(self.left()));
        let mut breaks = 0;
        let mut total = Outcome::default();
        while begun.elapsed() < time && breaks < MOST_BREAKS && !self.stop.is_cancelled() {
            let outcome = self.session(target, time.saturating_sub(begun.elapsed()), bar).await?;
            total.runs += outcome.runs;
            total.edges = total.edges.max(outcome.edges);
            total.new_inputs += outcome.new_inputs;
            self.state.lock().targets.entry(name.to_owned()).or_default().add(&outcome);
            if let Some(broke) = outcome.broke {
                breaks += 1;
                self.found(target, &broke).await?;
            }
        }
        total.seconds = begun.elapsed().as_secs_f64();
        let broke = if breaks > 0 { format!(", broke {}", report::times(breaks)) } else { String::new() };
        let line = format!("{:>12} left  {name}: {}{broke}", spelled(self.left()), report::in_a_line(&total));
        self.say(&line);
        Ok(())
    }

    async fn session(&self, target: &Target, time: Duration, bar: &ProgressBar) -> Result<Outcome, Failure> {
        let name = target.body.name;
        let corpus = target.corpus.read().await;
        let artifacts = places::artifacts().join(name);
        places::make(&artifacts)?;
        places::make(&corpus.path)?;
        let dictionary = self.seeds.join(format!("{name}.dict"));
        let session = Session {
            binary: &self.binaries.of(name),
            body: &target.body,
            corpus: &corpus.path,
            seeds: Some(&self.seeds.join(name)),
            dictionary: dictionary.exists().then_some(&*dictionary),
            artifacts: &artifacts,
            time,
            seed: None,
            environment: Vec::new(),
        };
        session
            .run(&self.stop, |so_far| {
                bar.set_message(format!(
                    "{:>12} left  {name}: {}",
                    spelled(self.left()),
                    report::in_a_line(so_far)
                ));
                bar.tick();
            })
            .await
    }

    async fn found(&self, target: &Target, broke: &session::Broke) -> Result<(), Failure> {
        let name = target.body.name;
        self.state.lock().targets.entry(name.to_owned()).or_default().findings += 1;
        if !self.known.lock().learn(name, &broke.what) {
            let place = session::place_of(&broke.what).to_owned();
            let mut state = self.state.lock();
            let same = |finding: &&mut crate::state::Finding| {
                finding.target == name && session::place_of(&finding.what) == place
            };
            if let Some(finding) = state.findings.iter_mut().find(same) {
                finding.times += 1;
            }
            return findings::drop_again(broke);
        }
        let finding = findings::keep(name, &self.binaries.of(name), broke, MINIMISING, &self.stop).await?;
        self.say(&format!("FOUND  {name}: {}\n       {}", finding.what, findings::replay_command(&finding)));
        self.state.lock().findings.push(finding);
        self.account()
    }

    async fn minimise_if_grown(&self, target: &Target) -> Result<(), Failure> {
        let (size, before) = {
            let corpus = target.corpus.read().await;
            (places::count(&corpus.path), corpus.size_when_minimised)
        };
        if size < SMALL_CORPUS.max(before * 2) || self.stop.is_cancelled() {
            return Ok(());
        }
        target.minimise(&self.binaries.of(target.body.name), &self.stop).await
    }

    fn account(&self) -> Result<(), Failure> {
        let mut state = self.state.lock();
        state.spent = (self.spent_before + self.begun.elapsed().as_secs()).min(state.planned);
        state.save()
    }

    async fn stop_on_signals(self: Arc<Self>) {
        let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        self.say("stopping; what was reached is kept");
        self.stop.cancel();
    }

    fn say(&self, line: &str) {
        self.bars.suspend(|| println!("{line}"));
    }
}

impl Target {
    fn new(body: Body) -> Self {
        let path = places::corpus(body.name);
        // A corpus that is there counts as grown: the night ends with all of them minimised.
        Self { body, corpus: RwLock::new(Corpus { path, size_when_minimised: 0 }) }
    }

    /// Whether nobody works on the corpus, and it has changed since it was minimised.
    fn is_due_at_end(&self) -> bool {
        self.corpus.try_write().is_ok_and(|corpus| places::count(&corpus.path) != corpus.size_when_minimised)
    }

    async fn minimise(&self, binary: &Path, stop: &CancellationToken) -> Result<(), Failure> {
        let mut corpus = self.corpus.write().await;
        session::merge(binary, &corpus.path, self.body.longest, stop).await?;
        corpus.size_when_minimised = places::count(&corpus.path);
        Ok(())
    }
}

impl Plan {
    fn jobs(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.jobs.unwrap_or_else(cores).max(1)
    }
}
