//! What the page shows, as plain values for the template.

use std::collections::{HashMap, HashSet};

use askama::Template;
use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

use crate::{
    event::{CaseResult, RuleResult, RuleVerdict, RunResult},
    report::{
        curl,
        findings::{Accusation, Conclusion, Finding, Findings, Group, Tally},
        message,
        standard::Standard,
        transcript::{self, Line},
        visible::visible,
        write::Context,
    },
    rule::RuleId,
};

/// The only script of the page. It adds comforts; nothing is hidden without it.
const SCRIPT: &str = include_str!("../../../templates/report.js");

/// Exchanges of one case that the page holds.
const EXCHANGES: usize = 20;

#[derive(Template)]
#[template(path = "report.html")]
pub(super) struct Page<'a> {
    conclusion: &'static str,
    verdict: &'static str,
    sums: String,
    incomplete: Option<String>,
    differences: Vec<String>,
    target: String,
    version: &'static str,
    finished_at: String,
    seed: u64,
    columns: [&'static str; 5],
    areas: Vec<Row>,
    sum_rows: Vec<Row>,
    filters: Vec<Filter>,
    rules: Vec<RuleView<'a>>,
    groups: Vec<GroupsView<'a>>,
    script: &'static str,
    script_hash: String,
}

/// A line of the table of verdicts.
struct Row {
    name: String,
    /// Whether there is a verdict to count.
    shown: bool,
    cells: Vec<Cell>,
}

struct Cell {
    class: &'static str,
    number: usize,
}

/// A verdict by which rules can be shown or hidden.
struct Filter {
    class: &'static str,
    word: &'static str,
    number: usize,
    shown: bool,
}

struct RuleView<'a> {
    id: &'a RuleId,
    area: usize,
    class: &'static str,
    word: &'static str,
    standing: String,
    statement: &'a str,
    reason: Option<String>,
    seen: Option<String>,
    open: bool,
    accusations: Vec<AccusationView<'a>>,
    cases: Vec<CaseView<'a>>,
}

struct AccusationView<'a> {
    title: String,
    case: &'a str,
    place: String,
    took: String,
    mismatches: Vec<MismatchView>,
    /// The rule under which the exchanges stand already.
    elsewhere: Option<&'a RuleId>,
    exchanges: Vec<ExchangeView>,
    left_out: Option<String>,
}

struct MismatchView {
    subject: String,
    stands: String,
    expected: String,
    actual: String,
}

struct ExchangeView {
    summary: String,
    /// Whether it shows a mismatch.
    telling: bool,
    open: bool,
    lines: Vec<Line>,
    curl: String,
    notes: Vec<String>,
}

/// A case of a rule, in one line.
struct CaseView<'a> {
    id: &'a str,
    word: &'static str,
    says: String,
}

/// Cases without an answer, of one verdict.
struct GroupsView<'a> {
    heading: String,
    groups: Vec<(String, Vec<&'a str>)>,
}

impl<'a> Page<'a> {
    pub(super) fn of(run: &'a RunResult, findings: &Findings<'a>, context: Context<'_>) -> Self {
        let mut sum_rows: Vec<_> =
            findings.judgements.iter().map(|tally| Row::of(message::judged(&tally.name), tally)).collect();
        sum_rows.push(Row::of(message::ALL_RULES.to_owned(), &findings.total(message::ALL_RULES)));
        Self {
            conclusion: conclusion_class(findings.conclusion),
            verdict: message::verdict(findings.conclusion),
            sums: message::sums(run, findings, context.standard),
            incomplete: message::incomplete(&findings.open),
            differences: message::differences(context.standard),
            target: visible(&run.target).into_owned(),
            version: env!("CARGO_PKG_VERSION"),
            finished_at: context.finished_at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
            seed: run.seed,
            columns: message::COLUMNS,
            areas: findings.areas.iter().map(|tally| Row::of(tally.name.clone(), tally)).collect(),
            sum_rows,
            filters: filters(findings),
            rules: rules(run, findings, context.standard),
            groups: [
                (message::BLOCKED, &findings.blocked),
                (message::ERRORED, &findings.errored),
                (message::NOT_RUN, &findings.skipped),
            ]
            .into_iter()
            .filter(|(_, groups)| !groups.is_empty())
            .map(|(title, groups)| GroupsView::of(title, groups))
            .collect(),
            script: SCRIPT,
            script_hash: BASE64_STANDARD.encode(Sha256::digest(SCRIPT)),
        }
    }
}

