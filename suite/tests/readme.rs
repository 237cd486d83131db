//! `fixtures/README.md` is true: its cases run as they stand there, and its sabotages break what they say.

use std::{path::Path, sync::Arc};

use pulldown_cmark::{CodeBlockKind, Event as Markdown, Parser, Tag};
use streamgauge::{
    built_in,
    case::CaseSet,
    event::{CaseVerdict, RunResult, Unheard},
    fixture::FixtureSource,
    rule::Catalogue,
    run::{self, Job, Options, Plan, Selection, Target},
    wire::{Client, ClientOptions},
};
use streamgauge_reference_server::{Server, sabotage::Sabotage};

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_the_explanation_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let examples = Examples::of_readme();
    examples.write_below(folder.path());
    let source = FixtureSource::Directory(folder.path().to_owned());
    let catalogue =
        Arc::new(Catalogue::load(&FixtureSource::Embedded).unwrap_or_else(|error| panic!("{error}")));
    let cases = CaseSet::load(&source, &catalogue).unwrap_or_else(|error| panic!("{error}"));
    assert!(cases.cases.len() >= 2, "the explanation shows no case");

    let passed = check(&catalogue, &cases, None).await;
    for case in &passed.cases {
        assert_eq!(case.verdict, CaseVerdict::Passed, "{}: {:?} {:?}", case.id, case.reason, case.mismatches);
    }
    let sabotages = built_in::sabotages(&source).unwrap_or_else(|error| panic!("{error}"));
    assert!(!sabotages.is_empty(), "the explanation shows no sabotage");
    for sabotage in sabotages {
        let result = check(&catalogue, &cases, Some(sabotage.clone())).await;
        let caught = result.cases.iter().any(|case| {
            case.verdict == CaseVerdict::Failed
                && case.proves.iter().any(|rule| rule.as_str() == sabotage.breaks)
        });
        assert!(caught, "{} is caught by no case of the explanation", sabotage.id());
    }
    built_in::variants(&source).unwrap_or_else(|error| panic!("{error}"));
}

async fn check(catalogue: &Arc<Catalogue>, cases: &CaseSet, sabotage: Option<Sabotage>) -> RunResult {
    let mut config = built_in::config();
    config.sabotages.extend(sabotage);
    let server = Server::start(config).await.expect("a port");
    let client = Client::new(ClientOptions::default()).expect("a client");
    let target =
        Target::new(&server.root_url, client).expect("a stream root").with_timings(built_in::timings());
    let jobs = cases.cases.iter().cloned().map(|case| Job::Case(Arc::new(case))).collect();
    let plan = Plan::new(jobs, &Selection::default(), &target, catalogue).expect("a plan");
    let result = run::run(target, Arc::clone(catalogue), plan, Options::default(), &mut Unheard).await;
    server.shutdown().await;
    result
}

/// The YAML blocks of the explanation, by what they are.
#[derive(Default)]
struct Examples {
    cases: String,
    sabotages: String,
    variants: String,
}

impl Examples {
    fn of_readme() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/README.md");
        let text = std::fs::read_to_string(path).expect("the explanation");
        let mut examples = Self::default();
        let mut in_yaml = false;
        for event in Parser::new(&text) {
            match event {
                Markdown::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                    in_yaml = &*language == "yaml"
                }
                Markdown::Text(block) if in_yaml => examples.take(&block),
                Markdown::End(_) => in_yaml = false,
                _ => {}
            }
        }
        examples
    }

    fn take(&mut self, block: &str) {
        let has = |key: &str| block.lines().any(|line| line.trim_start_matches(['-', ' ']).starts_with(key));
        let list = match () {
            () if has("breaks:") => &mut self.sabotages,
            () if has("proves:") => &mut self.cases,
            () if has("name:") => &mut self.variants,
            () => panic!("an example that is no case, no sabotage and no variant:\n{block}"),
        };
        list.push_str(block);
        list.push('\n');
    }

    fn write_below(&self, folder: &Path) {
        for (kind, text) in
            [("cases", &self.cases), ("sabotage", &self.sabotages), ("variants", &self.variants)]
        {
            let folder = folder.join(kind);
            std::fs::create_dir(&folder).expect("a folder");
            std::fs::write(folder.join("readme.yaml"), text).expect("a file");
        }
    }
}
