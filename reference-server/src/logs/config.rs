use std::time::Duration;

/// Timings and bounds of the log stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogsConfig {
    /// How long a live entry may wait for others to share its `logs` event.
    pub batch_interval: Duration,
    /// Time between two `ping` events of a stream, whatever else it sends.
    pub heartbeat: Duration,
    /// Entries kept for each scope; the oldest go first.
    pub ring_entries: usize,
    /// Bytes kept for each scope; the oldest entries go first.
    pub ring_bytes: usize,
    /// Bytes kept for all scopes together; the job written to longest ago goes first.
    pub total_bytes: usize,
    /// Jobs remembered; beyond it, the one written to longest ago that nobody reads is forgotten.
    pub max_jobs: usize,
    /// Streams open at once; beyond it a reader is told to come back (503).
    pub max_readers: usize,
    /// The largest accepted request body, in bytes.
    pub max_body_bytes: usize,
}

impl Default for LogsConfig {
    fn default() -> Self {
        Self {
            batch_interval: Duration::from_millis(150),
            heartbeat: Duration::from_secs(5),
            ring_entries: 20_000,
            ring_bytes: 16 << 20,
            total_bytes: 96 << 20,
            max_jobs: 1_000,
            max_readers: 4_096,
            max_body_bytes: 8 << 20,
        }
    }
}
