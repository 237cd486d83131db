//! Random histories against streams that are nothing but vectors.

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::core::content_type::Format;

/// A stream as a vector of pieces: the places where it may be cut are known.
#[derive(Clone, Default)]
struct Model {
    pieces: Vec<String>,
}

impl Model {
    fn text(&self, from: usize) -> String {
        self.pieces[from..].concat()
    }

    fn json(&self, from: usize) -> String {
        format!("[{}]", self.pieces[from..].join(","))
    }

    fn offset(&self, format: Format, piece: usize) -> Offset {
        let separator = u64::from(format == Format::Json);
        Offset::at(self.pieces[..piece].iter().map(|piece| piece.len() as u64 + separator).sum())
    }
}

#[derive(Clone, Debug)]
enum Step {
    Append { stream: usize, pieces: usize },
    Fork { source: usize, at: usize },
    Delete { stream: usize },
    Read { stream: usize, from: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let any = any::<usize>;
    prop_oneof![
        4 => (any(), 1..4_usize).prop_map(|(stream, pieces)| Step::Append { stream, pieces }),
        2 => (any(), any()).prop_map(|(source, at)| Step::Fork { source, at }),
        1 => any().prop_map(|stream| Step::Delete { stream }),
        4 => (any(), any()).prop_map(|(stream, from)| Step::Read { stream, from }),
    ]
}

/// Runs a history on streams that hold `content_type`, and reads everything at the end.
fn run(content_type: &str, format: Format, page: usize, steps: &[Step]) -> Result<(), TestCaseError> {
    let lab = Lab::with(Limits { page, ..Limits::default() });
    let mut living: Vec<(String, Model)> = Vec::new();
    let mut made = 0;
    let mut create = |request: &Creation<'_>, model: Model, living: &mut Vec<(String, Model)>| {
        made += 1;
        let path = made.to_string();
        lab.create(&path, request).unwrap();
        living.push((path, model));
    };
    let plain = Creation { content_type: Some(content_type), ..Creation::default() };
    create(&plain, Model::default(), &mut living);
    for (number, step) in steps.iter().enumerate() {
        if living.is_empty() {
            create(&plain, Model::default(), &mut living);
        }
        match *step {
            Step::Append { stream, pieces } => {
                let index = stream % living.len();
                let (path, model) = &mut living[index];
                let pieces: Vec<String> = (0..pieces).map(|piece| format!("1{number}{piece}")).collect();
                let body = match format {
                    Format::Json => format!("[{}]", pieces.join(", ")),
                    Format::Text | Format::Binary => pieces.concat(),
                };
                let request =
                    Append { content_type: Some(content_type), body: body.as_bytes(), ..Append::default() };
                lab.append(path, request).unwrap();
                model.pieces.extend(pieces);
            }
            Step::Fork { source, at } => {
                let (path, model) = living[source % living.len()].clone();
                let at = at % (model.pieces.len() + 1);
                let request = fork(&path, Some(model.offset(format, at)), 0);
                create(&request, Model { pieces: model.pieces[..at].to_vec() }, &mut living);
            }
            Step::Delete { stream } => {
                let (path, _) = living.swap_remove(stream % living.len());
                lab.delete(&path).unwrap();
            }
            Step::Read { stream, from } => {
                let (path, model) = &living[stream % living.len()];
                let from = from % (model.pieces.len() + 1);
                compare(&lab, path, model, format, from)?;
            }
        }
    }
    for (path, model) in &living {
        compare(&lab, path, model, format, 0)?;
    }
    for (path, _) in living {
        lab.delete(&path).unwrap();
    }
    prop_assert_eq!(lab.used(), 0);
    Ok(())
}

fn compare(lab: &Lab, path: &str, model: &Model, format: Format, from: usize) -> Result<(), TestCaseError> {
    let reader = lab.store.read(path, lab.now).unwrap();
    let mut at = ReadStart::At(model.offset(format, from));
    let mut pages = Vec::new();
    loop {
        let page = reader.page(at).unwrap();
        prop_assert!(page.at_tail || page.end > page.start, "no progress");
        at = ReadStart::At(page.end);
        let is_last = page.at_tail;
        pages.push(String::from_utf8(page.into_bytes().into()).unwrap());
        if is_last {
            break;
        }
    }
    match format {
        Format::Json => {
            let inner: Vec<&str> = pages.iter().map(|page| &page[1..page.len() - 1]).collect();
            let filled: Vec<&str> = inner.into_iter().filter(|page| !page.is_empty()).collect();
            prop_assert_eq!(format!("[{}]", filled.join(",")), model.json(from));
        }
        Format::Text | Format::Binary => prop_assert_eq!(pages.concat(), model.text(from)),
    }
    Ok(())
}

proptest! {
    #[test]
    fn bytes_are_where_they_were_written(steps in vec(step(), 1..60), page in 1..40_usize) {
        run("text/plain", Format::Text, page, &steps)?;
    }

    #[test]
    fn messages_are_where_they_were_written(steps in vec(step(), 1..60), page in 1..40_usize) {
        run("application/json", Format::Json, page, &steps)?;
    }
}
