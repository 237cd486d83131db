//! The values that `$names` have within one case.

use std::collections::BTreeMap;

use rand::Rng as _;

use super::Target;
use crate::{case::Row, check::Names};

/// Names and values of one attempt at a case.
#[derive(Clone, Debug)]
pub(crate) struct CaseNames {
    values: BTreeMap<String, String>,
    /// Those of them that were saved from JSON, with their types.
    json: BTreeMap<String, serde_json::Value>,
    root_path: String,
    origin: String,
    prefix: String,
    /// Streams that were there before the case, by their paths below the root.
    standing: BTreeMap<String, String>,
}

impl CaseNames {
    /// Fresh names: no two attempts share a stream, and nobody else can guess one.
    pub(crate) fn new(target: &Target, row: &Row, standing: BTreeMap<String, String>) -> Self {
        let nonce = format!("{:020x}", rand::rng().random::<u128>() >> 48);
        let prefix = format!("sg-{nonce}");
        let mut values: BTreeMap<String, String> =
            row.iter().filter_map(|(name, cell)| Some((name.clone(), cell.clone()?))).collect();
        values.insert("nonce".into(), nonce);
        values.insert("prefix".into(), prefix.clone());
        values.insert("root".into(), target.root_path().to_owned());
        values.insert("host".into(), target.authority());
        values.insert("origin".into(), target.origin());
        Self {
            values,
            json: BTreeMap::new(),
            root_path: target.root_path().to_owned(),
            origin: target.origin(),
            prefix,
            standing,
        }
    }

    /// The path of a stream below the root. A plain name gives one segment, so that servers without
    /// hierarchy can be checked; `a/b` asks for one.
    pub(crate) fn relative(&self, stream: &str) -> String {
        if let Some(path) = self.standing.get(stream) {
            return path.clone();
        }
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
        self.json.remove(name);
        self.values.insert(name.to_owned(), value);
    }

    /// Gives a name a value out of JSON, which keeps its type where it becomes JSON again.
    pub(crate) fn set_json(&mut self, name: &str, value: serde_json::Value) {
        self.set(name, crate::check::SeenValue::Json(value.clone()).text());
        self.json.insert(name.to_owned(), value);
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

    fn json(&self, name: &str) -> Option<serde_json::Value> {
        self.json.get(name).cloned()
    }
}
