//! The embedded data hangs together: what has to be proven has a case.

use std::collections::BTreeSet;

use streamgauge::{
    case::CaseSet,
    fixture::FixtureSource,
    rule::{Catalogue, RuleId},
    scenario,
};

fn catalogue() -> Catalogue {
    Catalogue::load(&FixtureSource::Embedded).unwrap_or_else(|error| panic!("{error}"))
}

/// Rules whose cases are still to be written. A run counts them as not checked; one that has a case goes off the list.
const WITHOUT_A_CASE: [&str; 2] = [
    // Needs a stream that the target declares read-only.
    "append.unsupported-405-501",
    "sse.control-up-to-date-not-early",
];

#[test]
fn every_rule_that_has_to_be_proven_has_a_case() {
    let catalogue = catalogue();
    let cases = CaseSet::load(&FixtureSource::Embedded, &catalogue).unwrap_or_else(|error| panic!("{error}"));
    let mut proven: BTreeSet<RuleId> = cases.cases.iter().flat_map(|case| case.all_rules.clone()).collect();
    proven.extend(
        scenario::all().into_iter().flat_map(|scenario| scenario.proves.iter().map(|id| RuleId::new(*id))),
    );
    let missing: Vec<&str> = catalogue
        .rules()
        .filter(|rule| rule.wants_a_case() && !proven.contains(&rule.id))
        .map(|rule| rule.id.as_str())
        .collect();
    assert_eq!(missing, WITHOUT_A_CASE, "the rules without a case are not the known ones");
}

#[test]
fn scenarios_name_rules_that_exist() {
    let catalogue = catalogue();
    for scenario in scenario::all() {
        for rule in scenario.proves {
            assert!(catalogue.rule(&RuleId::new(*rule)).is_some(), "{}: {rule}", scenario.id);
        }
    }
}
