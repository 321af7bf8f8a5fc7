//! The directories that the entries of an archive are in.

use crate::relpath::RelPath;

/// Remembers where the last entry was: an archive names one file of a directory after the
/// other, and each of its directories need be looked at but once.
#[derive(Debug, Default)]
pub(super) struct Above {
    /// None before the first.
    last: Option<RelPath>,
}

impl Above {
    /// The directories of an entry that the one before it was not in, the deepest first.
    pub(super) fn new_ones(&mut self, path: &RelPath) -> impl Iterator<Item = RelPath> + use<> {
        let parent = path.parent();
        let last = std::mem::replace(&mut self.last, parent.clone());
        std::iter::successors(parent, RelPath::parent)
            .take_while(move |above| !last.as_ref().is_some_and(|last| last.starts_with(above)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_directory_is_given_once_while_entries_stay_in_it() {
        let mut above = Above::default();
        let mut new = |path: &str| {
            let path = RelPath::from_bytes(path.as_bytes()).unwrap();
            above.new_ones(&path).map(|p| p.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(new("a/b/c"), ["a/b", "a", "."]);
        assert_eq!(new("a/b/d"), [""; 0]);
        assert_eq!(new("a/bb/d"), ["a/bb"]);
        assert_eq!(new("x"), [""; 0]);
        assert_eq!(new("a/b/c"), ["a/b", "a"]);
        // The artifact itself is in nothing.
        assert_eq!(new(""), [""; 0]);
    }
}
