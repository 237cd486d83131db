//! `streamgauge init`: asks a server what it offers, and writes that down as a file of settings.

mod probe;

use std::{fs::OpenOptions, io::Write as _, path::PathBuf, time::Duration};

use clap::Args;

use super::{Misuse, Status, config::FILE_NAME};
use crate::{
    rule::Capability,
    wire::{Client, ClientOptions, Trust},
};

#[derive(Debug, Args)]
pub(super) struct InitArguments {
    /// The stream root of a server that is running.
    #[arg(default_value = "http://127.0.0.1:4437/v1/stream")]
    url: String,

    /// The file to write; one that is there is left as it is.
    #[arg(long, value_name = "FILE", default_value = FILE_NAME)]
    config: PathBuf,

    /// Trust any certificate while the server is asked.
    #[arg(long)]
    insecure: bool,
}

impl InitArguments {
    pub(super) fn run(&self) -> Result<Status, Misuse> {
        if self.config.exists() {
            return Err(self.is_there());
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Misuse::new(format!("no runtime: {error}")))?;
        let status = runtime.block_on(self.ask_and_write());
        runtime.shutdown_background();
        status
    }

    fn is_there(&self) -> Misuse {
        Misuse::new(format!(
            "{} is there already and stays as it is; remove it, or write another one with --config FILE",
            self.config.display()
        ))
    }

    async fn ask_and_write(&self) -> Result<Status, Misuse> {
        let trust = if self.insecure { Trust::default().insecure() } else { Trust::default() };
        let client = Client::new(ClientOptions { trust, ..ClientOptions::default() }).map_err(Misuse::new)?;
        eprintln!("asking {} what it offers", self.url);
        let offer = match probe::probe(&self.url, &client).await? {
            Ok(offer) => offer,
            Err(why) => {
                eprintln!("error: the target cannot be used: {why}");
                return Ok(Status::Unusable);
            }
        };
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&self.config)
            .and_then(|mut file| file.write_all(text(&self.url, self.insecure, &offer).as_bytes()));
        match written {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Err(self.is_there()),
            Err(error) => return Err(Misuse::new(format!("{}: {error}", self.config.display()))),
        }
        println!("wrote {}; look through it, then run: streamgauge check", self.config.display());
        Ok(Status::Right)
    }
}

/// What a server seems to offer.
#[derive(Debug)]
struct Offer {
    missing: Vec<Capability>,
    /// How long it let a long-poll wait, where that was quick to learn.
    long_poll_timeout: Option<Duration>,
}

fn text(url: &str, insecure: bool, offer: &Offer) -> String {
    let insecure = if insecure { "insecure = true" } else { "# insecure = true" };
    let without = without(&offer.missing);
    let long_poll = match offer.long_poll_timeout {
        Some(time) => format!("long_poll_timeout = \"{}\"", human(time)),
        None => "# long_poll_timeout = \"30s\"".to_owned(),
    };
    format!(
        r#"# What `streamgauge check` is to know of this server. Flags win over this file; paths count from its folder.

# The stream root: the URL below which a PUT creates a stream.
url = {url:?}

# Start the server for a check and stop it afterwards.
# start = "npm start"
# start_timeout = "30s"
# start_log = "server.log"

{without}
# What makes a check fail: "error", or "warning" for a stricter one.
# fail_on = "error"

# Failures that are known (write the list with `streamgauge check --write-known-failures FILE`).
# known_failures = "known-failures.yaml"

# Reports to write: json, junit, tap, markdown, html or har.
# report = ["junit=streamgauge.xml", "html=streamgauge.html"]

# Trust a certificate that nobody has signed, or one of your own authority.
{insecure}
# cacert = ["authority.pem"]

# What the server is set to. What is not said is waited for, up to max_wait.
[timings]
# How long a long-poll waits before it is answered 204.
{long_poll}
# After what time the server ends an event stream.
# sse_lifetime = "60s"

# Headers for every request. A variable of the environment is kept out of every report.
# [headers]
# Authorization = "Bearer ${{API_TOKEN}}"
"#
    )
}

fn without(missing: &[Capability]) -> String {
    if missing.is_empty() {
        return "# What the server does not claim. It showed a sign of everything when this file was written.\n# without = [\"fork\", \"subscriptions-webhook\"]\n"
            .to_owned();
    }
    let names: Vec<String> =
        missing.iter().map(|capability| format!("{:?}", capability.to_string())).collect();
    format!(
        "# What the server does not claim. It showed no sign of these when this file was written; take off the list\n# what it is to have, or its check passes without it.\nwithout = [{}]\n",
        names.join(", ")
    )
}

fn human(time: Duration) -> String {
    match time.as_millis() {
        whole if whole % 1000 == 0 => format!("{}s", whole / 1000),
        part => format!("{part}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::config::Settings;

    #[test]
    fn what_is_written_can_be_read() {
        let missing = vec![Capability::Fork, Capability::SubscriptionsWebhook];
        let offer = Offer { missing, long_poll_timeout: Some(Duration::from_millis(500)) };
        let settings: Settings =
            toml::from_str(&text("http://127.0.0.1:1/a", true, &offer)).expect("settings");
        assert_eq!(settings.without, [Capability::Fork, Capability::SubscriptionsWebhook]);
        assert_eq!(settings.timings.long_poll_timeout.map(|time| time.0), Some(Duration::from_millis(500)));
        assert!(settings.insecure);
    }

    #[test]
    fn what_stands_behind_a_mark_can_be_read_too() {
        let offer = Offer { missing: Vec::new(), long_poll_timeout: None };
        let text = text("http://127.0.0.1:1/a", false, &offer);
        let unmarked: String = text
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(key) if key.contains(" = ") || key.starts_with('[') => format!("{key}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let settings: Settings = toml::from_str(&unmarked).expect("settings");
        assert!(settings.start.is_some() && settings.known_failures.is_some() && settings.headers.len() == 1);
    }
}
