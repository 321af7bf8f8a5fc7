//! Counters that may be read at any time, from any thread.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What an observer has done so far. Counters only, each on its own: two of
/// them read one after the other need not fit together.
#[derive(Debug, Default)]
pub struct Stats {
    ended: AtomicBool,
    bytes_before: AtomicU64,
    bytes_after: AtomicU64,
    files_before: AtomicU64,
    files_after: AtomicU64,
    rescans: AtomicU64,
    fallbacks: AtomicU64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ObservationStats {
    /// Bytes read and hashed before the command ended, repeats included.
    pub bytes_before_end: u64,
    /// Bytes read and hashed after it ended.
    pub bytes_after_end: u64,
    /// Digests finished before the command ended, repeats included.
    pub files_before_end: u64,
    /// Digests finished after it ended.
    pub files_after_end: u64,
    /// Scans of everything while the command ran, because events were lost or
    /// could not be had.
    pub rescans: u64,
    /// 1 if watching failed and scanning took its place.
    pub fallbacks: u64,
}

impl std::iter::Sum for ObservationStats {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            bytes_before_end: sum.bytes_before_end + one.bytes_before_end,
            bytes_after_end: sum.bytes_after_end + one.bytes_after_end,
            files_before_end: sum.files_before_end + one.files_before_end,
            files_after_end: sum.files_after_end + one.files_after_end,
            rescans: sum.rescans + one.rescans,
            fallbacks: sum.fallbacks + one.fallbacks,
        })
    }
}

impl Stats {
    /// The counters now.
    pub fn snapshot(&self) -> ObservationStats {
        ObservationStats {
            bytes_before_end: self.bytes_before.load(Ordering::Relaxed),
            bytes_after_end: self.bytes_after.load(Ordering::Relaxed),
            files_before_end: self.files_before.load(Ordering::Relaxed),
            files_after_end: self.files_after.load(Ordering::Relaxed),
            rescans: self.rescans.load(Ordering::Relaxed),
            fallbacks: self.fallbacks.load(Ordering::Relaxed),
        }
    }

    /// Whether the command has ended.
    pub fn ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    pub(super) fn mark_end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    pub(super) fn read(&self, bytes: u64) {
        let counter = if self.ended() { &self.bytes_after } else { &self.bytes_before };
        counter.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts a finished digest; says whether the command was still running.
    pub(super) fn digested(&self) -> bool {
        let before_end = !self.ended();
        let counter = if before_end { &self.files_before } else { &self.files_after };
        counter.fetch_add(1, Ordering::Relaxed);
        before_end
    }

    pub(super) fn rescanned(&self) {
        self.rescans.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn fell_back(&self) {
        self.fallbacks.store(1, Ordering::Relaxed);
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes_before.load(Ordering::Relaxed) + self.bytes_after.load(Ordering::Relaxed)
    }
}
