//! What one append brings: bytes, and where its messages end.

use bytes::Bytes;

/// The content of one append; never empty.
#[derive(Clone, Debug)]
pub struct Payload {
    bytes: Bytes,
    units: Units,
}

/// Where a payload may be cut.
#[derive(Clone, Debug)]
enum Units {
    /// Between any two bytes.
    Bytes,
    /// Nowhere: it is one message.
    OneMessage,
    /// After each of these counts of bytes, ascending; the last is the whole length.
    Messages(Box<[usize]>),
}

impl Payload {
    /// Bytes without message boundaries; `None` when there are none.
    ///
    /// The bytes are copied, because a request's body often is a small window of a large read buffer
    /// that would stay alive with it.
    pub fn of_bytes(body: &[u8]) -> Option<Self> {
        (!body.is_empty()).then(|| Self { bytes: Bytes::copy_from_slice(body), units: Units::Bytes })
    }

    /// Replaces every byte: what a store does that overwrites what it should keep.
    pub(crate) fn blank_out(&mut self) {
        self.bytes = vec![b'#'; self.bytes.len()].into();
    }

    pub(crate) fn of_messages(bytes: Bytes, ends: Vec<usize>) -> Option<Self> {
        let units = match ends.len() {
            0 => return None,
            1 => Units::OneMessage,
            _ => Units::Messages(ends.into()),
        };
        Some(Self { bytes, units })
    }

    /// The content, in the form in which it is stored.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Bytes that it takes in the store.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// How many messages it brings; bytes without boundaries count as one.
    pub(crate) fn messages(&self) -> u64 {
        match &self.units {
            Units::Bytes | Units::OneMessage => 1,
            Units::Messages(ends) => ends.len() as u64,
        }
    }

    /// Whether a read or a fork may begin `distance` bytes into the payload.
    pub(crate) fn may_cut_at(&self, distance: usize) -> bool {
        distance == 0
            || distance == self.size()
            || match &self.units {
                Units::Bytes => distance < self.size(),
                Units::OneMessage => false,
                Units::Messages(ends) => ends.binary_search(&distance).is_ok(),
            }
    }

    /// The place `units` bytes or messages after `distance`, if the payload reaches that far.
    pub(crate) fn advance(&self, distance: usize, units: u64) -> Option<usize> {
        let units = usize::try_from(units).ok()?;
        match &self.units {
            Units::Bytes => distance.checked_add(units).filter(|end| *end <= self.size()),
            Units::OneMessage => match (distance, units) {
                (distance, 0) => Some(distance),
                (0, 1) => Some(self.size()),
                _ => None,
            },
            Units::Messages(ends) => match units {
                0 => Some(distance),
                _ => {
                    let passed = ends.partition_point(|end| *end <= distance);
                    ends.get(passed.checked_add(units - 1)?).copied()
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::json_messages::store_form;

    #[test]
    fn bytes_are_cut_anywhere() {
        let hello = Payload::of_bytes(b"hello").unwrap();
        assert!((0..=5).all(|distance| hello.may_cut_at(distance)));
        assert!(!hello.may_cut_at(6));
        assert_eq!(hello.advance(2, 3), Some(5));
        assert_eq!(hello.advance(2, 4), None);
        assert_eq!(hello.advance(1, u64::MAX), None);
        assert!(Payload::of_bytes(b"").is_none());
    }

    #[test]
    fn messages_are_cut_between_each_other() {
        let batch = store_form(&["1", "22", "333"]).unwrap();
        assert_eq!(batch.bytes().as_ref(), b"1,22,333,");
        let cuts: Vec<usize> = (0..=10).filter(|distance| batch.may_cut_at(*distance)).collect();
        assert_eq!(cuts, [0, 2, 5, 9]);
        assert_eq!(batch.advance(0, 2), Some(5));
        assert_eq!(batch.advance(2, 2), Some(9));
        assert_eq!(batch.advance(2, 3), None);
        assert_eq!(batch.advance(5, 0), Some(5));
    }

    #[test]
    fn one_message_is_all_or_nothing() {
        let one = store_form(&["{}"]).unwrap();
        assert_eq!(one.advance(0, 1), Some(3));
        assert_eq!(one.advance(0, 2), None);
        assert!(one.may_cut_at(0) && one.may_cut_at(3) && !one.may_cut_at(1));
        assert!(store_form(&[]).is_none());
    }
}
