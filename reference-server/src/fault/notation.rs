//! How faults are written.

use std::{str::FromStr, time::Duration};

use thiserror::Error;

use super::{Fault, Kind, Only, When};

/// What there is to write, with examples.
pub const EXPLAINED: &str = "\
A fault is written KIND[=VALUE][@WHEN][,KEY=VALUE]...

KIND        what goes wrong
latency     every answer comes later: latency=200ms, or any time between two: latency=100ms..300ms
STATUS      429, 500, 502, 503 or 504 in place of the answer; the request is not carried out.
            retry-after=D with it (1s for 429 and 503 where nothing is said)
hang-up     the connection ends in place of an answer; the request is not carried out
lose-answer the connection ends in place of an answer; the request has been carried out
cut-body    the connection breaks in the middle of a body, or behind after=BYTES
cut-event   the connection breaks inside an event, behind after=EVENTS whole ones (1)
end-events  an event stream ends behind after=EVENTS events (2), though its stream goes on
stall       a body pauses, for 5s or stall=D, in its middle or behind after=BYTES; of an event stream
            behind its first bytes

WHEN        at which of the exchanges that the fault can touch; at all of them where nothing is said
@10%        at this rate; --seed makes it repeat
@nth=3      at the third
@every=3    at the third, the sixth, ...
@first=3    at the first three

KEY         which exchanges the fault can touch
method=GET  only this method
live=sse    only reads in this mode: sse, long-poll, or none for every other request

Examples
--fault latency=100ms..300ms
--fault 503@10%,retry-after=1s
--fault cut-body@nth=3,method=GET
--fault lose-answer@first=1,method=POST
--fault end-events@every=2,after=5
--fault stall=30s@5%,live=sse
";

/// A fault that cannot be read: what, where, and what to write.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{spec:?}: {wrong}; {remedy}")]
pub struct FaultMistake {
    spec: String,
    wrong: String,
    remedy: String,
}

/// What is wrong with a part, and what to write.
type Wrong = (String, String);

const STATUSES: [u16; 5] = [429, 500, 502, 503, 504];
const STALL: Duration = Duration::from_secs(5);
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl FromStr for Fault {
    type Err = FaultMistake;

    fn from_str(spec: &str) -> Result<Self, FaultMistake> {
        parse(spec).map_err(|(wrong, remedy)| FaultMistake { spec: spec.to_owned(), wrong, remedy })
    }
}

fn parse(spec: &str) -> Result<Fault, Wrong> {
    let mut parts = spec.split(',').map(str::trim);
    let head = parts.next().unwrap_or_default();
    let (what, when) = match head.split_once('@') {
        Some((what, when)) => (what, when_of(when)?),
        None => (head, When::Always),
    };
    let mut options = Options::default();
    for part in parts {
        options.take(part)?;
    }
    let only = Only { method: options.method.take(), live: options.live.take() };
    let kind = kind_of(what, &mut options)?;
    options.nothing_left(what)?;
    Ok(Fault { spec: spec.to_owned(), kind, when, only })
}

fn kind_of(what: &str, options: &mut Options) -> Result<Kind, Wrong> {
    let (name, value) = what.split_once('=').map_or((what, None), |(name, value)| (name, Some(value)));
    if value.is_some() && !matches!(name, "latency" | "stall") {
        return Err((format!("{name} takes no value, and {what:?} has one"), format!("write {name}")));
    }
    Ok(match name {
        "latency" => {
            let value = value.ok_or((
                "latency has no time".to_owned(),
                "write latency=200ms or latency=100ms..300ms".to_owned(),
            ))?;
            let (shortest, longest) = value.split_once("..").unwrap_or((value, value));
            let (shortest, longest) = (time(shortest)?, time(longest)?);
            if shortest > longest {
                return Err((
                    format!("{value} begins behind its end"),
                    "put the shorter time first".to_owned(),
                ));
            }
            Kind::Latency(shortest, longest)
        }
        "hang-up" => Kind::HangUp,
        "lose-answer" => Kind::LoseAnswer,
        "cut-body" => Kind::CutBody { after: options.after.take() },
        "cut-event" => Kind::CutEvent { after: options.after.take().unwrap_or(1) },
        "end-events" => Kind::EndEvents { after: options.after.take().unwrap_or(2) },
        "stall" => Kind::Stall { time: value.map_or(Ok(STALL), time)?, after: options.after.take() },
        status => match status.parse().ok().filter(|status| STATUSES.contains(status)) {
            Some(status) => {
                let usual = matches!(status, 429 | 503).then_some(RETRY_AFTER);
                Kind::Refuse { status, retry_after: options.retry_after.take().or(usual) }
            }
            None => {
                return Err((
                    format!("{name:?} is no kind of fault"),
                    "write latency=D, 429, 500, 502, 503, 504, hang-up, lose-answer, cut-body, cut-event, \
                     end-events or stall; `--fault list` explains them"
                        .to_owned(),
                ));
            }
        },
    })
}

