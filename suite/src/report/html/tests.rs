use super::*;
use crate::report::sample;

fn page(run: &RunResult) -> String {
    let mut out = Vec::new();
    write(&mut out, run, sample::context()).unwrap();
    String::from_utf8(out).unwrap()
}

/// The page without its style and script, which are files of their own.
fn markup(page: &str) -> String {
    let (head, rest) = page.split_once("<style>").unwrap();
    let (_, rest) = rest.split_once("</style>").unwrap();
    let (body, rest) = rest.split_once("<script>").unwrap();
    let (_, tail) = rest.split_once("</script>").unwrap();
    // The hash of the script, too, changes with it.
    let (before, rest) = head.split_once("'sha256-").unwrap();
    let (_, after) = rest.split_once('\'').unwrap();
    format!("{before}'sha256-HASH'{after}{body}{tail}")
}

#[test]
fn the_page_of_a_troubled_run() {
    let page = markup(&page(&sample::troubled())).replace(
        &format!("<p class=\"tool\">streamgauge {}", env!("CARGO_PKG_VERSION")),
        "<p class=\"tool\">streamgauge VERSION",
    );
    insta::assert_snapshot!(page);
}

#[test]
fn nothing_is_loaded_from_anywhere() {
    let page = page(&sample::troubled());
    for way in [" src=", "<link", "<img", "<iframe", "@import", "url("] {
        assert!(!page.contains(way), "{way}");
    }
    for (at, _) in page.match_indices("href=\"") {
        assert!(page[at..].starts_with("href=\"#"), "{}", &page[at..at + 40]);
    }
}

#[test]
fn what_a_target_sends_stays_text() {
    let page = page(&sample::hostile());
    assert_eq!(page.matches("<script").count(), 1, "only the page's own script");
    assert!(page.contains("&#60;script&#62;alert(1)&#60;/script&#62;"));
    assert!(!page.contains(|c: char| c.is_control() && c != '\n'));
}

#[test]
fn every_rule_can_be_found_and_every_command_seen() {
    let run = sample::troubled();
    let page = page(&run);
    for rule in &run.rules {
        assert!(page.contains(&format!("id=\"rule-{}\"", rule.id)), "{}", rule.id);
    }
    assert!(page.contains("curl -i -X PUT -H &#39;Content-Type: text/plain&#39; --data-binary hello"));
}

#[test]
fn the_exchanges_of_a_case_stand_only_once() {
    let page = page(&sample::troubled());
    assert!(page.contains("its exchanges are shown under <a href=\"#rule-create.new-201\">"));
}
