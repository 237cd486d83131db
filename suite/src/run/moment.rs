//! Moments of a case: instants to send, waits, and steps that came too late to tell anything.

use std::time::Instant;

use super::{answer::Demands, case::Context, stage::Halt};
use crate::{
    case::{Instant as InstantSpec, Moment},
    check::Seen,
};

impl Context<'_> {
    pub(super) fn instant(&self, spec: &InstantSpec) -> Result<(), Halt> {
        let wrong = |why: String| Halt::Errored(format!("{}: {why}", self.place));
        let distance: jiff::SignedDuration =
            spec.from_now.parse().map_err(|error: jiff::Error| wrong(error.to_string()))?;
        let now = self.stage.world.clock.at(jiff::Timestamp::now());
        let instant =
            now.and_then(|now| now.checked_add(distance)).map_err(|error| wrong(error.to_string()))?;
        let precision = if spec.milliseconds { 3 } else { 0 };
        let text = match &spec.utc_offset {
            None => format!("{instant:.precision$}"),
            Some(offset) => {
                let zone = jiff::fmt::strtime::parse("%:z", offset).ok().and_then(|parsed| parsed.offset());
                let zone = zone.ok_or_else(|| wrong(format!("{offset:?} is no offset from UTC")))?;
                format!("{:.precision$}", instant.display_with_offset(zone))
            }
        };
        self.stage.set(&spec.save, text);
        Ok(())
    }

    pub(super) async fn wait_until(&self, moment: &Moment) -> Result<(), Halt> {
        tokio::time::sleep_until(self.when(moment)?.into()).await;
        Ok(())
    }

    /// An answer that came after the moment and is not as it should be makes the attempt void: what the
    /// case looks for may have ended by then.
    pub(super) fn excuse_lateness(
        &self,
        before: Option<&Moment>,
        demands: &Demands<'_>,
        seen: &Seen,
    ) -> Result<(), Halt> {
        match before {
            Some(moment) if !self.meets(demands, seen)? => self.in_time(Some(moment)),
            _ => Ok(()),
        }
    }

    /// The attempt is void once the moment has passed.
    pub(super) fn in_time(&self, before: Option<&Moment>) -> Result<(), Halt> {
        let Some(moment) = before else {
            return Ok(());
        };
        let late = Instant::now().saturating_duration_since(self.when(moment)?);
        if late.is_zero() {
            return Ok(());
        }
        Err(Halt::Inconclusive(format!(
            "{}: {late:.0?} later than {:?} after step {}, which is too late to tell",
            self.place, moment.passed.0, moment.after
        )))
    }

    fn when(&self, moment: &Moment) -> Result<Instant, Halt> {
        let began = self.stage.step_began(&moment.after);
        let began =
            began.ok_or_else(|| Halt::Errored(format!("no step named {} was carried out", moment.after)))?;
        Ok(began + moment.passed.0)
    }
}
