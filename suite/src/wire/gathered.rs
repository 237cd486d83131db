use bytes::Bytes;

/// The size of a piece. All pieces but the first are of this size, so that the memory of one body, once freed, fits
/// the next one; growing one block by and by would leave holes.
const PIECE: usize = 64 * 1024;

/// A body while it comes in.
#[derive(Default)]
pub(super) struct Gathered {
    /// Before the last one: full pieces.
    pieces: Vec<Vec<u8>>,
}

impl Gathered {
    pub(super) fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = self.pieces.last().map_or(0, |piece| PIECE - piece.len());
            let Some(piece) = self.pieces.last_mut().filter(|_| room > 0) else {
                let capacity = if self.pieces.is_empty() { 0 } else { PIECE };
                self.pieces.push(Vec::with_capacity(capacity));
                continue;
            };
            let (fits, rest) = bytes.split_at(bytes.len().min(room));
            piece.extend_from_slice(fits);
            bytes = rest;
        }
    }

    /// All of it in one piece.
    pub(super) fn into_bytes(mut self) -> Bytes {
        match self.pieces.len() {
            0 | 1 => self.pieces.pop().unwrap_or_default().into(),
            _ => self.pieces.concat().into(),
        }
    }

    /// The first 64 KiB: enough to show of a body that is too large.
    pub(super) fn into_beginning(mut self) -> Bytes {
        self.pieces.truncate(1);
        self.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_comes_out_in_order() {
        let whole: Vec<u8> = (0..300_000_u32).map(|number| (number % 251) as u8).collect();
        for size in [1000, PIECE, PIECE + 1, 300_000] {
            let gather = || {
                let mut gathered = Gathered::default();
                whole.chunks(size).for_each(|chunk| gathered.add(chunk));
                gathered
            };
            assert_eq!(gather().into_bytes(), whole);
            assert_eq!(gather().into_beginning(), whole[..PIECE]);
        }
        assert!(Gathered::default().into_bytes().is_empty());
    }
}
