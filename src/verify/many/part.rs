//! What of a place is looked at, if that is not all of it.

use argo_attest_core::audit::Shard;
use argo_attest_core::audit::shard_report::Listing;
use argo_attest_core::contract::store::OUTCOME;
use argo_attest_core::digest::Sha256Digest;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::attestations::{Sorted, Sorting, There, stem_of_any};
use crate::roll::{Gathering, Roll};

/// What of a place is looked at: all of it, by default.
#[derive(Debug, Clone, Copy, Default)]
pub struct Part {
    /// Only what is in this part.
    pub shard: Option<Shard>,
    /// Only what changed since: an artifact, or anything that lies beside it.
    pub since: Option<Timestamp>,
    /// Whether outcomes are looked at, whenever they were written: workflows hang on them.
    pub old_outcomes: bool,
}

/// What is to be done with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// It is looked at.
    At,
    /// Only for what it says of workflows.
    ForWorkflows,
    /// It is of this part, and has not changed.
    Unchanged,
    /// It is another part's.
    OfOthers,
}

/// The names that changed since, by what all names of one artifact have in common.
#[derive(Debug, Default)]
pub(super) struct Changing(Gathering);

impl Changing {
    /// Notes a name, with the time at which it changed. One that is not known is late enough.
    pub(super) fn note(&mut self, part: &Part, name: &[u8], modified: Option<Timestamp>) {
        if let Some(since) = part.since
            && modified.is_none_or(|modified| modified >= since)
        {
            self.0.note(stem_of_any(name), &[]);
        }
    }

    /// All of them, and those of another listing.
    pub(super) fn with(mut self, other: Self) -> Changed {
        self.0.add(other.0.roll());
        Changed(self.0.roll())
    }
}

/// All names that changed since.
#[derive(Debug, Default)]
pub(super) struct Changed(Roll);

impl Changed {
    fn has(&self, name: &[u8]) -> bool {
        self.0.contains(stem_of_any(name))
    }
}

impl Part {
    /// Whether it is all.
    pub(super) fn is_all(&self) -> bool {
        self.shard.is_none() && self.since.is_none()
    }

    /// All that is there, if that has to be the same for other parts: of an attested directory no object is in a
    /// part by its own name, so parts that see the one and not the other leave something to nobody.
    pub(super) fn listing(&self, there: &There, is_one: bool) -> Option<Listing> {
        self.shard?;
        let length = |of: usize| u64::try_from(of).unwrap_or(u64::MAX);
        let mut digest = Sha256::new();
        digest.update([u8::from(is_one)]);
        for names in [&there.files, &there.apart] {
            digest.update(length(names.len()).to_be_bytes());
            for name in names.iter() {
                digest.update(length(name.len()).to_be_bytes());
                digest.update(&name);
            }
        }
        let count = length(there.files.len() + there.apart.len());
        Some(Listing { count, digest: Sha256Digest::from_hasher(digest) })
    }

    /// What is done with what was found.
    pub(super) fn look(&self, part: &Sorted, changed: &Changed, all: &Sorting) -> Look {
        let name = part.name();
        if self.shard.is_some_and(|shard| !shard.has(stem_of_any(name))) {
            return Look::OfOthers;
        }
        let has_new = || {
            let is_directory = matches!(part, Sorted::Directory(_));
            is_directory && all.members(name).iter().any(|member| changed.has(member))
        };
        if self.since.is_none() || changed.has(name) || has_new() {
            return Look::At;
        }
        let is_outcome = || {
            let last = name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            matches!(part, Sorted::Doubtful(_)) && last.starts_with(OUTCOME.as_bytes())
        };
        if self.old_outcomes && is_outcome() { Look::ForWorkflows } else { Look::Unchanged }
    }
}

/// How many have not changed: each artifact, and each attestation of what is not there, once.
#[derive(Debug, Default)]
pub(super) struct Unchanged {
    artifacts: u64,
    left: Gathering,
}

impl Unchanged {
    pub(super) fn note(&mut self, part: &Sorted) {
        match part {
            Sorted::Artifact(_) | Sorted::Directory(_) => self.artifacts += 1,
            Sorted::Doubtful(name) => self.left.note(stem_of_any(name), &[]),
            // It is its artifact's.
            Sorted::Beside(_) => {}
        }
    }

    pub(super) fn count(self) -> u64 {
        self.artifacts.saturating_add(u64::try_from(self.left.roll().len()).unwrap_or(u64::MAX))
    }
}
