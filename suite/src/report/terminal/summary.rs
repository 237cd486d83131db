use std::io;

use anstyle::Style;

use crate::{
    event::RunResult,
    report::{
        findings::{Conclusion, Findings, Group, Reason, Tally},
        message,
        standard::Standard,
        visible::visible,
    },
};

use super::{
    finding::write_curl,
    sheet::{BAD, DOUBTFUL, FAINT, GOOD, PLAIN, STRONG, Sheet},
};

/// Names that are listed of a group of cases.
const NAMES: usize = 3;

/// Groups of blocked cases of which the first case's evidence is shown.
const GROUPS_WITH_EVIDENCE: usize = 8;

/// What was left without an answer, the table of rules, and the last line.
pub(super) fn write(
    sheet: &mut Sheet<'_>,
    run: &RunResult,
    findings: &Findings<'_>,
    standard: Standard<'_>,
) -> io::Result<()> {
    // What would not have been run anyway says nothing of a target that cannot be used.
    if run.could_not_begin() {
        return write_last_line(sheet, run, findings, standard);
    }
    write_blocked(sheet, findings)?;
    write_errored(sheet, findings)?;
    write_skipped(sheet, findings)?;
    if !findings.areas.is_empty() {
        write_table(sheet, run, findings)?;
    }
    if !findings.noted.is_empty() {
        let cases = findings.noted.iter().map(|finding| finding.accusations.len()).sum();
        sheet.line(0, &[(PLAIN, &message::notes(findings.noted.len(), cases))])?;
        sheet.blank()?;
    }
    if let Some(finding) = findings.broken.first().or(findings.warned.first()) {
        sheet.prose(0, FAINT, &message::more_of_a_rule(finding.id))?;
        sheet.blank()?;
    }
    write_differences(sheet, standard)?;
    write_unsteady(sheet, run, standard)?;
    write_last_line(sheet, run, findings, standard)
}

fn write_blocked(sheet: &mut Sheet<'_>, findings: &Findings<'_>) -> io::Result<()> {
    write_heading(sheet, message::BLOCKED, &findings.blocked)?;
    for (index, group) in findings.blocked.iter().enumerate() {
        write_group(sheet, group, DOUBTFUL)?;
        if index >= GROUPS_WITH_EVIDENCE {
            continue;
        }
        // Where the rule in the way has findings of its own, those show more than the stage of another case.
        let told = matches!(group.reason, Reason::Rule(rule) if findings.broken.iter().any(|finding| finding.id == rule));
        if !told && let Some(case) = group.cases.first() {
            if let (Reason::Rule(_), Some(reason)) = (&group.reason, &case.reason) {
                sheet.prose(4, PLAIN, &visible(reason))?;
            }
            for mismatch in &case.mismatches {
                let short =
                    message::mismatch_in_short(&mismatch.subject, &mismatch.expected, &mismatch.actual);
                sheet.line(4, &[(PLAIN, &short)])?;
            }
            if let Some(exchange) = case.exchanges.last() {
                write_curl(sheet, 4, exchange)?;
            }
        }
    }
    write_end(sheet, &findings.blocked)
}

fn write_errored(sheet: &mut Sheet<'_>, findings: &Findings<'_>) -> io::Result<()> {
    write_heading(sheet, message::ERRORED, &findings.errored)?;
    for group in &findings.errored {
        write_group(sheet, group, BAD)?;
    }
    write_end(sheet, &findings.errored)
}

fn write_skipped(sheet: &mut Sheet<'_>, findings: &Findings<'_>) -> io::Result<()> {
    write_heading(sheet, message::NOT_RUN, &findings.skipped)?;
    for group in &findings.skipped {
        sheet.prose(2, FAINT, &message::group(&group.reason, group.cases.len()))?;
    }
    write_end(sheet, &findings.skipped)
}

fn write_heading(sheet: &mut Sheet<'_>, title: &str, groups: &[Group<'_>]) -> io::Result<()> {
    if groups.is_empty() {
        return Ok(());
    }
    let cases = groups.iter().map(|group| group.cases.len()).sum();
    sheet.heading(STRONG, &message::heading(title, cases))
}

