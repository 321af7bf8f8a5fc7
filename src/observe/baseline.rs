//! What was there before the command started.
//!
//! Only a hash of each path and its state is kept: a working directory may
//! hold a million files that nobody is going to touch.

use std::collections::HashSet;

use argo_attest_core::relpath::RelPath;

use super::identity::{Fingerprint, Identity};

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
pub(super) struct Known(HashSet<Fingerprint>);

impl Known {
    pub(super) fn insert(&mut self, path: &RelPath, identity: &Identity) {
        self.0.insert(identity.fingerprint_with(path.as_bytes()));
    }

    pub(super) fn contains(&self, path: &RelPath, identity: &Identity) -> bool {
        !self.0.is_empty() && self.0.contains(&identity.fingerprint_with(path.as_bytes()))
    }
}
