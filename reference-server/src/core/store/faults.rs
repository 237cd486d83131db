//! What goes wrong between streams where it is to go wrong on purpose.

use jiff::Timestamp;

use super::Store;
use crate::core::{
    append::{Append, Appended, Outcome},
    error::Refusal,
    producer::{ProducerState, Standing},
};

impl Store {
    /// What a faulty server answers to a producer before it has looked at the stream.
    pub(super) fn err_in_knowing(
        &self,
        path: &str,
        request: &Append<'_>,
        now: Timestamp,
    ) -> Result<Option<Appended>, Refusal> {
        let Some(producer) = &request.producer else { return Ok(None) };
        let (standing, tail) = (self.producers.take(path, producer, self.switches)?, self.tail(path, now));
        let (Some(Standing::Duplicate { highest }), Some(tail)) = (standing, tail) else { return Ok(None) };
        let producer = Some(ProducerState { epoch: producer.epoch, last_seq: highest });
        let outcome = Outcome::Duplicate;
        Ok(Some(Appended { outcome, previous_tail: tail, tail, closed: false, producer }))
    }
}
