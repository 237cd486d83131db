//! The program in other processes: called, served, told to end.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_streamgauge");

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

pub(crate) fn root(port: u16) -> String {
    format!("http://127.0.0.1:{port}/v1/stream")
}

pub(crate) fn check(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).arg("check").args(arguments).output().expect("the program runs")
}

pub(crate) fn status(output: &Output) -> i32 {
    output.status.code().expect("an exit status")
}

/// All that it printed.
pub(crate) fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

pub(crate) fn json(file: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(file).expect("a report")).expect("JSON")
}

pub(crate) fn send(process: &Child, signal: Signal) {
    let id = i32::try_from(process.id()).ok().and_then(Pid::from_raw).expect("an id");
    kill_process(id, signal).expect("a signal");
}

/// A reference server with the timings of the built-in one; it ends with this value.
pub(crate) struct Served {
    process: Child,
    pub(crate) url: String,
}

impl Served {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(PROGRAM)
            .args(["serve", "--port", "0", "--long-poll-timeout", "500ms", "--sse-lifetime", "3s"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a server");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("its output");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let url = line.trim().strip_prefix("serving ").expect("its URL").to_owned();
        Self { process, url }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
