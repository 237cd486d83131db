//! The `streamgauge` program.

/// One that gives memory back: a server that runs for long holds no more than its streams need.
#[cfg(feature = "serve")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    streamgauge::cli::main()
}
