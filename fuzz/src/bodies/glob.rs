//! Glob patterns of subscriptions: they match what their definition says, segment by segment.

use streamgauge_reference_server::{sabotage::Switches, subscriptions::pattern::Pattern};

const LONGEST: usize = 512;

/// Lines: a pattern, and paths.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if text.len() > LONGEST {
        return;
    }
    let mut lines = text.split('\n').take(4);
    let given = lines.next().unwrap_or_default();
    let parsed = Pattern::parse(given).ok();
    let segments: Vec<&str> = given.trim_matches('/').split('/').collect();
    let is_right = segments != [""]
        && segments.iter().all(|segment| matches!(*segment, "*" | "**") || !segment.contains('*'));
    assert_eq!(parsed.is_some(), is_right, "{given:?}");
    let Some(pattern) = parsed else { return };
    assert_eq!(Pattern::parse(pattern.as_str()).as_ref(), Ok(&pattern), "what it prints is what it is");
    for path in lines {
        let parts: Vec<&str> = path.split('/').collect();
        assert_eq!(
            pattern.matches(path, Switches::NONE),
            by_definition(&segments, &parts),
            "{given:?} and {path:?}"
        );
    }
}

/// Which beginnings of the path each beginning of the pattern matches.
fn by_definition(pattern: &[&str], path: &[&str]) -> bool {
    let mut matched = vec![false; path.len() + 1];
    matched[0] = true;
    for segment in pattern {
        let mut next = vec![false; path.len() + 1];
        for taken in 0..=path.len() {
            next[taken] = match *segment {
                "**" => matched[..=taken].contains(&true),
                "*" => taken > 0 && matched[taken - 1],
                literal => taken > 0 && matched[taken - 1] && path[taken - 1] == literal,
            };
        }
        matched = next;
    }
    matched[path.len()]
}
