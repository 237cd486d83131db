use std::{
    collections::{HashMap, hash_map::Entry},
    io,
};

use anstyle::Style;

use crate::{
    event::{CaseResult, Mismatch, RuleResult},
    report::{
        curl,
        findings::{Accusation, Finding, Findings},
        message,
        standard::Standard,
        transcript::{self, Side},
        visible::visible,
    },
    rule::{Judgement, RuleId},
    wire::Exchange,
};

use super::sheet::{BAD, DOUBTFUL, FAINT, PLAIN, SENT, STRONG, Sheet};

/// Exchanges of one case that are shown in full.
const EXCHANGES_IN_FULL: usize = 3;
/// Exchanges of one case that are listed in short.
const EXCHANGES_IN_SHORT: usize = 12;
/// Mismatches of one case that are shown.
const MISMATCHES: usize = 8;

/// Broken rules, then warned ones. What fails the run is shown in full, the rest in short.
pub(super) fn write_all(
    sheet: &mut Sheet<'_>,
    findings: &Findings<'_>,
    standard: Standard<'_>,
) -> io::Result<()> {
    let mut shown = Shown::default();
    for (title, style, weight, list) in [
        (message::BROKEN_RULES, BAD, Judgement::Error, &findings.broken),
        (message::WARNINGS, DOUBTFUL, Judgement::Warning, &findings.warned),
    ] {
        if list.is_empty() {
            continue;
        }
        sheet.heading(style, &message::heading(title, list.len()))?;
        sheet.blank()?;
        for finding in list {
            let known = standard.knows(finding.id);
            write_rule(sheet, finding, style, known)?;
            // What is known needs no second proof.
            if standard.fails(weight) && !known {
                write_in_full(sheet, finding, &mut shown)?;
            } else {
                write_in_short(sheet, &finding.accusations)?;
            }
            sheet.blank()?;
        }
    }
    Ok(())
}

/// Cases whose exchanges stand on the sheet already, and under which rule: a case may accuse several.
#[derive(Default)]
struct Shown<'a>(HashMap<&'a str, &'a RuleId>);

fn write_rule(sheet: &mut Sheet<'_>, finding: &Finding<'_>, style: Style, known: bool) -> io::Result<()> {
    write_rule_words(sheet, finding.id, finding.rule, style)?;
    sheet.line(2, &[(FAINT, &message::seen_in(finding.accusations.len(), known))])
}

fn write_rule_words(
    sheet: &mut Sheet<'_>,
    id: &RuleId,
    rule: Option<&RuleResult>,
    style: Style,
) -> io::Result<()> {
    let Some(rule) = rule else {
        sheet.line(0, &[(style, id.as_str())])?;
        return sheet.prose(2, PLAIN, message::rule_not_listed());
    };
    let standing = message::standing(&rule.section, &rule.level, rule.judged);
    sheet.line(0, &[(style, id.as_str()), (FAINT, "  "), (FAINT, &standing)])?;
    sheet.prose(2, PLAIN, &rule.statement)
}

/// The first case with all that shows it, the others with what they missed.
fn write_in_full<'a>(
    sheet: &mut Sheet<'_>,
    finding: &'a Finding<'_>,
    shown: &mut Shown<'a>,
) -> io::Result<()> {
    let fresh =
        finding.accusations.iter().position(|accusation| !shown.0.contains_key(accusation.case.id.as_str()));
    let first = fresh.unwrap_or(0);
    let Some(accusation) = finding.accusations.get(first) else { return Ok(()) };
    sheet.blank()?;
    write_case_words(sheet, accusation)?;
    match shown.0.entry(&accusation.case.id) {
        Entry::Vacant(place) => {
            place.insert(finding.id);
            write_exchanges(sheet, accusation)?;
        }
        Entry::Occupied(place) => sheet.line(4, &[(FAINT, &message::shown_above(place.get()))])?,
    }
    let others: Vec<_> = finding
        .accusations
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != first)
        .map(|(_, other)| other)
        .collect();
    if !others.is_empty() {
        sheet.blank()?;
        sheet.line(2, &[(FAINT, &message::also_in(others.len()))])?;
        write_in_short(sheet, others)?;
    }
    Ok(())
}

/// The case, what it missed, and the exchanges that show it.
pub(super) fn write_case(sheet: &mut Sheet<'_>, accusation: &Accusation<'_>) -> io::Result<()> {
    write_case_words(sheet, accusation)?;
    write_exchanges(sheet, accusation)
}

fn write_case_words(sheet: &mut Sheet<'_>, accusation: &Accusation<'_>) -> io::Result<()> {
    let case = accusation.case;
    sheet.prose(2, STRONG, &visible(&case.title))?;
    let took = message::case_took(case.duration, case.attempts);
    sheet.line(2, &[(PLAIN, &case.id), (FAINT, &format!("  {}  {took}", case.place))])?;
    write_mismatches(sheet, &accusation.mismatches)
}

