//! What a server prints: read all the time, or it would block; its end is kept, all of it in a file if wanted.

use std::{
    collections::VecDeque,
    fs::File,
    io::Write as _,
    sync::{Arc, Mutex, MutexGuard},
};

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Bytes of output that are kept.
const KEPT: usize = 64 * 1024;

/// Lines of it that are shown.
const SHOWN: usize = 40;

/// The end of what was printed.
#[derive(Clone, Debug, Default)]
pub struct Tail(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    bytes: VecDeque<u8>,
    log: Option<File>,
}

impl Tail {
    pub(super) fn new(log: Option<File>) -> Self {
        Self(Arc::new(Mutex::new(Kept { bytes: VecDeque::new(), log })))
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The last lines, as text.
    pub fn text(&self) -> String {
        let kept = self.lock();
        let bytes: Vec<u8> = kept.bytes.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.trim_end().lines().collect();
        lines[lines.len().saturating_sub(SHOWN)..].join("\n")
    }

    /// Reads to the end, however much comes.
    pub(super) async fn follow(self, mut pipe: impl AsyncRead + Unpin) {
        let mut buffer = vec![0; 8192];
        while let Ok(length @ 1..) = pipe.read(&mut buffer).await {
            self.add(&buffer[..length]);
        }
    }

    fn add(&self, bytes: &[u8]) {
        let mut kept = self.lock();
        kept.bytes.extend(bytes);
        let surplus = kept.bytes.len().saturating_sub(KEPT);
        kept.bytes.drain(..surplus);
        if let Some(log) = &mut kept.log
            && log.write_all(bytes).is_err()
        {
            // A disk that is full must not end the run.
            kept.log = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_end_is_kept_however_much_is_printed() {
        let tail = Tail::default();
        let text: String = (0..100_000).map(|line| format!("line {line}\n")).collect();
        tail.clone().follow(text.as_bytes()).await;
        assert_eq!(tail.lock().bytes.len(), KEPT);
        let shown = tail.text();
        assert_eq!(shown.lines().count(), SHOWN);
        assert!(shown.ends_with("line 99999"), "{shown}");
    }
}
