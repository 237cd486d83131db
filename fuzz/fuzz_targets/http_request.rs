#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| streamgauge_fuzz_targets::bodies::http_request::run(data));

#[cfg(not(fuzzing))]
fn main() {
    eprintln!(
        "a fuzz target; build it with cargo-fuzz, or replay inputs with `cargo run -p streamgauge-fuzz -- replay`"
    );
}
