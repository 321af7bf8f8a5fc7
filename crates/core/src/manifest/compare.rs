//! What is there against what should be: two sorted lists, side by side.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use crate::digest::Sha256Digest;
use crate::links::Links;
use crate::relpath::RelPath;

/// How many differences are named; the rest are counted.
const NAMED: usize = 5;

/// One file that is not as attested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Other bytes.
    Differs(RelPath),
    /// There, but not attested.
    Added(RelPath),
    /// Attested, but not there.
    Missing(RelPath),
    /// A symbolic link with another target.
    LeadsElsewhere(RelPath),
    /// A symbolic link that is not attested.
    AddedLink(RelPath),
    /// A symbolic link that is attested, and is not there, or something else is.
    MissingLink(RelPath),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differs(path) => write!(f, "{path} differs"),
            Self::Added(path) => write!(f, "{path} was added"),
            Self::Missing(path) => write!(f, "{path} is missing"),
            Self::LeadsElsewhere(path) => write!(f, "the symbolic link {path} leads elsewhere"),
            Self::AddedLink(path) => write!(f, "the symbolic link {path} was added"),
            Self::MissingLink(path) => write!(f, "the symbolic link {path} is missing"),
        }
    }
}

/// All differences: the first ones by name, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Differences {
    named: Vec<Difference>,
    count: u64,
    matched: u64,
}

impl Differences {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many files are as attested.
    pub fn matched(&self) -> u64 {
        self.matched
    }

    /// The first ones.
    pub fn named(&self) -> &[Difference] {
        &self.named
    }

    fn push(&mut self, difference: Difference) {
        self.count += 1;
        if self.named.len() < NAMED {
            self.named.push(difference);
        }
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, difference) in self.named.iter().enumerate() {
            write!(f, "{}{difference}", if index == 0 { "" } else { ", " })?;
        }
        match self.count.saturating_sub(u64::try_from(self.named.len()).unwrap_or(u64::MAX)) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// Compares the attested files beneath `base` with those that are there, whose
/// paths are relative to it. `attested` comes in the order of its paths.
pub fn compare<E>(
    mut attested: impl FnMut() -> Result<Option<(RelPath, Sha256Digest)>, E>,
    base: &RelPath,
    there: &BTreeMap<RelPath, Sha256Digest>,
) -> Result<Differences, E> {
    let mut differences = Differences::default();
    let mut there = there.iter().peekable();
    while let Some((path, digest)) = attested()? {
        let Some(path) = path.strip_prefix(base) else { continue };
        while let Some((added, _)) = there.next_if(|(p, _)| **p < path) {
            differences.push(Difference::Added(added.clone()));
        }
        match there.peek().map(|(p, d)| ((*p).cmp(&path), **d)) {
            Some((Ordering::Equal, found)) => {
                if found == digest {
                    differences.matched += 1;
                } else {
                    differences.push(Difference::Differs(path));
                }
                there.next();
            }
            _ => differences.push(Difference::Missing(path)),
        }
    }
    for (added, _) in there {
        differences.push(Difference::Added(added.clone()));
    }
    Ok(differences)
}

/// Compares the attested links of a directory with those that are there.
pub fn compare_links(attested: &Links, there: &Links) -> Differences {
    let mut differences = Differences::default();
    for (path, target) in attested.iter() {
        match there.get(path) {
            Some(found) if found == target => differences.matched += 1,
            Some(_) => differences.push(Difference::LeadsElsewhere(path.clone())),
            None => differences.push(Difference::MissingLink(path.clone())),
        }
    }
    let added = there.iter().filter(|(path, _)| attested.get(path).is_none());
    added.for_each(|(path, _)| differences.push(Difference::AddedLink(path.clone())));
    differences
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    fn diff(
        attested: &BTreeMap<RelPath, Sha256Digest>,
        base: &RelPath,
        there: &BTreeMap<RelPath, Sha256Digest>,
    ) -> Differences {
        let mut entries = attested.iter().map(|(p, d)| (p.clone(), *d));
        compare(|| Ok::<_, Infallible>(entries.next()), base, there).unwrap()
    }

    fn tree(entries: &[(&str, &str)]) -> BTreeMap<RelPath, Sha256Digest> {
        entries
            .iter()
            .map(|(p, c)| (RelPath::from_bytes(p.as_bytes()).unwrap(), Sha256Digest::of(c.as_bytes())))
            .collect()
    }

    #[test]
    fn names_each_kind() {
        let attested = tree(&[("a", "1"), ("b", "2"), ("d", "4")]);
        let there = tree(&[("a", "1"), ("b", "3"), ("c", "3")]);
        let found = diff(&attested, &RelPath::root(), &there);
        assert_eq!(found.to_string(), "b differs, c was added, d is missing");
        assert_eq!(found.matched(), 1);
        let many: Vec<_> = (0..9).map(|n| n.to_string()).collect();
        let there = tree(&many.iter().map(|n| (n.as_str(), "")).collect::<Vec<_>>());
        assert!(diff(&BTreeMap::new(), &RelPath::root(), &there).to_string().ends_with(" and 4 more"));
    }

    #[test]
    fn looks_only_beneath_the_base() {
        let attested = tree(&[("a", "0"), ("a-", "x"), ("a/b", "1"), ("a/c", "2"), ("ab", "y")]);
        let base = RelPath::from_bytes(b"a/b").unwrap();
        assert!(
            diff(&attested, &base, &BTreeMap::from([(RelPath::root(), Sha256Digest::of(b"1"))])).is_empty()
        );
        let base = RelPath::from_bytes(b"a/c").unwrap();
        assert!(
            !diff(&attested, &base, &BTreeMap::from([(RelPath::root(), Sha256Digest::of(b"1"))])).is_empty()
        );
    }

    proptest! {
        #[test]
        fn empty_exactly_when_equal(
            a in proptest::collection::btree_map("[a-c]{1,2}", 0u8..3, 0..6),
            b in proptest::collection::btree_map("[a-c]{1,2}", 0u8..3, 0..6),
        ) {
            let tree = |m: &BTreeMap<String, u8>| -> BTreeMap<_, _> {
                m.iter().map(|(p, c)| (RelPath::from_bytes(p.as_bytes()).unwrap(), Sha256Digest::of(&[*c]))).collect()
            };
            let (a, b) = (tree(&a), tree(&b));
            let differences = diff(&a, &RelPath::root(), &b);
            prop_assert_eq!(differences.is_empty(), a == b);
        }
    }
}
