//! Reports to compare in tests.

use crate::{
    event::{CaseVerdict, Mismatch, RuleResult, RuleVerdict},
    fixture::Place,
    report::findings::Conclusion,
    rule::{Judgement, RuleId},
};

use super::recorded::{Incomplete, Recorded, RecordedCase, Server, Target, Tool};

use RuleVerdict::{Broken, NotChecked, NotClaimed, NotObservable, Proven, Warned};

/// Three servers: one that is right, one that is not, and one that offers less and was looked at by an older program.
pub(super) fn three_servers() -> Vec<Server> {
    let right = [
        ("append.status-204", Proven),
        ("core.durable", NotObservable),
        ("create.new-201", Proven),
        ("fork.same-data", Proven),
        ("read.page-size", Warned),
        ("read.past-tail-400", Proven),
        ("ttl.sliding", Proven),
    ];
    let wrong = [
        ("append.status-204", Broken),
        ("core.durable", NotObservable),
        ("create.new-201", Proven),
        ("fork.same-data", NotChecked),
        ("read.page-size", Warned),
        ("read.past-tail-400", Warned),
        ("ttl.sliding", Broken),
    ];
    let less = [
        ("append.status-204", Proven),
        ("core.durable", NotObservable),
        ("create.new-201", Proven),
        ("fork.same-data", NotClaimed),
        ("read.page-size", Warned),
        ("read.past-tail-400", Proven),
    ];
    let mut less = server("a <small> one", &less, &[]);
    less.report.tool.version = "0.0.9".to_owned();
    vec![
        server("right", &right, &[]),
        server(
            "wrong",
            &wrong,
            &[("append.status-204", &["an-append-is-answered-204", "json-appends-are-too"])],
        ),
        less,
    ]
}

/// One server, before and after a change of it.
pub(super) fn two_runs() -> [Server; 2] {
    let before = [
        ("append.status-204", Proven),
        ("create.new-201", Broken),
        ("read.page-size", Proven),
        ("read.past-tail-400", Broken),
        ("ttl.sliding", Proven),
    ];
    let after = [
        ("append.status-204", Broken),
        ("create.location-201", Proven),
        ("create.new-201", Broken),
        ("read.page-size", Warned),
        ("read.past-tail-400", Proven),
    ];
    [
        server(
            "before",
            &before,
            &[
                ("create.new-201", &["creates-a-stream"]),
                ("read.past-tail-400", &["a-read-behind-the-tail-is-400"]),
            ],
        ),
        server(
            "after",
            &after,
            &[
                ("append.status-204", &["an-append-is-answered-204"]),
                ("create.new-201", &["creates-a-stream", "creates-it-with-a-body"]),
            ],
        ),
    ]
}

/// A report with these verdicts, and the cases that accuse some of the rules.
fn server(name: &str, verdicts: &[(&str, RuleVerdict)], accusing: &[(&str, &[&str])]) -> Server {
    let cases_of = |id: &str| -> Vec<String> {
        let cases = accusing.iter().filter(|(rule, _)| *rule == id).flat_map(|(_, cases)| *cases);
        cases.map(|case| (*case).to_owned()).collect()
    };
    let rules: Vec<RuleResult> = verdicts
        .iter()
        .map(|&(id, verdict)| RuleResult {
            id: RuleId::new(id),
            section: "5.1".to_owned(),
            level: "MUST".to_owned(),
            judged: if id == "read.page-size" { Judgement::Note } else { Judgement::Error },
            statement: format!("What {id} says; <b>all</b> of it."),
            verdict,
            reason: matches!(verdict, NotClaimed | NotChecked).then(|| "the reason".to_owned()),
            cases: cases_of(id),
            cases_not_checked: 0,
        })
        .collect();
    let cases = accusing.iter().flat_map(|&(rule, cases)| cases.iter().map(move |case| accuses(case, rule)));
    let broken = verdicts.iter().any(|(_, verdict)| *verdict == Broken);
    let open = verdicts.iter().filter(|(_, verdict)| *verdict == NotChecked).count();
    let report = Recorded {
        tool: Tool { version: "0.1.0".to_owned() },
        target: Target { url: format!("http://127.0.0.1:7001/{name}") },
        conclusion: if broken { Conclusion::Failed } else { Conclusion::Passed },
        unusable: None,
        incomplete: Incomplete { rules: open },
        duration_ms: 4100.0,
        rules,
        cases: cases.collect(),
    };
    Server { name: name.to_owned(), report }
}

fn accuses(case: &str, rule: &str) -> RecordedCase {
    let mismatch = Mismatch {
        rules: Vec::new(),
        weight: Judgement::Error,
        place: Place { file: "fixtures/cases/append.yaml".to_owned(), line: 9 },
        subject: "status".to_owned(),
        expected: "204".to_owned(),
        actual: "200".to_owned(),
        exchange: None,
    };
    RecordedCase {
        id: case.to_owned(),
        proves: vec![RuleId::new(rule)],
        verdict: CaseVerdict::Failed,
        mismatches: vec![mismatch],
    }
}
