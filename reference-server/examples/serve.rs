//! Serves streams on a port of 127.0.0.1: `cargo run --example serve -- 4437`.

use std::{env, time::Duration};

use streamgauge_reference_server::{Config, serve};
use tokio::{net::TcpListener, signal::ctrl_c};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = env::args().nth(1).as_deref().unwrap_or("4437").parse()?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let config = Config { long_poll_timeout: Duration::from_millis(500), ..Config::default() };
    println!("http://{}{}", listener.local_addr()?, config.root);
    serve(listener, config, ctrl_c()).await?;
    Ok(())
}
