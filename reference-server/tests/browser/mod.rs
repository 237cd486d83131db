//! A browser without a window, driven through chromedriver.

pub(crate) mod line;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};
use url::Url;

/// Runs `test` in a fresh browser. Where none is installed it says so and does nothing.
pub(crate) async fn with_browser<T, F>(test: T)
where
    T: FnOnce(Browser) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let chromium = ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|name| installed(name));
    let (Some(chromium), Some(chromedriver)) = (chromium, installed("chromedriver")) else {
        eprintln!("SKIPPED: the page is only tested where chromium and chromedriver are installed");
        return;
    };
    let profile = TempDir::new().unwrap();
    let (mut driver, url) = start_driver(&chromedriver).await;
    let client = open_session(&url, &chromium, profile.path()).await;
    // The browser is closed even where the test fails.
    let outcome = tokio::spawn(test(Browser { client: client.clone() })).await;
    client.close().await.unwrap();
    driver.kill().await.unwrap();
    if let Err(failure) = outcome {
        std::panic::resume_unwind(failure.into_panic());
    }
}

fn installed(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(program)).find(|file| file.is_file())
}

async fn start_driver(chromedriver: &Path) -> (Child, String) {
    let mut driver = Command::new(chromedriver)
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let port = loop {
        let line = lines.next_line().await.unwrap().expect("chromedriver says its port");
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            break port.trim_end_matches('.').to_owned();
        }
    };
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (driver, format!("http://127.0.0.1:{port}"))
}

async fn open_session(driver: &str, chromium: &Path, profile: &Path) -> Client {
    let profile = format!("--user-data-dir={}", profile.display());
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--window-size=1100,760",
        &profile,
    ];
    let mut capabilities = Capabilities::new();
    capabilities.insert("goog:chromeOptions".into(), json!({ "binary": chromium, "args": arguments }));
    let mut builder = ClientBuilder::new(HttpConnector::new());
    builder.capabilities(capabilities).connect(driver).await.unwrap()
}

pub(crate) struct Browser {
    pub(crate) client: Client,
}

impl Browser {
    /// What a function's body returns in the page.
    pub(crate) async fn eval(&self, body: &str) -> Value {
        self.client.execute(body, Vec::new()).await.unwrap()
    }

    /// Waits until the light is in this state.
    pub(crate) async fn light_turns(&self, state: &str, within: Duration) {
        let script = "return document.getElementById('light').dataset.state";
        self.until(script, within, |value| value == state).await;
    }

    pub(crate) async fn light_text(&self) -> String {
        self.eval("return document.getElementById('light').textContent").await.as_str().unwrap().to_owned()
    }

    /// Waits until the page holds this many lines, and gives their texts.
    pub(crate) async fn lines(&self, count: usize, within: Duration) -> Vec<String> {
        let script = "return [...document.querySelectorAll('.row > .text')].map((cell) => cell.textContent)";
        let lines = self.until(script, within, |value| value.as_array().unwrap().len() >= count).await;
        lines.as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
    }

    async fn until(&self, script: &str, within: Duration, good: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + within;
        loop {
            let value = self.eval(script).await;
            if good(&value) {
                return value;
            }
            assert!(
                Instant::now() < deadline,
                "still {value} after {within:?}; light: {}",
                self.light_text().await
            );
            sleep(Duration::from_millis(25)).await;
        }
    }

    /// Makes the page believe that its user prefers this colour scheme.
    pub(crate) async fn prefer_color_scheme(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        let command =
            DevTools { method: "Emulation.setEmulatedMedia", params: json!({ "features": features }) };
        self.client.issue_cmd(command).await.unwrap();
    }

    /// Keeps a picture of the page where the environment names a folder for it.
    pub(crate) async fn picture(&self, name: &str) {
        if let Some(folder) = std::env::var_os("PAGE_PICTURES") {
            let png = self.client.screenshot().await.unwrap();
            std::fs::write(Path::new(&folder).join(format!("{name}.png")), png).unwrap();
        }
    }
}

/// A command of the browser's own tools, which chromedriver passes on.
#[derive(Debug)]
struct DevTools {
    method: &'static str,
    params: Value,
}

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "cmd": self.method, "params": self.params }).to_string()))
    }
}