fn when_of(text: &str) -> Result<When, Wrong> {
    let wrong = || {
        (
            format!("{text:?} behind @ is no rate and no count"),
            "write @10%, @nth=3, @every=3 or @first=3".to_owned(),
        )
    };
    if let Some(rate) = text.strip_suffix('%') {
        let rate = rate.parse().ok().filter(|rate: &f64| (0.0..=100.0).contains(rate)).ok_or_else(wrong)?;
        return Ok(When::Rate(rate / 100.0));
    }
    let (name, count) = text.split_once('=').ok_or_else(wrong)?;
    let count = count.parse().ok().filter(|count| *count > 0).ok_or_else(wrong)?;
    match name {
        "nth" => Ok(When::Nth(count)),
        "every" => Ok(When::Every(count)),
        "first" => Ok(When::First(count)),
        _ => Err(wrong()),
    }
}

/// What stands behind the commas, each until something has use for it.
#[derive(Default)]
struct Options {
    method: Option<String>,
    live: Option<String>,
    retry_after: Option<Duration>,
    after: Option<usize>,
}

impl Options {
    fn take(&mut self, part: &str) -> Result<(), Wrong> {
        let known = "write method=GET, live=sse, retry-after=1s or after=100";
        let Some((key, value)) = part.split_once('=') else {
            return Err((format!("{part:?} has no value"), known.to_owned()));
        };
        match key {
            "method" => {
                let is_method = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_uppercase());
                if !is_method {
                    return Err((
                        format!("{value:?} is no method"),
                        "write it in capitals: method=GET".to_owned(),
                    ));
                }
                self.method = Some(value.to_owned());
            }
            "live" => {
                if !["sse", "long-poll", "none"].contains(&value) {
                    return Err((
                        format!("{value:?} is no live mode"),
                        "write live=sse, live=long-poll or live=none".to_owned(),
                    ));
                }
                self.live = Some(value.to_owned());
            }
            "retry-after" => self.retry_after = Some(time(value)?),
            "after" => {
                let count = value.parse().map_err(|_| {
                    (
                        format!("{value:?} is no number"),
                        "write how many bytes or events: after=100".to_owned(),
                    )
                })?;
                self.after = Some(count);
            }
            _ => return Err((format!("{key:?} is no key"), known.to_owned())),
        }
        Ok(())
    }

    fn nothing_left(&self, what: &str) -> Result<(), Wrong> {
        let left = match self {
            Self { retry_after: Some(_), .. } => "retry-after",
            Self { after: Some(_), .. } => "after",
            _ => return Ok(()),
        };
        Err((
            format!("{what} has no use for {left}"),
            format!("leave {left} out; `--fault list` says what takes it"),
        ))
    }
}

fn time(text: &str) -> Result<Duration, Wrong> {
    let span: Option<jiff::SignedDuration> = text.parse().ok();
    span.and_then(|span| Duration::try_from(span).ok())
        .ok_or_else(|| (format!("{text:?} is no span of time"), "write it like 200ms or 1.5s".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(spec: &str) -> Fault {
        spec.parse().unwrap_or_else(|mistake| panic!("{mistake}"))
    }

    #[test]
    fn every_example_of_the_explanation_can_be_read() {
        let examples: Vec<&str> =
            EXPLAINED.lines().filter_map(|line| line.strip_prefix("--fault ")).collect();
        assert_eq!(examples.len(), 6);
        for example in examples {
            assert_eq!(fault(example).to_string(), example);
        }
    }

    #[test]
    fn parts_are_told_apart() {
        let refused = fault("503@10%,retry-after=2s,method=POST");
        let retry_after = Some(Duration::from_secs(2));
        assert_eq!(refused.kind, Kind::Refuse { status: 503, retry_after });
        assert_eq!(refused.when, When::Rate(0.1));
        assert_eq!(refused.only.method.as_deref(), Some("POST"));
        assert_eq!(fault("429").kind, Kind::Refuse { status: 429, retry_after: Some(RETRY_AFTER) });
        assert_eq!(fault("500").kind, Kind::Refuse { status: 500, retry_after: None });
        let hundred = Duration::from_millis(100);
        assert_eq!(fault("latency=100ms..300ms").kind, Kind::Latency(hundred, hundred * 3));
        assert_eq!(fault("latency=100ms").kind, Kind::Latency(hundred, hundred));
        assert_eq!(fault("end-events@every=2,after=5").kind, Kind::EndEvents { after: 5 });
        assert_eq!(fault("stall@first=2").kind, Kind::Stall { time: STALL, after: None });
    }

    #[test]
    fn a_mistake_says_what_and_what_to_do() {
        for (spec, what) in [
            ("", "no kind of fault"),
            ("slow", "no kind of fault"),
            ("404", "no kind of fault"),
            ("latency", "latency has no time"),
            ("latency=soon", "no span of time"),
            ("latency=2s..1s", "begins behind its end"),
            ("503@10", "no rate and no count"),
            ("503@101%", "no rate and no count"),
            ("503@nth=0", "no rate and no count"),
            ("503=1", "takes no value"),
            ("503,retry-after=x", "no span of time"),
            ("cut-body,retry-after=1s", "no use for retry-after"),
            ("hang-up,after=3", "no use for after"),
            ("hang-up,method=get", "no method"),
            ("hang-up,live=poll", "no live mode"),
            ("hang-up,after", "has no value"),
            ("hang-up,colour=red", "is no key"),
        ] {
            let mistake = spec.parse::<Fault>().unwrap_err().to_string();
            assert!(mistake.contains(what) && mistake.starts_with(&format!("{spec:?}: ")), "{mistake}");
        }
    }
}
