//! Replays inputs on stable.

use std::{fs, process::ExitCode};

use streamgauge_fuzz::Body;

/// `replay BODY FILE...`
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [verb, name, files @ ..] = &arguments[..] else { return usage() };
    let Some(body) = Body::named(name).filter(|_| verb == "replay") else { return usage() };
    for file in files {
        match fs::read(file) {
            Ok(input) => (body.run)(&input),
            Err(error) => {
                eprintln!("{file}: {error}");
                return ExitCode::from(2);
            }
        }
    }
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("usage: streamgauge-fuzz replay BODY FILE...");
    ExitCode::from(2)
}
