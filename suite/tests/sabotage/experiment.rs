//! Draws single expectations out of the cases, removes each, and looks whether the matrix notices: whether a case
//! then no longer fails where it failed, at the same step for the same reason, as the snapshots have it.
//!
//! `SEED` (0), `DRAWS` (100) and `AREAS` (all) choose; `CASE` narrows to cases with that in their ids, `LEAF` to
//! expectations with that in their places. Survivors are printed. Cases that only note something are left out: they fail on nothing.

use futures_util::{StreamExt as _, stream};
use rand::{SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use serde_json::Value;
use streamgauge::{case::CaseSet, fixture::FixtureSource, rule::RuleId, run::Job};
use streamgauge_fixtures::Folder;

use super::{
    leaf::Leaf,
    matrix::{Matrix, fixtures, jobs},
    outcome::{Signs, common, signs, without},
    wear,
};

/// Draws side by side.
const AT_ONCE: usize = 12;

/// Worn-out servers side by side, for each draw.
const SERVERS: usize = 24;

/// Of a hundred removals, so many have to be noticed.
const WANTED: usize = 95;

/// One expectation of one case.
struct Draw {
    case: Value,
    leaf: Leaf,
}

pub(crate) async fn run(matrix: &Matrix) {
    let seed = setting("SEED").map_or(0, |text| text.parse().expect("SEED is a number"));
    let count = setting("DRAWS").map_or(100, |text| text.parse().expect("DRAWS is a number"));
    let mut draws = all_expectations(matrix);
    let total = draws.len();
    draws.shuffle(&mut StdRng::seed_from_u64(seed));
    draws.truncate(count);
    let survivors: Vec<String> = stream::iter(&draws)
        .map(|draw| async move { if draw.is_noticed(matrix).await { None } else { Some(draw.name()) } })
        .buffered(AT_ONCE)
        .filter_map(async |survivor| survivor)
        .collect()
        .await;
    let noticed = draws.len() - survivors.len();
    println!("{noticed} of {} removals were noticed (seed {seed}, {total} expectations)", draws.len());
    for survivor in &survivors {
        println!("nobody misses {survivor}");
    }
    assert!(noticed * 100 >= draws.len() * WANTED, "at least {WANTED} of 100 are wanted");
}

fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// All expectations that can turn a case red.
fn all_expectations(matrix: &Matrix) -> Vec<Draw> {
    let areas = setting("AREAS");
    let is_wanted = |rule: &str| {
        let rule = RuleId::new(rule);
        let of_area = areas.as_ref().is_none_or(|areas| areas.split(',').any(|area| area == rule.area()));
        of_area && matrix.catalogue.rule(&rule).is_some_and(|rule| rule.wants_a_case())
    };
    let (named, placed) = (setting("CASE").unwrap_or_default(), setting("LEAF").unwrap_or_default());
    let files = fixtures().files(Folder::Cases).unwrap_or_else(|error| panic!("{error}"));
    let cases = files
        .into_iter()
        .flat_map(|file| file.parse_list::<Value>().unwrap_or_else(|error| panic!("{error}")));
    cases
        .filter(|case| text(case, "id").contains(&named))
        .filter(|case| {
            case["proves"].as_array().into_iter().flatten().filter_map(Value::as_str).any(is_wanted)
        })
        .flat_map(|case| Leaf::all(&case).into_iter().map(move |leaf| Draw { case: case.clone(), leaf }))
        .filter(|draw| draw.leaf.to_string().contains(&placed))
        .collect()
}

impl Draw {
    fn name(&self) -> String {
        format!("{} {}", text(&self.case, "id"), self.leaf)
    }

    /// Whether a sign of failure is lost that comes twice with the expectation and never without it.
    async fn is_noticed(&self, matrix: &Matrix) -> bool {
        let whole = load(&self.case, matrix).expect("the case is read from a file");
        // A case that is no case without it cannot lose it.
        let Ok(rest) = load(&self.leaf.removed_from(&self.case), matrix) else {
            return true;
        };
        if lost_twice(|| wear::found(matrix, &whole, SERVERS), || wear::found(matrix, &rest, SERVERS)).await {
            return true;
        }
        let rules: Vec<RuleId> = whole.iter().flat_map(Job::proves).collect();
        for sabotage in matrix.sabotages_of(&rules) {
            let red = async |jobs: &Vec<Job>| signs(jobs, &matrix.against(sabotage, jobs.clone()).await);
            if lost_twice(|| red(&whole), || red(&rest)).await {
                return true;
            }
        }
        false
    }
}

/// Whether there are signs that come twice before, and neither time after.
async fn lost_twice<B, A>(before: impl Fn() -> B, after: impl Fn() -> A) -> bool
where
    B: Future<Output = Signs>,
    A: Future<Output = Signs>,
{
    let mut lost: Option<Signs> = None;
    for _ in 0..2 {
        let seen = before().await;
        let missing = if seen.is_empty() { seen } else { without(seen, &after().await) };
        let still = match &lost {
            Some(lost) => common(missing, lost),
            None => missing,
        };
        if still.is_empty() {
            return false;
        }
        lost = Some(still);
    }
    true
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_default()
}

/// The case as it would be read from a file. JSON is YAML; pretty, so that steps begin on lines of their own.
fn load(case: &Value, matrix: &Matrix) -> Result<Vec<Job>, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let cases = folder.path().join(Folder::Cases.name());
    std::fs::create_dir(&cases).map_err(|error| error.to_string())?;
    let json = serde_json::to_string_pretty(&[case]).map_err(|error| error.to_string())?;
    // The one character that may stand in JSON and not in YAML.
    let json = json.replace('\u{7f}', "\\u007f");
    std::fs::write(cases.join("case.yaml"), json).map_err(|error| error.to_string())?;
    let source = FixtureSource::Directory(folder.path().to_owned());
    let set = CaseSet::load(&source, &matrix.catalogue).map_err(|error| error.to_string())?;
    Ok(jobs(set))
}
