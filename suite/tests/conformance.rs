//! Every case as a test, against the built-in server; `STREAMGAUGE_URL` points it elsewhere.

use std::{process::ExitCode, sync::Arc};

use streamgauge::{
    built_in, harness,
    run::{LogUrls, Target, Timings},
    wire::{Client, ClientOptions},
};

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let runtime = Arc::new(runtime);
    let server = match std::env::var("STREAMGAUGE_URL") {
        Ok(_) => None,
        Err(_) => Some(runtime.block_on(built_in::start()).expect("the built-in server")),
    };
    let (url, timings, logs) = match &server {
        Some(server) => (server.root_url.clone(), built_in::timings(), built_in::log_urls(server)),
        None => {
            (std::env::var("STREAMGAUGE_URL").unwrap_or_default(), Timings::default(), LogUrls::default())
        }
    };
    let client = Client::new(ClientOptions::default()).expect("a client");
    let target = Target::new(&url, client).expect("STREAMGAUGE_URL is a stream root");
    let target = target.with_timings(timings).with_logs(logs);
    harness::run_tests(&target, &runtime).exit_code()
}