fn conclusion_class(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Passed => "good",
        Conclusion::Failed | Conclusion::Unusable | Conclusion::Errored => "bad",
    }
}

/// The name of the style of a verdict.
const fn class(verdict: RuleVerdict) -> &'static str {
    match verdict {
        RuleVerdict::Proven => "proven",
        RuleVerdict::Broken => "broken",
        RuleVerdict::Warned => "warned",
        RuleVerdict::NotClaimed => "not-claimed",
        RuleVerdict::NotChecked => "not-checked",
        RuleVerdict::NotObservable => "not-observable",
    }
}

/// What calls for a reader stands first.
const ORDER: [RuleVerdict; 6] = [
    RuleVerdict::Broken,
    RuleVerdict::Warned,
    RuleVerdict::NotChecked,
    RuleVerdict::Proven,
    RuleVerdict::NotClaimed,
    RuleVerdict::NotObservable,
];

impl Row {
    fn of(name: String, tally: &Tally) -> Self {
        let verdicts = [
            RuleVerdict::Proven,
            RuleVerdict::Broken,
            RuleVerdict::Warned,
            RuleVerdict::NotClaimed,
            RuleVerdict::NotChecked,
        ];
        let cells = verdicts.into_iter().zip(tally.cells());
        Self {
            name,
            shown: tally.visible_total() > 0,
            cells: cells.map(|(verdict, number)| Cell { class: class(verdict), number }).collect(),
        }
    }
}

fn filters(findings: &Findings<'_>) -> Vec<Filter> {
    let total = findings.total(message::ALL_RULES);
    let troubled = total.broken + total.warned + total.not_checked > 0;
    let filter = |verdict| {
        let number = match verdict {
            RuleVerdict::Proven => total.proven,
            RuleVerdict::Broken => total.broken,
            RuleVerdict::Warned => total.warned,
            RuleVerdict::NotClaimed => total.not_claimed,
            RuleVerdict::NotChecked => total.not_checked,
            RuleVerdict::NotObservable => total.not_observable,
        };
        let calls = matches!(verdict, RuleVerdict::Broken | RuleVerdict::Warned | RuleVerdict::NotChecked);
        let shown = calls || (verdict == RuleVerdict::Proven && !troubled);
        Filter { class: class(verdict), word: message::rule_verdict(verdict), number, shown }
    };
    ORDER.into_iter().map(filter).filter(|filter| filter.number > 0).collect()
}

fn rules<'a>(run: &'a RunResult, findings: &Findings<'a>, standard: Standard<'_>) -> Vec<RuleView<'a>> {
    let areas: HashMap<_, _> =
        findings.areas.iter().enumerate().map(|(index, tally)| (tally.name.as_str(), index)).collect();
    let cases: HashMap<_, _> = run.cases.iter().map(|case| (case.id.as_str(), case)).collect();
    let mut sorted: Vec<_> = run.rules.iter().collect();
    sorted.sort_by_key(|rule| ORDER.iter().position(|verdict| *verdict == rule.verdict));
    let mut shown = HashMap::new();
    let mut views = Vec::new();
    for rule in sorted {
        let area = areas.get(rule.id.area()).copied().unwrap_or_default();
        let found: Vec<_> = findings.of_rule(&rule.id).collect();
        let mut view = RuleView::of(rule, area);
        view.cases = rule
            .cases
            .iter()
            .filter_map(|id| cases.get(id.as_str()))
            .map(|case| CaseView::of(case))
            .collect();
        view.add(&found, standard, &mut shown);
        views.push(view);
    }
    // A rule that the run does not list still has to be seen.
    let listed: HashSet<_> = run.rules.iter().map(|rule| &rule.id).collect();
    for finding in
        findings.broken.iter().chain(&findings.warned).filter(|finding| !listed.contains(finding.id))
    {
        let mut view = RuleView::unlisted(finding.id);
        view.add(&[finding], standard, &mut shown);
        views.insert(0, view);
    }
    views
}

impl<'a> RuleView<'a> {
    fn of(rule: &'a RuleResult, area: usize) -> Self {
        Self {
            id: &rule.id,
            area,
            class: class(rule.verdict),
            word: message::rule_verdict(rule.verdict),
            standing: message::standing(&rule.section, &rule.level, rule.judged),
            statement: &rule.statement,
            reason: rule.reason.as_deref().map(|reason| visible(reason).into_owned()),
            seen: None,
            open: false,
            accusations: Vec::new(),
            cases: Vec::new(),
        }
    }

