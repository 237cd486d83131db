//! Drives the fuzzers: builds them, runs them for a night, replays what they find, shows that they find planted bugs.
#![cfg_attr(fuzzing, no_main)]

#[cfg(not(fuzzing))]
mod driver;

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    driver::command_line::run()
}

// cargo-fuzz builds every program of the crate with the fuzzers' flags; without libFuzzer they would not link.
#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|_data: &[u8]| {});
