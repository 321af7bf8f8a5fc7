//! What there is beneath a directory, by name: nothing is read.

use std::collections::BTreeMap;

use argo_attest_core::relpath::RelPath;

use super::cancel::Cancel;
use super::identity::Entry;
use super::refusal::Refusal;
use super::root::Root;
use super::walk::{Visitor, walk};
use crate::roll::{Gathering, Roll};

/// Everything beneath a directory, by path from there.
#[derive(Debug, Default)]
pub struct Entries {
    /// Regular files.
    pub files: Roll,
    /// Directories.
    pub directories: Roll,
    /// Links, which are not followed, and whatever else nobody can read, each with its reason.
    pub refused: BTreeMap<RelPath, Refusal>,
}

/// How much is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Entries.
    pub entries: usize,
    /// Bytes of all their paths.
    pub bytes: usize,
}

/// Looks beneath a directory. `None` if there is more than there is room for.
pub fn entries(root: &Root, directory: &RelPath, most: Room) -> Option<Entries> {
    let stop = Cancel::new();
    let (files, directories) = (Gathering::default(), Gathering::default());
    let refused = BTreeMap::new();
    let mut counting = Counting { directory, files, directories, refused, left: most, stop: stop.clone() };
    let walked = walk(root, directory, &mut counting, &stop);
    let Counting { files, directories, refused, .. } = counting;
    let is_all = walked.is_ok() && !stop.is_cancelled();
    is_all.then(|| Entries { files: files.roll(), directories: directories.roll(), refused })
}

struct Counting<'a> {
    directory: &'a RelPath,
    files: Gathering,
    directories: Gathering,
    refused: BTreeMap<RelPath, Refusal>,
    left: Room,
    stop: Cancel,
}

impl Counting<'_> {
    /// Its path from the directory; `None` if there is no more room.
    fn counted(&mut self, path: &RelPath) -> Option<RelPath> {
        let Room { entries, bytes } = self.left;
        let path = path.strip_prefix(self.directory)?;
        let left = entries.checked_sub(1).zip(bytes.checked_sub(path.as_bytes().len()));
        let Some((entries, bytes)) = left else {
            self.stop.cancel();
            return None;
        };
        self.left = Room { entries, bytes };
        Some(path)
    }
}

impl Visitor for Counting<'_> {
    fn directory(&mut self, path: &RelPath, _entry: &Entry) -> bool {
        if path == self.directory {
            return true;
        }
        let counted = self.counted(path);
        if let Some(path) = &counted {
            self.directories.note(path.as_bytes(), &[]);
        }
        counted.is_some()
    }

    fn file(&mut self, path: RelPath, _entry: &Entry) {
        if let Some(path) = self.counted(&path) {
            self.files.note(path.as_bytes(), &[]);
        }
    }

    fn refused(&mut self, path: RelPath, _entry: Option<&Entry>, refusal: Refusal) {
        let counted = self.counted(&path);
        self.refused.extend(counted.map(|path| (path, refusal)));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::super::fixture::{directory, path, write};
    use super::*;

    #[test]
    fn names_all_that_is_there_within_bounds() {
        let (dir, root) = directory();
        write(dir.path(), "d/a", "");
        write(dir.path(), "d/sub/b", "");
        std::fs::create_dir(dir.path().join("d/empty")).unwrap();
        symlink("/etc", dir.path().join("d/etc")).unwrap();
        let bytes = "a".len() + "sub".len() + "sub/b".len() + "empty".len() + "etc".len();
        let most = Room { entries: 5, bytes };
        let found = entries(&root, &path("d"), most).unwrap();
        assert_eq!(found.files, ["a", "sub/b"].into_iter().collect());
        assert_eq!(found.directories, ["empty", "sub"].into_iter().collect());
        assert_eq!(found.refused, [(path("etc"), Refusal::Symlink)].into());
        assert!(entries(&root, &path("d"), Room { entries: 4, ..most }).is_none());
        assert!(entries(&root, &path("d"), Room { bytes: bytes - 1, ..most }).is_none());
        // What is no directory itself is refused as what it is.
        assert_eq!(entries(&root, &path("d/etc"), most).unwrap().refused.len(), 1);
    }
}
