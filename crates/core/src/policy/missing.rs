//! What to do where there is no attestation at all, by the kind of what has none.

use std::collections::BTreeMap;

use crate::argo::StoreKind;

/// What to do where there is no attestation at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missing {
    /// The answer is no.
    #[default]
    Fail,
    /// Say so and go on. Never said to be accepted.
    Warn,
}

impl Missing {
    /// The one that a policy calls by this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "fail" => Some(Self::Fail),
            "warn" => Some(Self::Warn),
            _ => None,
        }
    }
}

/// What an artifact is, as far as that decides what its lack of an attestation means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ArtifactKind {
    /// A file or a directory that `verify` is given by its path.
    File,
    /// A container image in a registry.
    Image,
    /// Where the artifact is stored, by Argo's name for it.
    Stored(StoreKind),
}

impl ArtifactKind {
    /// What can lack an attestation, by the names that a policy has for it: all that Argo
    /// knows but `raw`, which is compared with the template's text and needs none.
    pub(super) fn all() -> impl Iterator<Item = (&'static str, Self)> {
        let stored = StoreKind::ALL.into_iter().filter(|kind| *kind != StoreKind::Raw);
        let stored = stored.map(|kind| (kind.name(), Self::Stored(kind)));
        [("file", Self::File), ("image", Self::Image)].into_iter().chain(stored)
    }
}

/// What a policy says of each kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MissingRule {
    /// The same of all.
    All(Missing),
    /// This of some, and [`Missing::Fail`] of all others.
    ByKind(BTreeMap<ArtifactKind, Missing>),
}

impl Default for MissingRule {
    fn default() -> Self {
        Self::All(Missing::Fail)
    }
}

impl MissingRule {
    /// What to do where an artifact of this kind has no attestation; `None` is a kind that
    /// is not known, of which no list can speak.
    pub fn of(&self, kind: Option<ArtifactKind>) -> Missing {
        match self {
            Self::All(missing) => *missing,
            Self::ByKind(each) => kind.and_then(|kind| each.get(&kind)).copied().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_fails() {
        let s3 = ArtifactKind::Stored(StoreKind::S3);
        let git = ArtifactKind::Stored(StoreKind::Git);
        let rule = MissingRule::ByKind(BTreeMap::from([(git, Missing::Warn), (s3, Missing::Fail)]));
        assert_eq!(rule.of(Some(git)), Missing::Warn);
        for kind in [Some(s3), Some(ArtifactKind::File), Some(ArtifactKind::Stored(StoreKind::Http)), None] {
            assert_eq!(rule.of(kind), Missing::Fail, "{kind:?}");
        }
        for kind in ArtifactKind::all().map(|(_, kind)| Some(kind)).chain([None]) {
            assert_eq!(MissingRule::All(Missing::Warn).of(kind), Missing::Warn, "{kind:?}");
            assert_eq!(MissingRule::default().of(kind), Missing::Fail, "{kind:?}");
        }
    }

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        let names: Vec<_> = ArtifactKind::all().map(|(name, _)| name).collect();
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
        assert!(!names.contains(&"raw"), "{names:?}");
    }
}
