//! Every case as a test, against the built-in server; `STREAMGAUGE_URL` points it elsewhere.

use std::process::ExitCode;

use streamgauge::{built_in, harness::Suite};

fn main() -> ExitCode {
    match std::env::var("STREAMGAUGE_URL") {
        Ok(url) => Suite::new().run(|| async move { Ok::<_, std::convert::Infallible>(url) }),
        Err(_) => Suite::new().timings(built_in::timings()).run(built_in::start),
    }
}
