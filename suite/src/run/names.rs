//! The values that `$names` have within one case.

use std::collections::BTreeMap;

use rand::Rng as _;

use super::Target;
use crate::{case::Row, check::Names};

/// Names and values of one attempt at a case.
#[derive(Clone, Debug)]
pub(crate) struct CaseNames {
    values: BTreeMap<String, String>,
    root_path: String,
    origin: String,
    prefix: String,
}

impl CaseNames {
    /// Fresh names: no two attempts share a stream, and nobody else can guess one.
    pub(crate) fn new(target: &Target, row: &Row) -> Self {
        let nonce = format!("{:020x}", rand::rng().random::<u128>() >> 48);
        let prefix = format!("sg-{nonce}");
        let mut values: BTreeMap<String, String> =
            row.iter().filter_map(|(name, cell)| Some((name.clone(), cell.clone()?))).collect();
        values.insert("nonce".into(), nonce);
        values.insert("prefix".into(), prefix.clone());
        values.insert("root".into(), target.root_path().to_owned());
        values.insert("host".into(), target.authority());
        values.insert("origin".into(), target.origin());
        Self { values, root_path: target.root_path().to_owned(), origin: target.origin(), prefix }
    }

    /// The path of a stream below the root. A plain name gives one segment, so that servers without
    /// hierarchy can be checked; `a/b` asks for one.
    pub(crate) fn relative(&self, stream: &str) -> String {
        match stream {
            "stream" => self.prefix.clone(),
            name if name.contains('/') => format!("{}/{name}", self.prefix),
            name => format!("{}-{name}", self.prefix),
        }
    }

    /// The path of a stream from the origin.
    pub(crate) fn path(&self, stream: &str) -> String {
        format!("{}/{}", self.root_path, self.relative(stream))
    }

    /// Gives a name a value.
    pub(crate) fn set(&mut self, name: &str, value: String) {
        self.values.insert(name.to_owned(), value);
    }
}

impl Names for CaseNames {
    fn value(&self, name: &str) -> Option<String> {
        if let Some(value) = self.values.get(name) {
            return Some(value.clone());
        }
        let (stream, part) = name.rsplit_once('.')?;
        match part {
            "path" => Some(self.path(stream)),
            "url" => Some(format!("{}{}", self.origin, self.path(stream))),
            "relative" => Some(self.relative(stream)),
            _ => None,
        }
    }
}
