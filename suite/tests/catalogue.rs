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
    assert_eq!(missing, Vec::<&str>::new(), "rules that have to be proven and have no case");
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
