//! Single expectations of a case, as they stand in the YAML.

use std::fmt;

use serde_json::{Map, Value};

/// Where one expectation stands: keys and indices from the case down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leaf(Vec<String>);

/// Keys of an expectation that demand nothing themselves.
const NO_DEMANDS: [&str; 2] = ["proves", "warn"];

/// Maps whose entries are demands each; an entry may again be a map of demands.
const MAPS: [&str; 5] = ["headers", "first_control", "last_control", "every_control", "fields"];

/// Lists whose items are demands each.
const LISTS: [&str; 3] = ["present", "absent", "never_falls"];

/// Demands beside `expect`.
const BESIDE: [&str; 4] = ["nothing_after", "gap", "method", "signed"];

/// Steps that are a demand as a whole.
const STEPS: [&str; 3] = ["still_waiting", "quiet", "no_delivery"];

impl Leaf {
    /// All expectations under `steps` of a case.
    pub(crate) fn all(case: &Value) -> Vec<Self> {
        let mut leaves = Vec::new();
        if let Some(steps) = case.get("steps") {
            of_steps(steps, &["steps".to_owned()], &mut leaves);
        }
        leaves
    }

    /// The case without it.
    pub(crate) fn removed_from(&self, case: &Value) -> Value {
        let mut case = case.clone();
        let Some((last, above)) = self.0.split_last() else {
            return case;
        };
        let place = above.iter().try_fold(&mut case, |place, key| match place {
            Value::Array(items) => items.get_mut(key.parse::<usize>().ok()?),
            other => other.get_mut(key),
        });
        match place {
            Some(Value::Object(members)) => {
                members.remove(last);
            }
            Some(Value::Array(items)) => {
                if let Some(index) = last.parse().ok().filter(|index| *index < items.len()) {
                    items.remove(index);
                }
            }
            _ => {}
        }
        case
    }
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

fn below(path: &[String], key: impl Into<String>) -> Vec<String> {
    path.iter().cloned().chain([key.into()]).collect()
}

fn of_steps(steps: &Value, path: &[String], leaves: &mut Vec<Leaf>) {
    for (index, step) in items(steps) {
        let path = below(path, index.to_string());
        for (act, spec) in members(step) {
            if STEPS.contains(&act.as_str()) {
                leaves.push(Leaf(path.clone()));
            } else if let Value::Object(spec) = spec {
                of_act(spec, &below(&path, act), leaves);
            }
        }
    }
}

fn of_act(spec: &Map<String, Value>, path: &[String], leaves: &mut Vec<Leaf>) {
    for (key, value) in spec {
        let path = below(path, key);
        match key.as_str() {
            "expect" => of_expectation(value, &path, leaves),
            "also" => {
                for (index, expectation) in items(value) {
                    of_expectation(expectation, &below(&path, index.to_string()), leaves);
                }
            }
            "accept" => {
                for (index, choice) in items(value) {
                    let path = below(&path, index.to_string());
                    for (key, value) in members(choice) {
                        match key.as_str() {
                            "expect" => of_expectation(value, &below(&path, key), leaves),
                            "then" => of_steps(value, &below(&path, key), leaves),
                            _ => {}
                        }
                    }
                }
            }
            // Where every line has its count, each follows from the others and the number of requests.
            "tally"
                if items(value).count() > 1 && items(value).all(|(_, line)| line.get("count").is_some()) => {}
            "tally" => {
                for (index, line) in items(value) {
                    let counts = members(line).filter(|(key, _)| key.as_str() != "status");
                    leaves.extend(counts.map(|(key, _)| Leaf(below(&below(&path, index.to_string()), key))));
                }
            }
            beside if BESIDE.contains(&beside) => leaves.push(Leaf(path)),
            _ => {}
        }
    }
}

fn of_expectation(expectation: &Value, path: &[String], leaves: &mut Vec<Leaf>) {
    for (key, value) in members(expectation) {
        let path = below(path, key);
        if NO_DEMANDS.contains(&key.as_str()) {
            continue;
        }
        if MAPS.contains(&key.as_str()) {
            for (name, demand) in members(value) {
                let path = below(&path, name);
                match demand {
                    Value::Object(demands) => {
                        leaves.extend(demands.keys().map(|key| Leaf(below(&path, key))));
                    }
                    _ => leaves.push(Leaf(path)),
                }
            }
        } else if LISTS.contains(&key.as_str()) {
            leaves.extend(items(value).map(|(index, _)| Leaf(below(&path, index.to_string()))));
        } else {
            leaves.push(Leaf(path));
        }
    }
}

fn items(value: &Value) -> impl Iterator<Item = (usize, &Value)> {
    value.as_array().into_iter().flatten().enumerate()
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_demand_is_a_leaf_and_can_be_removed() {
        let case = json!({
            "given": [{ "get": { "expect": { "status": 200 } } }],
            "steps": [
                { "get": {
                    "expect": {
                        "proves": ["a.b"],
                        "status": 200,
                        "headers": { "ETag": "x", "Cache-Control": { "directives": ["a"], "not": "b" } },
                        "present": ["A", "B"]
                    },
                    "accept": [{ "expect": { "status": 404 }, "then": [{ "head": { "expect": { "status": 404 } } }] }]
                } },
                { "still_waiting": { "reader": "200ms" } },
                { "at_once": { "times": 2, "tally": [{ "status": 200, "count": 1 }] } },
            ],
        });
        let leaves = Leaf::all(&case);
        let names: Vec<String> = leaves.iter().map(ToString::to_string).collect();
        assert_eq!(
            names,
            [
                "steps/0/get/accept/0/expect/status",
                "steps/0/get/accept/0/then/0/head/expect/status",
                "steps/0/get/expect/headers/Cache-Control/directives",
                "steps/0/get/expect/headers/Cache-Control/not",
                "steps/0/get/expect/headers/ETag",
                "steps/0/get/expect/present/0",
                "steps/0/get/expect/present/1",
                "steps/0/get/expect/status",
                "steps/1",
                "steps/2/at_once/tally/0/count",
            ]
        );
        for leaf in &leaves {
            assert_eq!(Leaf::all(&leaf.removed_from(&case)).len(), leaves.len() - 1, "{leaf}");
        }
    }
}
