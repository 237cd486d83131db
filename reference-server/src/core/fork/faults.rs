//! Forks that begin in the wrong place, on purpose.

use super::{ForkRequest, Log, Offset, Refusal};
use crate::sabotage::{Switch, Switches};

/// Where a faulty server begins a fork; `None` where its fault makes no difference.
pub(super) fn misplace(
    log: &Log,
    anchor: Offset,
    request: &ForkRequest,
    switches: Switches,
) -> Option<Result<Offset, Refusal>> {
    let on = |switch| switches.on(switch);
    let behind = |bytes: u64| Offset::at(anchor.position() + bytes);
    let rest = log.rest_of_append(anchor);
    let room = rest.as_ref().map_or(0, |rest| rest.len() as u64);
    if on(Switch::ForkOffsetInclusive) && request.offset.is_some() {
        return Some(Ok(behind(room)));
    }
    let sub_offset = Some(request.sub_offset).filter(|sub_offset| *sub_offset > 0)?;
    if on(Switch::SubOffsetInCharacters) {
        let text = String::from_utf8_lossy(rest.as_deref()?).into_owned();
        let characters = usize::try_from(sub_offset).unwrap_or(usize::MAX);
        let bytes = text.chars().take(characters).map(char::len_utf8).sum::<usize>();
        Some(Ok(behind(bytes as u64)))
    } else if on(Switch::SubOffsetInBytes) {
        Some(if sub_offset <= room { Ok(behind(sub_offset)) } else { Err(Refusal::SubOffsetTooFar) })
    } else if on(Switch::SubOffsetInBatches) || (on(Switch::SubOffsetClamped) && sub_offset > room) {
        Some(Ok(behind(room)))
    } else if on(Switch::SubOffsetClamped) {
        Some(Ok(log.advance(anchor, sub_offset).unwrap_or(behind(room))))
    } else if on(Switch::SubOffsetCrossesAppends) {
        (anchor.position().checked_add(sub_offset)? <= log.tail().position()).then(|| Ok(behind(sub_offset)))
    } else if on(Switch::SubOffsetFromStart) {
        (sub_offset <= anchor.position() + room).then(|| Ok(Offset::at(sub_offset)))
    } else {
        let end = log.advance(anchor, sub_offset).filter(|_| on(Switch::SubOffsetEndExcluded))?;
        (end == behind(room)).then_some(Err(Refusal::SubOffsetTooFar))
    }
}
