//! The figures, as a table of Markdown.

/// What a line counts.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    /// More is better.
    ASecond,
    /// Less is better.
    Microseconds,
    /// Less is better.
    Bytes,
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::ASecond => format!("{value:.0}/s"),
            Self::Microseconds => format!("{value:.0} us"),
            Self::Bytes => format!("{value:.0} B"),
        }
    }
}

/// One line for each server: the median, and what it is of the first server's, which is the limit.
pub(crate) fn print(line: &str, unit: Unit, figures: &[(&str, Option<f64>)]) {
    println!("\n{line}\n\n| server | median | of bare axum |\n|---|---:|---:|");
    let limit = figures.first().and_then(|(_, value)| *value);
    for (name, value) in figures {
        let shown = value.map_or("unknown".to_owned(), |value| unit.show(value));
        let ratio = value.zip(limit).filter(|(_, limit)| *limit > 0.0);
        let ratio = ratio.map_or(String::new(), |(value, limit)| format!("{:.2}", value / limit));
        println!("| {name} | {shown} | {ratio} |");
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
