//! Cases on a target that takes no writes: they read streams that its user has named, and write nothing.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use url::Url;

use super::{Job, Suite, Target};
use crate::{
    case::{Case, Content, Stock, Stocked},
    event::SkipReason,
    rule::Capability,
    wire::{Client, Request},
};

/// How long the look at one stream of the stock may take.
const LOOK: Duration = Duration::from_secs(5);

/// How many pages of one such stream are read.
const PAGES: usize = 20;

/// The streams that the user of a target has named.
#[derive(Clone, Debug, Default)]
pub struct NamedStreams {
    stock: Arc<Stock>,
    /// The path of each below the stream root, by its name in the stock.
    paths: BTreeMap<String, String>,
}

/// A `--stream` that names nothing that a case could read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableStream {
    #[error("{0:?} is no NAME=URL; write it like hello=hello or hello=http://127.0.0.1:4437/v1/stream/hello")]
    NoPair(String),
    #[error("there is no stream named {name:?} in the stock; it has {known}")]
    Unknown { name: String, known: String },
    #[error("{name} was given twice")]
    Twice { name: String },
    #[error("{url} is not below the stream root {root}; every stream of a run is")]
    Elsewhere { url: String, root: String },
}

impl NamedStreams {
    /// From `NAME=URL` each; a URL is whole, or relative to the stream root.
    pub fn new(stock: Stock, root: &Url, pairs: &[String]) -> Result<Self, UnusableStream> {
        let mut paths = BTreeMap::new();
        for pair in pairs {
            let (name, url) = pair.split_once('=').ok_or_else(|| UnusableStream::NoPair(pair.clone()))?;
            if stock.named(name).is_none() {
                let known =
                    stock.0.iter().map(|stocked| stocked.name.as_str()).collect::<Vec<_>>().join(", ");
                return Err(UnusableStream::Unknown { name: name.to_owned(), known });
            }
            let path = below(root, url)
                .ok_or_else(|| UnusableStream::Elsewhere { url: url.to_owned(), root: root.to_string() })?;
            if paths.insert(name.to_owned(), path).is_some() {
                return Err(UnusableStream::Twice { name: name.to_owned() });
            }
        }
        Ok(Self { stock: Arc::new(stock), paths })
    }

    fn given(&self) -> impl Iterator<Item = (&Stocked, &str)> {
        self.paths.iter().filter_map(|(name, path)| Some((self.stock.named(name)?, path.as_str())))
    }
}

/// The path below the root.
fn below(root: &Url, url: &str) -> Option<String> {
    let folder = format!("{}/", root.as_str().trim_end_matches('/'));
    let url = match Url::parse(url) {
        Ok(url) => url,
        Err(_) => Url::parse(&folder).ok()?.join(url).ok()?,
    };
    let path = url.as_str().strip_prefix(&folder)?;
    (!path.is_empty() && url.query().is_none() && url.fragment().is_none()).then(|| path.to_owned())
}

impl Target {
    /// Whether it takes writes, as far as its user says.
    pub(super) fn is_written(&self) -> bool {
        !self.not_claimed.contains(&Capability::Write)
    }

    /// Where the streams of a case are that writes nothing; why it cannot be run otherwise.
    pub(super) fn streams_for(&self, job: &Job) -> Result<BTreeMap<String, String>, SkipReason> {
        let reads = !self.not_claimed.contains(&Capability::Read);
        match job {
            _ if self.is_written() && reads || job.suite() == Suite::Logs => Ok(BTreeMap::new()),
            Job::Case(case) if self.is_written() => match case.only_writes() {
                true => Ok(BTreeMap::new()),
                false => Err(SkipReason::OutOfReach("it reads".to_owned())),
            },
            Job::Case(case) => self.stocked(case),
            Job::Scenario(_) => Err(SkipReason::OutOfReach("it writes and reads".to_owned())),
        }
    }

    fn stocked(&self, case: &Case) -> Result<BTreeMap<String, String>, SkipReason> {
        let wanted = case.wants().ok_or_else(|| SkipReason::OutOfReach("it writes".to_owned()))?;
        let path = |content: &Content| -> Result<String, SkipReason> {
            let stocked = self
                .streams
                .stock
                .holding(content)
                .ok_or_else(|| SkipReason::OutOfReach("it writes a content of its own".to_owned()))?;
            let path = self.streams.paths.get(&stocked.name);
            path.cloned().ok_or_else(|| SkipReason::NotGiven(format!("--stream {}=URL", stocked.name)))
        };
        wanted.streams.iter().map(|(stream, content)| Ok((stream.clone(), path(content)?))).collect()
    }

    /// Looks at every stream that was named: what it holds is what the cases go by.
    pub(super) async fn look_at_named_streams(&self) -> Result<(), String> {
        for (stocked, path) in self.streams.given() {
            let url = format!("{}/{path}", self.root_path());
            self.holds(&url, &stocked.content).await.map_err(|why| {
                format!(
                    "--stream {}={path} does not hold what that name stands for: {why}. `streamgauge check --stream list` shows what each has to hold",
                    stocked.name
                )
            })?;
        }
        Ok(())
    }

    async fn holds(&self, path: &str, content: &Content) -> Result<(), String> {
        let (mut read, mut next) = (content.emptied(), None::<String>);
        for _ in 0..PAGES {
            let offset = next.as_deref().unwrap_or("-1");
            let page = page(&self.client, self, path, offset).await?;
            if page.media_type != content.media_type {
                return Err(format!("its type is {:?}, not {:?}", page.media_type, content.media_type));
            }
            read.append(&page.body).ok_or("its body is no JSON")?;
            read.closed = page.closed;
            match page.next {
                Some(following) if !page.up_to_date => next = Some(following),
                _ => {
                    return match read == *content {
                        true => Ok(()),
                        false => Err(format!("expected {content}, got {read}")),
                    };
                }
            }
        }
        Err(format!("it has no end within {PAGES} pages"))
    }
}

struct Page {
    media_type: String,
    body: bytes::Bytes,
    next: Option<String>,
    up_to_date: bool,
    closed: bool,
}

async fn page(client: &Client, target: &Target, path: &str, offset: &str) -> Result<Page, String> {
    let path = format!("{path}?offset={}", super::encode_query(offset));
    let request = Request::new("GET", target.at(&path).map_err(|error| error.to_string())?);
    let answer = client.fetch(&request, LOOK).await.map_err(|error| error.to_string())?;
    if answer.status() != 200 {
        return Err(format!("a read of it is answered {}", answer.status()));
    }
    let header = |name: &str| answer.headers().text(name).map(|text| text.trim().to_owned());
    Ok(Page {
        media_type: Content::empty(&header("Content-Type").unwrap_or_default()).media_type,
        next: header("Stream-Next-Offset"),
        up_to_date: header("Stream-Up-To-Date").is_some_and(|text| text.eq_ignore_ascii_case("true")),
        closed: header("Stream-Closed").is_some_and(|text| text.eq_ignore_ascii_case("true")),
        body: answer.body,
    })
}
