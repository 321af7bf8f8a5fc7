//! What is told to somebody who waits while bytes are digested.

/// Receives progress, from the thread that called.
pub trait Progress: Sync {
    /// How many bytes there are to read in all, as far as known by now. May be
    /// called again with another number when more files were found.
    fn total(&self, bytes: u64);

    /// So many more bytes were read. The sum never exceeds the last total.
    fn advanced(&self, bytes: u64);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn total(&self, _bytes: u64) {}

    fn advanced(&self, _bytes: u64) {}
}
