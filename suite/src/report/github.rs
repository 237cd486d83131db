//! What GitHub Actions shows of a run: annotations, and the summary of the job.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::event::RunResult;

use super::{
    findings::{Finding, Findings},
    markdown, message,
    standard::Standard,
};

/// GitHub shows no more annotations of one kind for a step.
const SHOWN: usize = 10;
/// GitHub refuses a summary of more than 1 MiB for a step.
const SUMMARY_LIMIT: usize = 1_000_000;

/// Whether this process is a step of a job.
pub fn is_here() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// The file that becomes the summary of the step, where there is one.
pub fn summary_file() -> Option<PathBuf> {
    std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Adds the page to the summary of the step.
///
/// # Errors
///
/// When the file cannot be written.
pub fn append_summary(file: &Path, run: &RunResult, standard: Standard<'_>) -> io::Result<()> {
    let page = markdown::page(run, standard, SUMMARY_LIMIT);
    OpenOptions::new().append(true).create(true).open(file)?.write_all(page.as_bytes())
}

/// Writes one annotation for each rule that is broken or warned, the first ten of each.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write_annotations(out: &mut dyn Write, run: &RunResult, standard: Standard<'_>) -> io::Result<()> {
    let findings = Findings::of(run, standard);
    let (known, new): (Vec<_>, Vec<_>) =
        findings.broken.iter().partition(|finding| standard.knows(finding.id));
    write_kind(out, "error", &new)?;
    write_kind(out, "warning", &findings.warned.iter().chain(known).collect::<Vec<_>>())?;
    if let Some(why) = &run.unusable {
        write_one(out, "error", "streamgauge", why)?;
    }
    if let Some(incomplete) = message::incomplete(&findings.open) {
        write_one(out, "notice", "streamgauge", &incomplete)?;
    }
    Ok(())
}

fn write_kind(out: &mut dyn Write, kind: &str, findings: &[&Finding<'_>]) -> io::Result<()> {
    let room = if findings.len() > SHOWN { SHOWN - 1 } else { SHOWN };
    for finding in findings.iter().take(room) {
        let title = match finding.rule {
            Some(rule) => {
                format!("{} ({})", finding.id, message::standing(&rule.section, &rule.level, rule.judged))
            }
            None => finding.id.to_string(),
        };
        write_one(out, kind, &title, &text(finding))?;
    }
    if findings.len() > room {
        write_one(out, kind, "streamgauge", &message::rules_left_out(findings.len() - room))?;
    }
    Ok(())
}

fn text(finding: &Finding<'_>) -> String {
    let mut lines = vec![finding.rule.map_or(message::rule_not_listed(), |rule| &rule.statement).to_owned()];
    lines.push(message::seen_in(finding.accusations.len(), false));
    if let Some(first) = finding.accusations.first() {
        lines.push(format!("{}: {}", first.case.id, message::accusation_in_short(first)));
    }
    lines.join("\n")
}

fn write_one(out: &mut dyn Write, kind: &str, title: &str, text: &str) -> io::Result<()> {
    let title = data(title).replace(':', "%3A").replace(',', "%2C");
    writeln!(out, "::{kind} title={title}::{}", data(text))
}

/// The escapes of workflow commands.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn annotations(run: &RunResult) -> String {
        let mut out = Vec::new();
        write_annotations(&mut out, run, sample::standard()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_annotations_of_a_troubled_run() {
        insta::assert_snapshot!(annotations(&sample::troubled()));
    }

    #[test]
    fn what_a_target_sends_commands_nothing() {
        let annotations = annotations(&sample::hostile());
        assert_eq!(annotations.lines().count(), 1, "{annotations}");
    }

    #[test]
    fn what_exceeds_the_ten_that_are_shown_is_counted() {
        let mut run = sample::hostile();
        let names = (0..12).map(|number| crate::rule::RuleId::new(format!("made.up-{number:02}")));
        run.cases[0].mismatches[0].rules = names.collect();
        let annotations = annotations(&run);
        assert_eq!(annotations.lines().count(), 10, "{annotations}");
        assert!(annotations.contains(&message::rules_left_out(3)), "{annotations}");
    }

    #[test]
    fn a_summary_is_added_to_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("summary.md");
        std::fs::write(&file, "before\n").unwrap();
        append_summary(&file, &sample::clean(), sample::standard()).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("before\n## Streamgauge: PASSED"), "{text}");
    }
}
