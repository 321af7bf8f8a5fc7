//! What was there before the command started.
//!
//! Only a hash of each path and its state is kept: a working directory may
//! hold a million files that nobody is going to touch.

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};

use super::identity::Identity;
use crate::relpath::RelPath;

/// Whether what was there at the start is part of what is observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Baseline {
    /// Everything that is there at the end.
    #[default]
    Include,
    /// Only what was made or changed since the start. An entry whose state is
    /// the same as at the start is neither digested nor listed, nor refused.
    OnlyNewOrChanged,
}

/// The entries that count as unchanged.
#[derive(Debug, Default)]
pub(super) struct Known(HashSet<[u8; 16]>);

impl Known {
    pub(super) fn insert(&mut self, path: &RelPath, identity: &Identity) {
        self.0.insert(fingerprint(path, identity));
    }

    pub(super) fn contains(&self, path: &RelPath, identity: &Identity) -> bool {
        !self.0.is_empty() && self.0.contains(&fingerprint(path, identity))
    }
}

fn fingerprint(path: &RelPath, identity: &Identity) -> [u8; 16] {
    let hash = Sha256::new().chain_update(identity.to_bytes()).chain_update(path.as_bytes()).finalize();
    let (half, _) = hash.as_chunks::<16>();
    half.first().copied().unwrap_or_default()
}
