//! A page in Markdown, for pull requests and the summaries of jobs.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use crate::event::RunResult;

use super::{
    findings::{Accusation, Finding, Findings, Group, Tally},
    message,
    standard::Standard,
    terminal,
    visible::visible,
};

/// Writes the page.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write(out: &mut dyn Write, run: &RunResult, standard: Standard<'_>) -> io::Result<()> {
    out.write_all(page(run, standard, usize::MAX).as_bytes())
}

/// The page. Evidence, and then whole rules, are left out where it would grow beyond about `limit` bytes.
pub(super) fn page(run: &RunResult, standard: Standard<'_>, limit: usize) -> String {
    let findings = Findings::of(run, standard);
    let mut page = String::new();
    head(&mut page, run, &findings, standard);
    table(&mut page, &findings);
    if let Some(sentence) = message::proven_in_part(run) {
        line(&mut page, &format!("\n{}", escaped(&sentence)));
    }
    let mut left_out = 0;
    for (title, list) in [(message::BROKEN_RULES, &findings.broken), (message::WARNINGS, &findings.warned)] {
        if list.is_empty() {
            continue;
        }
        line(&mut page, &format!("\n### {}", message::heading(title, list.len())));
        for finding in list {
            let known = standard.knows(finding.id);
            let fits = [true, false]
                .map(|with_evidence| rule(finding, known, with_evidence && !known))
                .into_iter()
                .find(|section| page.len().saturating_add(section.len()) <= limit);
            match fits {
                Some(section) => page.push_str(&section),
                None => left_out += 1,
            }
        }
    }
    if left_out > 0 {
        line(&mut page, &format!("\n{}", message::rules_left_out(left_out)));
    }
    groups(&mut page, message::BLOCKED, &findings.blocked);
    groups(&mut page, message::ERRORED, &findings.errored);
    groups(&mut page, message::NOT_RUN, &findings.skipped);
    page
}

fn head(page: &mut String, run: &RunResult, findings: &Findings<'_>, standard: Standard<'_>) {
    line(page, &format!("## Streamgauge: {}\n", message::verdict(findings.conclusion)));
    line(page, &format!("Target: {}\n", code(&run.target)));
    line(page, &escaped(&message::sums(run, findings, standard)));
    if let Some(incomplete) = message::incomplete(&findings.open) {
        line(page, &format!("\n**{}**", escaped(&incomplete)));
    }
    for sentence in message::differences(standard).into_iter().chain(message::unsteady(run, standard)) {
        line(page, &format!("\n- {}", escaped(&sentence)));
    }
}

fn table(page: &mut String, findings: &Findings<'_>) {
    if findings.areas.is_empty() {
        return;
    }
    line(page, &format!("\n| | {} |", message::COLUMNS.join(" | ")));
    line(page, &format!("|---|{}", "--:|".repeat(message::COLUMNS.len())));
    for tally in findings.areas.iter().filter(|tally| tally.visible_total() > 0) {
        row(page, &escaped(&tally.name), tally);
    }
    for tally in &findings.judgements {
        row(page, &format!("*{}*", message::judged(&tally.name)), tally);
    }
    row(page, &format!("**{}**", message::ALL_RULES), &findings.total(message::ALL_RULES));
}

fn row(page: &mut String, name: &str, tally: &Tally) {
    let cells = tally.cells().map(|number| if number == 0 { String::new() } else { number.to_string() });
    line(page, &format!("| {name} | {} |", cells.join(" | ")));
}

fn rule(finding: &Finding<'_>, known: bool, with_evidence: bool) -> String {
    let mut section = String::new();
    let standing = finding
        .rule
        .map(|rule| format!(" ({})", message::standing(&rule.section, &rule.level, rule.judged)))
        .unwrap_or_default();
    line(&mut section, &format!("\n#### {}{}\n", code(finding.id.as_str()), escaped(&standing)));
    let statement = finding.rule.map_or(message::rule_not_listed(), |rule| &rule.statement);
    line(&mut section, &format!("{}\n", escaped(statement)));
    line(&mut section, &format!("{}:\n", message::seen_in(finding.accusations.len(), known)));
    for accusation in &finding.accusations {
        line(&mut section, &format!("- {}: {}", code(&accusation.case.id), escaped(&accusation.case.title)));
        for mismatch in &accusation.mismatches {
            let short = message::mismatch_in_short(&mismatch.subject, &mismatch.expected, &mismatch.actual);
            line(&mut section, &format!("  - {}", code(&short)));
        }
    }
    if with_evidence && let Some(first) = finding.accusations.first() {
        evidence(&mut section, first);
    }
    section
}

fn evidence(section: &mut String, accusation: &Accusation<'_>) {
    let text = terminal::accusation_text(accusation);
    let fence = "`".repeat(longest_run(&text, '`').max(2) + 1);
    let summary = message::evidence_of(&accusation.case.id).replace('&', "&amp;").replace('<', "&lt;");
    line(
        section,
        &format!("\n<details><summary>{summary}</summary>\n\n{fence}text\n{text}{fence}\n\n</details>"),
    );
}

fn groups(page: &mut String, title: &str, groups: &[Group<'_>]) {
    if groups.is_empty() {
        return;
    }
    let cases = groups.iter().map(|group| group.cases.len()).sum();
    line(page, &format!("\n### {}\n", message::heading(title, cases)));
    for group in groups {
        line(page, &format!("- {}", escaped(&message::group(&group.reason, group.cases.len()))));
    }
}

fn line(page: &mut String, text: &str) {
    writeln!(page, "{text}").expect("a String takes all that is written to it");
}

/// Text that Markdown leaves as it is.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in visible(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '$' | '@' => {
                escaped.push('\\');
                escaped.push(character);
            }
            plain => escaped.push(plain),
        }
    }
    escaped
}

/// The text as code within a line.
pub(super) fn code(text: &str) -> String {
    let text = visible(text);
    let ticks = "`".repeat(longest_run(&text, '`') + 1);
    // Markdown takes one space off either side, where there is one on both.
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

fn longest_run(text: &str, wanted: char) -> usize {
    text.split(|character| character != wanted).map(|run| run.len() / wanted.len_utf8()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_page_of_a_troubled_run() {
        insta::assert_snapshot!(page(&sample::troubled(), sample::standard(), usize::MAX));
    }

    #[test]
    fn the_page_of_a_hostile_target() {
        insta::assert_snapshot!(page(&sample::hostile(), sample::standard(), usize::MAX));
    }

    #[test]
    fn a_page_with_little_room_leaves_out_evidence_first_and_says_what_else() {
        let run = sample::troubled();
        let whole = page(&run, sample::standard(), usize::MAX);
        let narrow = page(&run, sample::standard(), 2_500);
        assert!(whole.contains("<details>") && whole.len() > 5_000);
        assert!(narrow.len() < 3_500 && narrow.contains("create.new-201"), "{}", narrow.len());
        let tiny = page(&run, sample::standard(), 800);
        assert!(tiny.contains(&message::rules_left_out(4)), "{tiny}");
    }

    #[test]
    fn code_outlasts_the_backticks_in_it() {
        assert_eq!(code("plain"), "`plain`");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`"), "`` ` ``");
    }
}
