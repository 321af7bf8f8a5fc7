//! Going through a tree, however deep, wide or hostile.
//!
//! Directories still to visit are kept as paths on the heap and each is opened
//! from the root when its turn comes: neither the stack nor the number of open
//! files grows with the depth of the tree.

use argo_attest_core::relpath::RelPath;

use super::cancel::Cancel;
use super::identity::{Entry, Kind};
use super::refusal::Refusal;
use super::root::Root;

/// After so many entries a walk looks whether it was stopped: a directory may hold
/// a million of them.
const LOOK_EVERY: usize = 256;

/// What to do at what a walk finds.
pub(super) trait Visitor {
    /// A directory, before it is listed. `false` leaves it out.
    fn directory(&mut self, path: &RelPath, entry: &Entry) -> bool;

    /// A regular file.
    fn file(&mut self, path: RelPath, entry: &Entry);

    /// A symbolic link, which is never followed.
    fn link(&mut self, path: RelPath, entry: &Entry) {
        self.refused(path, Some(entry), Refusal::Symlink);
    }

    /// Anything else, and directories that cannot be listed. The entry is
    /// absent if it could not be looked at either.
    fn refused(&mut self, path: RelPath, entry: Option<&Entry>, refusal: Refusal);
}

/// The walk was stopped; what it did not reach is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stopped;

/// Visits what is at `start` and beneath it. Nothing there is no entry.
pub(super) fn walk(
    root: &Root,
    start: &RelPath,
    visitor: &mut dyn Visitor,
    cancel: &Cancel,
) -> Result<(), Stopped> {
    match root.entry(start) {
        Ok(entry) => {
            let mut directories = Vec::new();
            meet(start.clone(), &entry, visitor, &mut directories);
            while let Some(path) = directories.pop() {
                if cancel.is_cancelled() {
                    return Err(Stopped);
                }
                list(root, &path, visitor, &mut directories, cancel)?;
            }
        }
        Err(Refusal::Vanished) => {}
        Err(refusal) => visitor.refused(start.clone(), None, refusal),
    }
    Ok(())
}

fn list(
    root: &Root,
    path: &RelPath,
    visitor: &mut dyn Visitor,
    directories: &mut Vec<RelPath>,
    cancel: &Cancel,
) -> Result<(), Stopped> {
    let mut listing = match root.list(path) {
        Ok(listing) => listing,
        Err(Refusal::Vanished) => return Ok(()),
        Err(refusal) => {
            visitor.refused(path.clone(), root.entry(path).ok().as_ref(), refusal);
            return Ok(());
        }
    };
    let mut listed = 0_usize;
    while let Some(found) = listing.next() {
        listed += 1;
        if listed.is_multiple_of(LOOK_EVERY) && cancel.is_cancelled() {
            return Err(Stopped);
        }
        let (name, entry) = match found {
            Ok(found) => found,
            Err(e) => {
                visitor.refused(path.clone(), None, root.refusal(e, path));
                return Ok(());
            }
        };
        // The kernel gives plain names, which always join.
        let Ok(child) = path.join(&name) else { continue };
        match entry {
            Ok(entry) => {
                if Root::reaches(&child) {
                    meet(child, &entry, visitor, directories);
                } else {
                    visitor.refused(child, Some(&entry), Root::too_deep());
                }
            }
            Err(e) => {
                let refusal = root.refusal(e, &child);
                visitor.refused(child, None, refusal);
            }
        }
    }
    Ok(())
}

fn meet(path: RelPath, entry: &Entry, visitor: &mut dyn Visitor, directories: &mut Vec<RelPath>) {
    match (entry.kind, Refusal::of(entry.kind)) {
        (Kind::Symlink, _) => visitor.link(path, entry),
        (_, Some(refusal)) => visitor.refused(path, Some(entry), refusal),
        (Kind::Directory, None) => {
            if visitor.directory(&path, entry) {
                directories.push(path);
            }
        }
        (_, None) => visitor.file(path, entry),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::os::unix::fs::symlink;

    use super::super::fixture::{directory, path, write};
    use super::*;

    #[derive(Default)]
    struct Seen {
        directories: Vec<String>,
        files: Vec<String>,
        refused: BTreeMap<RelPath, Refusal>,
    }

    impl Visitor for Seen {
        fn directory(&mut self, path: &RelPath, _entry: &Entry) -> bool {
            self.directories.push(path.to_string());
            true
        }

        fn file(&mut self, path: RelPath, _entry: &Entry) {
            self.files.push(path.escaped());
        }

        fn refused(&mut self, path: RelPath, _entry: Option<&Entry>, refusal: Refusal) {
            self.refused.insert(path, refusal);
        }
    }

    fn look(root: &Root, start: &str) -> Seen {
        let mut seen = Seen::default();
        walk(root, &path(start), &mut seen, &Cancel::new()).unwrap();
        seen.files.sort();
        seen.directories.sort();
        seen
    }

    #[test]
    fn finds_everything_and_follows_nothing() {
        let (dir, root) = directory();
        write(dir.path(), "a/x", "");
        write(dir.path(), "a/b/y", "");
        std::fs::create_dir(dir.path().join("a/empty")).unwrap();
        symlink("a", dir.path().join("link")).unwrap();
        symlink("b", dir.path().join("a/to-b")).unwrap();
        let seen = look(&root, "a");
        assert_eq!(seen.directories, ["a", "a/b", "a/empty"]);
        assert_eq!(seen.files, ["a/b/y", "a/x"]);
        assert_eq!(seen.refused, BTreeMap::from([(path("a/to-b"), Refusal::Symlink)]));
        assert_eq!(look(&root, "link").refused, BTreeMap::from([(path("link"), Refusal::Symlink)]));
        assert_eq!(look(&root, "link/x").refused, BTreeMap::from([(path("link/x"), Refusal::Symlink)]));
        assert_eq!(look(&root, "a/x").files, ["a/x"]);
        let nothing = look(&root, "none");
        assert!(nothing.files.is_empty() && nothing.refused.is_empty());
    }

    /// Asks to stop at the first file.
    struct Stopping<'a>(&'a Cancel, usize);

    impl Visitor for Stopping<'_> {
        fn directory(&mut self, _path: &RelPath, _entry: &Entry) -> bool {
            true
        }

        fn file(&mut self, _path: RelPath, _entry: &Entry) {
            self.0.cancel();
            self.1 += 1;
        }

        fn refused(&mut self, _path: RelPath, _entry: Option<&Entry>, _refusal: Refusal) {}
    }

    #[test]
    fn stops_in_the_middle_of_one_large_directory() {
        let (dir, root) = directory();
        for n in 0..3 * LOOK_EVERY {
            write(dir.path(), &n.to_string(), "");
        }
        let cancel = Cancel::new();
        let mut stopping = Stopping(&cancel, 0);
        assert_eq!(walk(&root, &RelPath::root(), &mut stopping, &cancel), Err(Stopped));
        assert!(stopping.1 <= LOOK_EVERY, "{} entries were visited", stopping.1);
    }
}
