//! The flags of `streamgauge check` for targets that take no writes.

use clap::Args;
use url::Url;

use super::Misuse;
use crate::{
    case::{Body, Content, Stock},
    fixture::FixtureSource,
    run::NamedStreams,
};

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Targets that take no writes")]
pub(super) struct StreamArguments {
    /// A stream of the target that holds what NAME stands for, for cases that only read; with --without write.
    /// Repeatable; `--stream list` shows the names and what each has to hold.
    #[arg(long, value_name = "NAME=URL")]
    pub(super) stream: Vec<String>,
}

impl StreamArguments {
    pub(super) fn ask_for_list(&self) -> bool {
        self.stream.iter().any(|pair| pair == "list")
    }

    pub(super) fn named(
        &self,
        source: &FixtureSource,
        root: &str,
        takes_writes: bool,
    ) -> Result<NamedStreams, Misuse> {
        if self.stream.is_empty() && takes_writes {
            return Ok(NamedStreams::default());
        }
        if takes_writes {
            return Err(Misuse::new(
                "--stream is for targets that take no writes; say --without write, too, or leave it out",
            ));
        }
        let root = Url::parse(root).map_err(|error| Misuse::new(format!("{root:?}: {error}")))?;
        NamedStreams::new(stock(source)?, &root, &self.stream)
            .map_err(|error| Misuse::new(format!("--stream: {error}")))
    }
}

/// All names, with the requests that make such a stream where somebody may write.
pub(super) fn list(source: &FixtureSource) -> Result<String, Misuse> {
    let mut text = String::from(
        "Streams that a target which takes no writes may hold, and requests that make them.\n\
         $ROOT is where they are written; name each with --stream NAME=URL.\n",
    );
    for stocked in stock(source)?.0 {
        text.push_str(&format!(
            "\n{}: {}\n  {}\n",
            stocked.name,
            stocked.title,
            request(&stocked.name, &stocked.content)
        ));
    }
    Ok(text)
}

fn stock(source: &FixtureSource) -> Result<Stock, Misuse> {
    Stock::load(source).map_err(Misuse::new)
}

fn request(name: &str, content: &Content) -> String {
    let body = match &content.body {
        Body::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Body::Messages(messages) if messages.is_empty() => String::new(),
        Body::Messages(messages) => format!("[{}]", messages.join(",")),
    };
    let data = if body.is_empty() { String::new() } else { format!(" --data-binary '{body}'") };
    let closed = if content.closed { " -H 'Stream-Closed: true'" } else { "" };
    format!("curl -X PUT -H 'Content-Type: {}'{closed}{data} $ROOT/{name}", content.media_type)
}
