//! How far a run is, while it goes on.

use std::{
    collections::BTreeMap,
    io::Write,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::event::{CaseVerdict, Event, Listener};

use super::{message, visible::visible};

/// Shows the state of a run as it goes on: a bar on a terminal, otherwise a plain line now and then.
pub struct Progress {
    display: Display,
    all: usize,
    counts: BTreeMap<CaseVerdict, usize>,
}

enum Display {
    Bar(ProgressBar),
    Lines(Lines),
}

/// Plain lines, for logs.
struct Lines {
    out: Box<dyn Write + Send>,
    /// At least so much time lies between two lines.
    pace: Duration,
    last: Option<Instant>,
}

/// Time between two lines of a log.
const PACE: Duration = Duration::from_secs(5);
/// How often the clock of the bar moves.
const TICK: Duration = Duration::from_millis(100);

impl Progress {
    /// A bar on the terminal behind standard error.
    pub fn bar() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{elapsed:>4} [{bar:20}] {pos}/{len} cases{wide_msg}");
        bar.set_style(style.expect("the template is a constant").progress_chars("=> "));
        bar.enable_steady_tick(TICK);
        Self::new(Display::Bar(bar))
    }

    /// Lines in `out`, one every few seconds at most.
    pub fn lines(out: impl Write + Send + 'static) -> Self {
        Self::new(Display::Lines(Lines { out: Box::new(out), pace: PACE, last: None }))
    }

    fn new(display: Display) -> Self {
        Self { display, all: 0, counts: BTreeMap::new() }
    }

    fn done(&self) -> usize {
        self.counts.values().sum()
    }
}

impl Listener for Progress {
    fn on_event(&mut self, event: &Event) {
        match event {
            Event::RunStarted { target, cases, .. } => {
                self.all = *cases;
                self.display.start(target, *cases);
            }
            Event::Remark(sentence) => self.display.say(&visible(sentence)),
            Event::CaseStarted { .. } => {}
            Event::CaseFinished(case) => {
                *self.counts.entry(case.verdict).or_default() += 1;
                let done = self.done();
                self.display.update(done, self.all, &self.counts);
            }
            Event::RunFinished(_) => self.display.finish(),
        }
    }
}

impl Display {
    fn start(&mut self, target: &str, cases: usize) {
        match self {
            Self::Bar(bar) => bar.set_length(cases as u64),
            Self::Lines(lines) => lines.print(&message::checking(target, cases)),
        }
    }

    fn say(&mut self, sentence: &str) {
        match self {
            Self::Bar(bar) => bar.println(sentence),
            Self::Lines(lines) => lines.print(sentence),
        }
    }

    fn update(&mut self, done: usize, all: usize, counts: &BTreeMap<CaseVerdict, usize>) {
        match self {
            Self::Bar(bar) => {
                bar.set_position(done as u64);
                bar.set_message(message::troubles(counts));
            }
            Self::Lines(lines) => {
                if lines.last.is_none_or(|last| last.elapsed() >= lines.pace) {
                    lines.print(&message::progress(done, all, counts));
                }
            }
        }
    }

    fn finish(&mut self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

impl Lines {
    fn print(&mut self, line: &str) {
        // A log that can no longer be written is no reason to end a run: the report at the end says what it says.
        let _ = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
        self.last = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::report::sample;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn log_of(pace: Duration) -> String {
        let log = Log::default();
        let mut progress =
            Progress::new(Display::Lines(Lines { out: Box::new(log.clone()), pace, last: None }));
        for event in sample::events() {
            progress.on_event(&event);
        }
        String::from_utf8(log.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn lines_tell_of_every_trouble_when_there_is_time_for_it() {
        insta::assert_snapshot!(log_of(Duration::ZERO));
    }

    #[test]
    fn lines_keep_their_distance() {
        let log = log_of(PACE);
        assert_eq!(log.lines().count(), 2, "{log}");
    }
}
