//! The text of the protocol, read for its normative sentences: which sections demand something, and in which words.
//!
//! Sentences are told from those of another revision by digests, so that none of them has to be copied.

use std::{collections::BTreeSet, fmt::Write as _};

use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use streamgauge_fixtures::Folder;

use crate::{
    fixture::{FixtureError, FixtureSource},
    rule::{Catalogue, Rule},
};

/// A sentence with a keyword of RFC 2119.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Number of the section that it stands in: `5.2.1`; empty before the first one.
    pub section: String,
    /// Line of the paragraph, counted from 1.
    pub line: usize,
    /// Its keywords in order, each once.
    pub keywords: Vec<&'static str>,
    /// The sentence without its markup.
    pub sentence: String,
}

/// The sentences of a revision that the catalogue was made from.
#[derive(Clone, Debug, Default)]
pub struct KnownRevision(BTreeSet<String>);

/// Longer keywords first, as they hold shorter ones.
const KEYWORDS: [&str; 11] = [
    "MUST NOT",
    "MUST",
    "SHALL NOT",
    "SHALL",
    "SHOULD NOT",
    "SHOULD",
    "NOT RECOMMENDED",
    "RECOMMENDED",
    "REQUIRED",
    "MAY",
    "OPTIONAL",
];

/// How many bytes of a digest tell sentences apart.
const DIGEST_BYTES: usize = 6;

/// All demands of a Markdown text, in order.
pub fn demands(text: &str) -> Vec<Demand> {
    let mut demands = Vec::new();
    let mut section = String::new();
    let (mut heading, mut in_code) = (None::<String>, false);
    let mut block = String::new();
    let mut begins = 0;
    for (event, range) in Parser::new(text).into_offset_iter() {
        if block.is_empty() {
            begins = range.start;
        }
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                if let Some(number) = heading.take().as_deref().and_then(section_number) {
                    section = number;
                }
            }
            Event::Text(_) if in_code => {}
            Event::Text(piece) | Event::Code(piece) => match &mut heading {
                Some(heading) => heading.push_str(&piece),
                None => block.push_str(&piece),
            },
            Event::SoftBreak | Event::HardBreak => block.push(' '),
            Event::Start(Tag::Item) | Event::End(TagEnd::Paragraph | TagEnd::Item) => {
                let line = text[..begins].matches('\n').count() + 1;
                collect(&std::mem::take(&mut block), &section, line, &mut demands);
            }
            _ => {}
        }
    }
    demands
}

fn collect(block: &str, section: &str, line: usize, demands: &mut Vec<Demand>) {
    for sentence in sentences(block) {
        let keywords = keywords(sentence);
        // The sentence that explains the keywords demands nothing.
        if !keywords.is_empty() && !sentence.contains("BCP 14") {
            demands.push(Demand {
                section: section.to_owned(),
                line,
                keywords,
                sentence: sentence.split_whitespace().collect::<Vec<_>>().join(" "),
            });
        }
    }
}

/// `5.2.1` of the heading `5.2.1. Idempotent Producers`.
fn section_number(heading: &str) -> Option<String> {
    let number = heading.split_whitespace().next()?.trim_end_matches('.');
    let is_number =
        number.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    is_number.then(|| number.to_owned())
}

/// Cut behind a full stop that a blank and a capital letter follow.
fn sentences(block: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut begin = 0;
    for (at, _) in block.match_indices(". ") {
        let next = block[at + 2..].trim_start().chars().next();
        if next.is_some_and(char::is_uppercase) {
            sentences.push(block[begin..=at].trim());
            begin = at + 2;
        }
    }
    sentences.push(block[begin..].trim());
    sentences
}

fn keywords(sentence: &str) -> Vec<&'static str> {
    let mut found: Vec<(usize, &'static str)> = Vec::new();
    for keyword in KEYWORDS {
        for (at, _) in sentence.match_indices(keyword) {
            let end = at + keyword.len();
            let inside = found.iter().any(|(start, longer)| (*start..*start + longer.len()).contains(&at));
            let is_word = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
            let bytes = sentence.as_bytes();
            let joined = at > 0 && is_word(bytes.get(at - 1).copied()) || is_word(bytes.get(end).copied());
            if !inside && !joined {
                found.push((at, keyword));
            }
        }
    }
    found.sort_unstable();
    let mut keywords: Vec<&'static str> = Vec::new();
    for (_, keyword) in found {
        if !keywords.contains(&keyword) {
            keywords.push(keyword);
        }
    }
    keywords
}

impl Demand {
    /// Tells its sentence from any other of its section.
    pub fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(self.section.as_bytes());
        hasher.update([0]);
        hasher.update(self.sentence.as_bytes());
        hasher.finalize().iter().take(DIGEST_BYTES).fold(String::new(), |mut text, byte| {
            // Writing to a text does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// The rules of its section.
    pub fn rules<'a>(&self, catalogue: &'a Catalogue) -> Vec<&'a Rule> {
        let names_it = |rule: &&Rule| rule.section.split(',').any(|section| section.trim() == self.section);
        catalogue.rules().filter(names_it).collect()
    }
}

impl KnownRevision {
    /// Reads `protocol/`.
    pub fn load(source: &FixtureSource) -> Result<Self, FixtureError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Entry {
            #[serde(rename = "section")]
            _section: String,
            demands: Vec<String>,
        }

        let mut known = BTreeSet::new();
        for file in source.files(Folder::Protocol)? {
            known.extend(file.parse_list::<Entry>()?.into_iter().flat_map(|entry| entry.demands));
        }
        Ok(Self(known))
    }

    /// Whether the sentence stands in that revision, in the same section.
    pub fn has(&self, demand: &Demand) -> bool {
        self.0.contains(&demand.digest())
    }

    /// How many of its sentences are not among these.
    pub fn missing_from(&self, demands: &[Demand]) -> usize {
        let present: BTreeSet<String> = demands.iter().map(Demand::digest).collect();
        self.0.difference(&present).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# A protocol

## 1. Words

The key words MUST and MAY are those of BCP 14.

### 1.2. Reading

Nothing here. A server **MUST
NOT** lie. It could not care less. MUSTARD is no keyword.

- It SHOULD answer, and MAY answer soon; it SHOULD.
- It waits.

```
A client MUST be shown as code.
```
";

    fn found() -> Vec<(String, usize, Vec<&'static str>, String)> {
        let demands = demands(TEXT).into_iter();
        demands.map(|demand| (demand.section, demand.line, demand.keywords, demand.sentence)).collect()
    }

    #[test]
    fn every_sentence_with_a_keyword_is_found_with_its_section_and_line() {
        let expected = [
            ("1.2", 9, vec!["MUST NOT"], "A server MUST NOT lie."),
            ("1.2", 12, vec!["SHOULD", "MAY"], "It SHOULD answer, and MAY answer soon; it SHOULD."),
        ];
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(section, line, words, text)| (section.to_owned(), line, words, text.to_owned()))
            .collect();
        assert_eq!(found(), expected);
    }

    #[test]
    fn another_wording_or_section_is_another_demand() {
        let [first, second, ..] = demands("## 1. A\n\nIt MUST.\n\n## 2. B\n\nIt MUST.\n")
            .try_into()
            .map(|pair: [Demand; 2]| pair)
            .expect("two demands");
        assert_ne!(first.digest(), second.digest());
        let known = KnownRevision(BTreeSet::from([first.digest()]));
        assert!(known.has(&first) && !known.has(&second));
        assert_eq!(known.missing_from(&[second]), 1);
    }
}