/// A case by itself: the rules that it accuses, what it missed, and the exchanges that show it.
pub(super) fn write_single(
    sheet: &mut Sheet<'_>,
    case: &CaseResult,
    findings: &Findings<'_>,
) -> io::Result<()> {
    for finding in findings.against(case) {
        write_rule_words(sheet, finding.id, finding.rule, PLAIN)?;
    }
    if findings.against(case).next().is_some() {
        sheet.blank()?;
    }
    let accusation = Accusation { case, mismatches: case.mismatches.iter().collect() };
    write_case(sheet, &accusation)
}

fn write_mismatches(sheet: &mut Sheet<'_>, mismatches: &[&Mismatch]) -> io::Result<()> {
    if mismatches.is_empty() {
        return sheet.line(4, &[(PLAIN, message::no_mismatch())]);
    }
    for mismatch in mismatches.iter().take(MISMATCHES) {
        sheet.blank()?;
        let stands = message::expectation_stands_at(&mismatch.place);
        sheet.line(4, &[(STRONG, &visible(&mismatch.subject)), (FAINT, "  "), (FAINT, &stands)])?;
        write_values(sheet, message::EXPECTED, &mismatch.expected)?;
        write_values(sheet, message::ACTUAL, &mismatch.actual)?;
    }
    write_left_out(sheet, 4, mismatches.len(), MISMATCHES)
}

fn write_values(sheet: &mut Sheet<'_>, label: &str, value: &str) -> io::Result<()> {
    let mut label = format!("{label:8}  ");
    for line in value.split('\n') {
        sheet.line(6, &[(FAINT, &label), (PLAIN, &visible(line))])?;
        label = " ".repeat(label.len());
    }
    Ok(())
}

fn write_exchanges(sheet: &mut Sheet<'_>, accusation: &Accusation<'_>) -> io::Result<()> {
    let case = accusation.case;
    let telling = accusation.telling_exchanges();
    if case.exchanges.len() > telling.len() {
        write_story(sheet, case, &telling)?;
    }
    for index in telling.iter().copied().take(EXCHANGES_IN_FULL) {
        sheet.blank()?;
        for line in transcript::lines(case, index) {
            let style = match line.side {
                Side::Sent => SENT,
                Side::Received => PLAIN,
                Side::Remark => FAINT,
            };
            sheet.line(4, &[(style, &line.to_string())])?;
        }
        write_curl(sheet, 4, &case.exchanges[index])?;
    }
    if telling.len() > EXCHANGES_IN_FULL {
        sheet.line(4, &[(FAINT, &message::exchanges_left_out(telling.len() - EXCHANGES_IN_FULL))])?;
    }
    Ok(())
}

pub(super) fn write_curl(sheet: &mut Sheet<'_>, indent: usize, exchange: &Exchange) -> io::Result<()> {
    let curl = curl::repeat(exchange);
    sheet.line(indent, &[(FAINT, message::REPEAT)])?;
    sheet.line(indent + 2, &[(PLAIN, &curl.line)])?;
    for note in &curl.notes {
        sheet.line(indent + 2, &[(FAINT, &format!("# {note}"))])?;
    }
    Ok(())
}

/// What led there: the exchanges up to the last one that tells, each in one line.
fn write_story(sheet: &mut Sheet<'_>, case: &CaseResult, telling: &[usize]) -> io::Result<()> {
    let end = telling.last().map_or(case.exchanges.len(), |last| last + 1);
    let start = end.saturating_sub(EXCHANGES_IN_SHORT);
    sheet.blank()?;
    sheet.line(4, &[(FAINT, &message::whole_story(case.exchanges.len()))])?;
    for index in start..end {
        let style = if telling.contains(&index) { STRONG } else { FAINT };
        sheet.line(4, &[(style, &format!("{:3}  {}", index + 1, transcript::summary(case, index)))])?;
    }
    let left_out = case.exchanges.len() - (end - start);
    if left_out > 0 {
        sheet.line(4, &[(FAINT, &message::exchanges_left_out(left_out))])?;
    }
    Ok(())
}

fn write_in_short<'a>(
    sheet: &mut Sheet<'_>,
    accusations: impl IntoIterator<Item = &'a Accusation<'a>>,
) -> io::Result<()> {
    for Accusation { case, mismatches } in accusations {
        sheet.line(4, &[(PLAIN, &case.id), (FAINT, &format!("  {}", case.place))])?;
        for mismatch in mismatches.iter().take(MISMATCHES) {
            let Mismatch { subject, expected, actual, .. } = mismatch;
            sheet.line(6, &[(PLAIN, &message::mismatch_in_short(subject, expected, actual))])?;
        }
        write_left_out(sheet, 6, mismatches.len(), MISMATCHES)?;
    }
    Ok(())
}

fn write_left_out(sheet: &mut Sheet<'_>, indent: usize, all: usize, shown: usize) -> io::Result<()> {
    if all > shown {
        sheet.line(indent, &[(FAINT, &message::mismatches_left_out(all - shown))])?;
    }
    Ok(())
}