    fn unlisted(id: &'a RuleId) -> Self {
        Self {
            id,
            area: 0,
            class: class(RuleVerdict::Broken),
            word: message::rule_verdict(RuleVerdict::Broken),
            standing: String::new(),
            statement: message::rule_not_listed(),
            reason: None,
            seen: None,
            open: true,
            accusations: Vec::new(),
            cases: Vec::new(),
        }
    }

    fn add(
        &mut self,
        found: &[&Finding<'a>],
        standard: Standard<'_>,
        shown: &mut HashMap<&'a str, &'a RuleId>,
    ) {
        let accusations: Vec<_> = found.iter().flat_map(|finding| &finding.accusations).collect();
        if accusations.is_empty() {
            return;
        }
        let known = standard.knows(self.id);
        self.open = !known && matches!(self.class, "broken" | "warned");
        self.seen = Some(message::seen_in(accusations.len(), known));
        self.cases.retain(|view| accusations.iter().all(|accusation| accusation.case.id != view.id));
        self.accusations = accusations
            .into_iter()
            .map(|accusation| AccusationView::of(accusation, self.id, shown))
            .collect();
        // The first case is enough to see what is wrong.
        for exchange in self.accusations.iter_mut().take(1).flat_map(|first| &mut first.exchanges) {
            exchange.open = exchange.telling;
        }
    }
}

impl<'a> AccusationView<'a> {
    fn of(accusation: &Accusation<'a>, rule: &'a RuleId, shown: &mut HashMap<&'a str, &'a RuleId>) -> Self {
        let case = accusation.case;
        let elsewhere = *shown.entry(&case.id).or_insert(rule);
        let telling = accusation.telling_exchanges();
        let kept: Vec<usize> = if elsewhere == rule { kept(case, &telling) } else { Vec::new() };
        let left_out = case.exchanges.len() - kept.len();
        Self {
            title: visible(&case.title).into_owned(),
            case: &case.id,
            place: case.place.to_string(),
            took: message::case_took(case.duration, case.attempts),
            mismatches: accusation
                .mismatches
                .iter()
                .map(|mismatch| MismatchView {
                    subject: visible(&mismatch.subject).into_owned(),
                    stands: message::expectation_stands_at(&mismatch.place),
                    expected: visible_lines(&mismatch.expected),
                    actual: visible_lines(&mismatch.actual),
                })
                .collect(),
            elsewhere: (elsewhere != rule).then_some(elsewhere),
            exchanges: kept
                .iter()
                .map(|&index| ExchangeView::of(case, index, telling.contains(&index)))
                .collect(),
            left_out: (elsewhere == rule && left_out > 0).then(|| message::exchanges_left_out(left_out)),
        }
    }
}

/// Indices of the exchanges that the page holds: those that tell, and as many others as there is room for.
fn kept(case: &CaseResult, telling: &[usize]) -> Vec<usize> {
    let mut room = EXCHANGES.saturating_sub(telling.len());
    let mut kept: Vec<usize> = telling.iter().copied().take(EXCHANGES).collect();
    for index in 0..case.exchanges.len() {
        if room > 0 && !telling.contains(&index) {
            room -= 1;
            kept.push(index);
        }
    }
    kept.sort_unstable();
    kept
}

fn visible_lines(text: &str) -> String {
    text.split('\n').map(visible).collect::<Vec<_>>().join("\n")
}

impl ExchangeView {
    fn of(case: &CaseResult, index: usize, telling: bool) -> Self {
        let exchange = &case.exchanges[index];
        let curl = curl::repeat(exchange);
        Self {
            summary: format!("{}. {}", index + 1, transcript::summary(case, index)),
            telling,
            open: false,
            lines: transcript::lines(case, index),
            curl: curl.line,
            notes: curl.notes,
        }
    }
}

impl<'a> CaseView<'a> {
    fn of(case: &'a CaseResult) -> Self {
        use crate::event::CaseVerdict::Passed;
        let says = if case.verdict == Passed { case.title.clone() } else { message::case_in_short(case) };
        Self { id: &case.id, word: message::case_verdict(case.verdict), says: visible(&says).into_owned() }
    }
}

impl<'a> GroupsView<'a> {
    fn of(title: &str, groups: &[Group<'a>]) -> Self {
        let cases = groups.iter().map(|group| group.cases.len()).sum();
        let groups = groups
            .iter()
            .map(|group| {
                let sentence = message::group(&group.reason, group.cases.len());
                (sentence, group.cases.iter().map(|case| case.id.as_str()).collect())
            })
            .collect();
        Self { heading: message::heading(title, cases), groups }
    }
}
