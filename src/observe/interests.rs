//! Which paths beneath the root are observed.

use std::collections::BTreeSet;

use argo_attest_core::relpath::RelPath;

/// The paths asked for, and those left out.
#[derive(Debug, Clone)]
pub(super) struct Interests {
    /// As asked for.
    asked: BTreeSet<RelPath>,
    /// Without those beneath another one.
    tops: Vec<RelPath>,
    excluded: BTreeSet<RelPath>,
    names: Vec<&'static str>,
}

impl Interests {
    pub(super) fn new(asked: Vec<RelPath>, excluded: Vec<RelPath>) -> Self {
        Self::without_names(asked, excluded, Vec::new())
    }

    /// The same, without whatever has one of these names, or is beneath that.
    pub(super) fn without_names(
        asked: Vec<RelPath>,
        excluded: Vec<RelPath>,
        names: Vec<&'static str>,
    ) -> Self {
        let asked: BTreeSet<_> = asked.into_iter().collect();
        let tops = asked
            .iter()
            .filter(|path| !asked.iter().any(|other| other != *path && path.starts_with(other)))
            .cloned()
            .collect();
        Self { asked, tops, excluded: excluded.into_iter().collect(), names }
    }

    pub(super) fn asked(&self) -> impl Iterator<Item = &RelPath> {
        self.asked.iter()
    }

    /// The innermost path that was asked for and that this one is, or is beneath; and its
    /// path from there.
    pub(super) fn innermost(&self, path: &RelPath) -> Option<(RelPath, RelPath)> {
        let interest = std::iter::successors(Some(path.clone()), RelPath::parent)
            .find(|above| self.asked.contains(above))?;
        let rest = path.strip_prefix(&interest)?;
        Some((interest, rest))
    }

    /// Disjoint trees that hold all that was asked for.
    pub(super) fn tops(&self) -> &[RelPath] {
        &self.tops
    }

    /// Whether the path is to be digested, or looked into, if it exists.
    pub(super) fn hold(&self, path: &RelPath) -> bool {
        self.tops.iter().any(|top| path.starts_with(top)) && !self.excluded(path)
    }

    /// Whether the path is an interest's ancestor, so that the interest may
    /// come and go with it.
    pub(super) fn lead_through(&self, path: &RelPath) -> bool {
        self.tops.iter().any(|top| top != path && top.starts_with(path))
    }

    pub(super) fn concern(&self, path: &RelPath) -> bool {
        self.hold(path) || self.lead_through(path)
    }

    pub(super) fn excluded(&self, path: &RelPath) -> bool {
        let named = |part: &[u8]| self.names.iter().any(|name| name.as_bytes() == part);
        self.excluded.contains(path) || !self.names.is_empty() && path.components().any(named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::from_bytes(text.as_bytes()).unwrap()
    }

    #[test]
    fn knows_what_concerns_it() {
        let asked = ["a/b", "a/b/c", "x"].map(path).to_vec();
        let interests = Interests::new(asked, vec![path("x/skip")]);
        assert_eq!(interests.tops(), ["a/b", "x"].map(path));
        assert_eq!(interests.asked().count(), 3);
        for (text, hold, lead) in [
            ("", false, true),
            ("a", false, true),
            ("a/b", true, false),
            ("a/bb", false, false),
            ("a/b/c/d", true, false),
            ("x/skip", false, false),
            ("x/skipped", true, false),
            ("y", false, false),
        ] {
            assert_eq!(interests.hold(&path(text)), hold, "{text}");
            assert_eq!(interests.lead_through(&path(text)), lead, "{text}");
        }
        let all = Interests::without_names(vec![RelPath::root()], Vec::new(), vec![".git"]);
        for (text, hold) in
            [("a/.git", false), (".git/x", false), ("a/.git/x/y", false), ("a/.gitignore", true)]
        {
            assert_eq!(all.hold(&path(text)), hold, "{text}");
        }
    }
}