fn write_group(sheet: &mut Sheet<'_>, group: &Group<'_>, style: Style) -> io::Result<()> {
    sheet.prose(2, style, &message::group(&group.reason, group.cases.len()))?;
    let names: Vec<_> = group.cases.iter().map(|case| case.id.as_str()).take(NAMES).collect();
    let more = group.cases.len() - names.len();
    sheet.prose(4, FAINT, &message::and_more(&names, more))
}

fn write_end(sheet: &mut Sheet<'_>, groups: &[Group<'_>]) -> io::Result<()> {
    if groups.is_empty() { Ok(()) } else { sheet.blank() }
}

fn write_table(sheet: &mut Sheet<'_>, run: &RunResult, findings: &Findings<'_>) -> io::Result<()> {
    let total = findings.total(message::ALL_RULES);
    let judgements =
        findings.judgements.iter().map(|tally| Tally { name: message::judged(&tally.name), ..tally.clone() });
    let sums: Vec<_> = judgements.chain([total.clone()]).collect();
    let longest = findings.areas.iter().chain(&sums).map(|tally| tally.name.len()).max().unwrap_or(0);
    let name_width = longest.max(message::RULES.len());

    let mut head = format!("{:name_width$}", message::RULES.to_uppercase());
    for column in message::COLUMNS {
        head.push_str(&format!("  {column:>11}"));
    }
    sheet.line(0, &[(STRONG, &head)])?;
    for tally in findings.areas.iter().filter(|tally| tally.visible_total() > 0) {
        write_row(sheet, tally, name_width)?;
    }
    sheet.line(0, &[(FAINT, &"-".repeat(name_width + message::COLUMNS.len() * 13))])?;
    for tally in sums.iter().filter(|tally| tally.visible_total() > 0) {
        write_row(sheet, tally, name_width)?;
    }
    if let Some(sentence) = message::proven_in_part(run) {
        sheet.prose(0, FAINT, &sentence)?;
    }
    if total.not_observable > 0 {
        sheet.line(0, &[(FAINT, &message::not_observable(total.not_observable))])?;
    }
    sheet.blank()
}

fn write_row(sheet: &mut Sheet<'_>, tally: &Tally, name_width: usize) -> io::Result<()> {
    let styles = [GOOD, BAD, DOUBTFUL, PLAIN, PLAIN];
    let mut texts = Vec::with_capacity(styles.len());
    for (style, number) in styles.into_iter().zip(tally.cells()) {
        let (style, text) = if number == 0 { (FAINT, "-".to_owned()) } else { (style, number.to_string()) };
        texts.push((style, format!("  {text:>11}")));
    }
    let name = format!("{:name_width$}", tally.name);
    let mut parts = vec![(PLAIN, name.as_str())];
    parts.extend(texts.iter().map(|(style, text)| (*style, text.as_str())));
    sheet.line(0, &parts)
}

/// How the run differs from what was known. Rules that are newly broken are shown in full already.
fn write_differences(sheet: &mut Sheet<'_>, standard: Standard<'_>) -> io::Result<()> {
    let differences = message::differences(standard);
    if differences.is_empty() {
        return Ok(());
    }
    sheet.heading(STRONG, message::NOT_AS_KNOWN)?;
    for sentence in differences {
        sheet.prose(2, BAD, &sentence)?;
    }
    sheet.blank()
}

/// What several runs did not agree on.
fn write_unsteady(sheet: &mut Sheet<'_>, run: &RunResult, standard: Standard<'_>) -> io::Result<()> {
    let sentences = message::unsteady(run, standard);
    if sentences.is_empty() {
        return Ok(());
    }
    sheet.heading(STRONG, message::UNSTEADY)?;
    for sentence in sentences {
        sheet.prose(2, BAD, &sentence)?;
    }
    sheet.blank()
}

fn write_last_line(
    sheet: &mut Sheet<'_>,
    run: &RunResult,
    findings: &Findings<'_>,
    standard: Standard<'_>,
) -> io::Result<()> {
    let style = match findings.conclusion {
        Conclusion::Passed => GOOD.bold(),
        Conclusion::Failed | Conclusion::Unusable | Conclusion::Errored => BAD,
    };
    let line = format!(": {}", message::sums(run, findings, standard));
    let incomplete =
        message::incomplete(&findings.open).map(|sentence| format!("; {sentence}")).unwrap_or_default();
    sheet.line(0, &[(style, message::verdict(findings.conclusion)), (PLAIN, &line), (DOUBTFUL, &incomplete)])
}
