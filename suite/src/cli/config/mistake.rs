//! What is wrong in a file of settings, where, and what to do about it.

use std::path::Path;

use crate::cli::Misuse;

/// Two words are taken for the same one from here on.
const ALIKE: f64 = 0.75;

/// A mistake at a byte of the text: the place, the sentence, and the line with a mark.
pub(super) fn at(path: &Path, text: &str, byte: usize, message: &str) -> Misuse {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count();
    let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
    let source = text.lines().nth(line).unwrap_or_default();
    let blank = " ".repeat(source.get(..column).map_or(column, |before| before.chars().count()));
    // A value of a header may be a secret, a URL may hold one.
    let shown = if message.contains("header") || message.contains("credentials") {
        source.split('=').next().unwrap_or_default().to_owned() + "= ..."
    } else {
        source.to_owned()
    };
    Misuse::new(format!(
        "{}:{}:{}: {message}\n  |\n{:>3} | {shown}\n  | {blank}^",
        path.display(),
        line + 1,
        column + 1,
        line + 1
    ))
}

/// The same for what TOML or the types of the settings refuse.
pub(super) fn of_toml(path: &Path, text: &str, error: &toml::de::Error) -> Misuse {
    let byte = error.span().map_or(0, |span| span.start);
    at(path, text, byte, &explained(error.message()))
}

fn explained(message: &str) -> String {
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let what = if message.starts_with("unknown field") {
        "key"
    } else if message.starts_with("unknown variant") {
        "value"
    } else {
        return message.replace("expected a string", "expected a text in quotes");
    };
    let Some((wrong, known)) = names.split_first() else { return message.to_owned() };
    let nearest = known
        .iter()
        .map(|name| (strsim::jaro_winkler(wrong, name), name))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    match nearest {
        Some((_, name)) => format!("there is no {what} `{wrong}` here; did you mean `{name}`?"),
        None => {
            let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            format!("there is no {what} `{wrong}` here; it may be {}", known.join(", "))
        }
    }
}
