//! The report of a night, in Markdown.

use std::{fmt::Write as _, time::Duration};

use crate::{findings, session::Outcome, state::State};

pub(crate) fn markdown(state: &State) -> String {
    let mut text = String::new();
    let spent = spelled(Duration::from_secs(state.spent));
    let planned = spelled(Duration::from_secs(state.planned));
    let _ = writeln!(text, "# Fuzzing: {spent} of {planned}\n");
    text.push_str("| target | runs | runs a second | edges | new edges | new inputs | findings |\n");
    text.push_str("|---|---:|---:|---:|---:|---:|---:|\n");
    for (name, totals) in &state.targets {
        let new_edges = totals.edges.saturating_sub(totals.edges_at_start);
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {new_edges} | {} | {} |",
            totals.runs,
            totals.runs_a_second(),
            totals.edges,
            totals.new_inputs,
            totals.findings
        );
    }
    if state.findings.is_empty() {
        text.push_str("\nNothing was found.\n");
        return text;
    }
    for finding in &state.findings {
        let Ok(()) = writeln!(
            text,
            "\n## {}: {}\n\nCame {}. Replay it with\n\n    {}",
            finding.target,
            finding.what,
            times(finding.times),
            findings::replay_command(finding)
        ) else {
            break;
        };
    }
    text
}

/// What a run has done, for one line of a terminal.
pub(crate) fn in_a_line(outcome: &Outcome) -> String {
    let rate = outcome.runs as f64 / outcome.seconds.max(0.001);
    format!("{} runs, {rate:.0}/s, {} edges, {} new inputs", outcome.runs, outcome.edges, outcome.new_inputs)
}

pub(crate) fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

pub(crate) fn spelled(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Finding, Totals};

    #[test]
    fn a_finding_names_the_command_that_replays_it() {
        let mut state = State { planned: 28_800, spent: 3_725, ..State::default() };
        let totals =
            Totals { runs: 1000, seconds: 10.0, edges: 40, edges_at_start: 30, new_inputs: 7, findings: 1 };
        state.targets.insert("ttl".into(), totals);
        assert!(markdown(&state).contains("Nothing was found"));
        state.findings.push(Finding {
            target: "ttl".into(),
            what: "ttl.rs:14:5: boom".into(),
            input: "fuzz/regressions/ttl/crash-1".into(),
            times: 3,
        });
        let text = markdown(&state);
        assert!(text.contains("1 h 2 min of 8 h 0 min"), "{text}");
        assert!(text.contains("| ttl | 1000 | 100 | 40 | 10 | 7 | 1 |"), "{text}");
        assert!(text.contains("Came 3 times."), "{text}");
        assert!(text.contains("-- replay ttl fuzz/regressions/ttl/crash-1"), "{text}");
    }
}
