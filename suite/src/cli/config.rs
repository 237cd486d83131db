//! `streamgauge.toml`: what the folder of a target says of it, so that `streamgauge check` needs no flags.

mod mistake;
mod settings;

pub(super) use settings::{Settings, Timings};

use std::path::{Path, PathBuf};

use super::{
    Misuse,
    check::{HeaderTemplate, StandingHeaders},
};

/// The file that is taken from the working directory by itself.
pub(super) const FILE_NAME: &str = "streamgauge.toml";

/// A file of settings. Paths in it count from its folder.
#[derive(Debug)]
pub(super) struct ConfigFile {
    pub(super) path: PathBuf,
    pub(super) settings: Settings,
    text: String,
}

impl ConfigFile {
    /// Reads that file, or the one of the working directory if there is one.
    pub(super) fn find(wanted: Option<&Path>) -> Result<Option<Self>, Misuse> {
        match wanted {
            Some(path) => Self::read(path)
                .map_err(|error| Misuse::new(format!("--config {}: {error}", path.display())))?
                .map(Some),
            None => match Self::read(Path::new(FILE_NAME)) {
                Ok(file) => file.map(Some),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(Misuse::new(format!("{FILE_NAME}: {error}"))),
            },
        }
    }

    fn read(path: &Path) -> std::io::Result<Result<Self, Misuse>> {
        Ok(Self::parse(path, std::fs::read_to_string(path)?))
    }

    fn parse(path: &Path, text: String) -> Result<Self, Misuse> {
        let settings: Settings =
            toml::from_str(&text).map_err(|error| mistake::of_toml(path, &text, &error))?;
        let file = Self { path: path.to_owned(), settings, text };
        file.header_templates().map(drop)?;
        Ok(file)
    }

    fn header_templates(&self) -> Result<Vec<(usize, HeaderTemplate)>, Misuse> {
        let headers = self.settings.headers.iter();
        headers
            .map(|(name, value)| {
                let at = value.span().start;
                match HeaderTemplate::new(name, value.get_ref()) {
                    Ok(template) => Ok((at, template)),
                    Err(error) => Err(self.mistake(at, format!("the header {name}: {error}"))),
                }
            })
            .collect()
    }

    /// The headers, with what they take from the environment.
    pub(super) fn headers(&self) -> Result<StandingHeaders, Misuse> {
        let mut standing = StandingHeaders::default();
        for (at, template) in self.header_templates()? {
            standing.add_template(&template).map_err(|misuse| self.mistake(at, misuse))?;
        }
        Ok(standing)
    }

    /// The folder of the file; none where it is the working directory.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).map(Path::to_owned)
    }

    /// A mistake at a place of the file.
    fn mistake(&self, at: usize, message: impl std::fmt::Display) -> Misuse {
        mistake::at(&self.path, &self.text, at, &message.to_string())
    }

    /// A path of the file, as it is seen from the working directory.
    pub(super) fn beside(&self, path: &Path) -> PathBuf {
        self.path.parent().map_or_else(|| path.to_owned(), |folder| folder.join(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        ConfigFile::parse(Path::new("a/streamgauge.toml"), text.to_owned()).expect_err(text).to_string()
    }

    #[test]
    fn every_mistake_has_its_place_and_says_what_to_do() {
        for (text, expected) in [
            (
                "url = \"http://127.0.0.1/\"\nstrat = \"npm start\"\n",
                &["a/streamgauge.toml:2:1:", "did you mean `start`?"][..],
            ),
            ("qqqq = 1\n", &[":1:1:", "there is no key `qqqq`", "`known_failures`"]),
            ("[timings]\nlong_poll = \"1s\"\n", &[":2:1:", "did you mean `long_poll_timeout`?"]),
            ("max_wait = \"soon\"\n", &[":1:12:", "write it like 200ms"]),
            ("max_wait = 5\n", &[":1:12:", "a text"]),
            ("without = [\n  \"ttl\",\n  \"forks\",\n]\n", &[":3:3:", "did you mean `fork`?"]),
            ("url = \"127.0.0.1:4437\"\n", &[":1:7:", "no stream root"]),
            ("url = \"http://user:s3cret@127.0.0.1/\"\n", &[":1:7:", "credentials"]),
            ("start = \"server 'a\"\n", &[":1:9:", "quote"]),
            ("shard = \"3/2\"\n", &[":1:9:", "2/5"]),
            ("fail_on = \"warnings\"\n", &[":1:11:", "did you mean `warning`?"]),
            ("report = [\"jnuit=a\"]\n", &[":1:10:", "junit"]),
            ("jobs = 0\n", &[":1:8:", "at least 1"]),
            ("url = \n", &[":1:"]),
            ("[headers]\nAuthorization = \"Bearer ${TOKEN\"\n", &[":2:17:", "not closed"]),
        ] {
            let told = told(text);
            for words in expected {
                assert!(told.contains(words), "{text}: no {words:?} in {told}");
            }
            assert!(!told.contains("s3cret"), "{told}");
        }
    }
}
