//! `--watch`: a round after every change.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{EventKind, RecursiveMode, Watcher as _};
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::timeout,
};

use super::{CheckArguments, round};
use crate::{
    cli::{Misuse, Status},
    report::Sink,
    start::StartedServer,
};

/// Changes are gathered until it has been quiet for so long: editors and builds write many files.
const QUIET: Duration = Duration::from_millis(250);

/// Paths of a change that are shown.
const SHOWN: usize = 3;

/// One round, or with `--watch` one after every change, without an end.
pub(super) async fn run(
    arguments: &CheckArguments,
    server: &mut Option<StartedServer>,
) -> Result<Status, Misuse> {
    if arguments.watch.is_empty() {
        return round::run(arguments, server).await;
    }
    // Watched before the first round, so that nothing is missed while it runs.
    let mut changes = Changes::of(arguments)?;
    loop {
        match round::run(arguments, server).await {
            Ok(_) => {}
            Err(misuse) => eprintln!("error: {misuse}"),
        }
        if let Some(server) = server.take() {
            server.stop().await;
        }
        eprintln!("\nwaiting for a change; Ctrl-C ends");
        let changed = changes.next().await;
        eprintln!("\nchanged: {}", told(&changed));
    }
}

struct Changes {
    events: UnboundedReceiver<Vec<PathBuf>>,
    /// What the rounds themselves write.
    own: Vec<PathBuf>,
    /// Watches as long as it lives.
    _watcher: notify::RecommendedWatcher,
}

impl Changes {
    fn of(arguments: &CheckArguments) -> Result<Self, Misuse> {
        let (sender, events) = unbounded_channel();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if let Ok(event) = event
                && !matches!(event.kind, EventKind::Access(_))
            {
                // Without a receiver the program is at its end.
                let _ = sender.send(event.paths);
            }
        })
        .map_err(|error| Misuse::new(format!("--watch: {error}")))?;
        for path in &arguments.watch {
            watcher.watch(path, RecursiveMode::Recursive).map_err(|error| {
                Misuse::new(format!("--watch {}: {error}; give a file or a folder", path.display()))
            })?;
        }
        Ok(Self { events, own: written_by(arguments), _watcher: watcher })
    }

    /// Waits for a change, and until all that comes with it is over.
    async fn next(&mut self) -> BTreeSet<PathBuf> {
        let mut changed = BTreeSet::new();
        loop {
            let event = match changed.is_empty() {
                true => self.events.recv().await,
                false => timeout(QUIET, self.events.recv()).await.unwrap_or(None),
            };
            match event {
                Some(paths) => changed.extend(paths.into_iter().filter(|path| self.counts(path))),
                None if changed.is_empty() => std::future::pending().await,
                None => return changed,
            }
        }
    }

    /// Files of version control, and what this program writes, are no change.
    fn counts(&self, path: &Path) -> bool {
        let in_git = path.components().any(|part| part.as_os_str() == ".git");
        !in_git && !self.own.iter().any(|own| path.ends_with(own))
    }
}

/// The files that a round writes, by their names.
fn written_by(arguments: &CheckArguments) -> Vec<PathBuf> {
    let reports = arguments.report.iter().filter_map(|report| match &report.sink {
        Sink::File(path) => Some(path),
        Sink::Stdout => None,
    });
    let files = reports.chain(&arguments.start.start_log).chain(&arguments.write_known_failures);
    files.filter_map(|path| path.file_name()).map(PathBuf::from).collect()
}

fn told(changed: &BTreeSet<PathBuf>) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let short = |path: &PathBuf| path.strip_prefix(&here).unwrap_or(path).display().to_string();
    let names: Vec<String> = changed.iter().take(SHOWN).map(short).collect();
    match changed.len() - names.len() {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}
