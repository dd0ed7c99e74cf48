//! What may be chosen of the embedded log and store. Must not read configuration.

use std::time::Duration;

const MIB: usize = 1 << 20;

/// Sizes and waits. The defaults suit a server of two cores.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many of the newest events are known again when they come twice; about 12 bytes of memory each.
    pub remembered: usize,
    /// The most bytes that wait for the log's writer.
    pub queue_bytes: usize,
    /// The most records of one commit; a single call may be larger.
    pub commit_entries: usize,
    /// The most bytes of one commit; a single call may be larger.
    pub commit_bytes: usize,
    /// How long a commit waits for more records: a small one that is much smaller than the last, a large one in any case
    /// (see `Queue::take`).
    pub commit_wait: Duration,
    /// The newest records that are kept in memory for readers who have not read them, in bytes.
    pub tail_bytes: usize,
    /// Pages that each connection on the log may keep in memory, in bytes.
    pub log_cache_bytes: usize,
    /// Pages that each connection on the store may keep in memory, in bytes.
    pub store_cache_bytes: usize,
    /// Connections for reading, on each file.
    pub readers: usize,
    /// How much of the log is written ahead before it is moved into its file, in bytes: little, so that it is read and
    /// written while the processor's caches hold it, and no commit waits long behind it.
    pub log_checkpoint_bytes: usize,
    /// How much of the store is written ahead before it is moved into its file, in bytes: much, since pages change again.
    pub store_checkpoint_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            remembered: 2_097_152,
            queue_bytes: 64 * MIB,
            commit_entries: 8_192,
            commit_bytes: 8 * MIB,
            commit_wait: Duration::from_millis(1),
            tail_bytes: 4 * MIB,
            log_cache_bytes: 8 * MIB,
            store_cache_bytes: 64 * MIB,
            readers: 2,
            log_checkpoint_bytes: 4 * MIB,
            store_checkpoint_bytes: 16 * MIB,
        }
    }
}
