//! The query of a read (sections 5.6 to 5.8).

use std::borrow::Cow;

use url::form_urlencoded;

use super::{error::Malformed, offset::ReadStart, offset_form::OffsetForm};

/// How an answer is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// What is there, at once.
    CatchUp,
    /// The next thing that comes.
    LongPoll,
    /// Everything that comes.
    EventStream,
}

/// What a `GET` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadQuery {
    /// How to deliver.
    pub mode: Mode,
    /// Where to begin.
    pub start: ReadStart,
    /// The cursor of the client's last answer, whatever it is.
    pub cursor: Option<String>,
}

impl ReadQuery {
    /// Reads a query string, without its question mark. Unknown parameters are ignored.
    ///
    /// # Errors
    /// A malformed or repeated offset, an unknown live mode, or a live mode without an offset.
    pub fn parse(query: &str) -> Result<Self, Malformed> {
        Self::parse_with(query, OffsetForm::default())
    }

    /// The same where offsets are spelled in that form.
    ///
    /// # Errors
    /// Likewise.
    pub fn parse_with(query: &str, form: OffsetForm) -> Result<Self, Malformed> {
        let mut offset: Option<Cow<'_, str>> = None;
        let mut mode = Mode::CatchUp;
        let mut cursor = None;
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "offset" if offset.is_some() => return Err(Malformed::DuplicateOffset),
                "offset" => offset = Some(value),
                "live" => mode = live_mode(&value)?,
                "cursor" => cursor = Some(value.into_owned()),
                _ => {}
            }
        }
        let start = match offset {
            Some(value) => ReadStart::parse_with(&value, form)?,
            None if mode == Mode::CatchUp => ReadStart::Beginning,
            None => return Err(Malformed::OffsetMissing),
        };
        Ok(Self { mode, start, cursor })
    }
}

fn live_mode(value: &str) -> Result<Mode, Malformed> {
    match value {
        "long-poll" => Ok(Mode::LongPoll),
        "sse" => Ok(Mode::EventStream),
        _ => Err(Malformed::LiveMode),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::offset::Offset;

    #[test]
    fn a_plain_read_begins_at_the_start() {
        let plain = ReadQuery { mode: Mode::CatchUp, start: ReadStart::Beginning, cursor: None };
        assert_eq!(ReadQuery::parse(""), Ok(plain.clone()));
        assert_eq!(ReadQuery::parse("offset=-1&x-unknown=1&zzz="), Ok(plain));
    }

    #[test]
    fn a_live_read_says_where_it_begins() {
        let query = format!("offset={}&live=long-poll&cursor=17", Offset::at(5));
        let parsed = ReadQuery::parse(&query).unwrap();
        assert_eq!(parsed.start, ReadStart::At(Offset::at(5)));
        assert_eq!(parsed.mode, Mode::LongPoll);
        assert_eq!(parsed.cursor.as_deref(), Some("17"));
        assert_eq!(ReadQuery::parse("live=sse"), Err(Malformed::OffsetMissing));
    }

    #[test]
    fn malformed_queries_are_refused() {
        for query in [
            "offset=",
            "offset=0,1",
            "offset=0%201",
            "offset=0+1",
            "offset=a%26b",
            "offset=a%3Db",
            "offset=a%3Fb",
            "offset=%2Fa",
            "offset=%00",
            "offset=%ff",
            "live=sse&offset=",
        ] {
            assert_eq!(ReadQuery::parse(query), Err(Malformed::Offset), "{query}");
        }
        assert_eq!(ReadQuery::parse("offset=-1&offset=-1"), Err(Malformed::DuplicateOffset));
        assert_eq!(ReadQuery::parse("offset=-1&live=bogus"), Err(Malformed::LiveMode));
    }
}
