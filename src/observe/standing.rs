//! Whether anything was touched that is at a path: two looks, before and after.
//!
//! Not whether the bytes are the same: a file that was written anew with the same bytes was
//! written.

use std::time::{Duration, SystemTime};

use argo_attest_core::relpath::RelPath;
use sha2::{Digest as _, Sha256};

use super::identity::{Entry, Fingerprint};
use super::walk::{Visitor, walk};
use super::{Artifact, Cancel, Refusal, Root};

/// Change times are as coarse as the kernel's clock, 10 ms at most: what was changed within
/// this time may change once more without a trace.
const COARSE: Duration = Duration::from_millis(20);

/// All that is at a path, and in which state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing([u8; 32]);

impl Standing {
    /// Looks at an artifact; `None` if it is not there, or cannot be looked at as a whole.
    /// Blocks; returns when whatever is changed from now on will be seen to be.
    pub fn of(artifact: &Artifact, cancel: &Cancel) -> Option<Self> {
        let root = Root::open(&artifact.root).ok()?;
        let mut look = Look::default();
        walk(&root, &artifact.path, &mut look, cancel).ok()?;
        let Look { mut all, youngest, whole } = look;
        let age = youngest?;
        if !whole {
            return None;
        }
        std::thread::sleep(COARSE.saturating_sub(age));
        // In whichever order a directory lists them.
        all.sort_unstable();
        let mut hasher = Sha256::new();
        for Fingerprint(bytes) in &all {
            hasher.update(bytes);
        }
        Some(Self(hasher.finalize().into()))
    }
}

struct Look {
    all: Vec<Fingerprint>,
    /// The age of what was changed last; `None` if there is nothing.
    youngest: Option<Duration>,
    whole: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self { all: Vec::new(), youngest: None, whole: true }
    }
}

impl Look {
    fn note(&mut self, path: &RelPath, entry: &Entry) {
        // One from the future is as good as new.
        let age = entry.identity.age(SystemTime::now()).unwrap_or_default();
        self.youngest = Some(self.youngest.map_or(age, |youngest| youngest.min(age)));
        self.all.push(entry.identity.fingerprint_with(path.as_bytes()));
    }
}

impl Visitor for Look {
    fn directory(&mut self, path: &RelPath, entry: &Entry) -> bool {
        self.note(path, entry);
        true
    }

    fn file(&mut self, path: RelPath, entry: &Entry) {
        self.note(&path, entry);
    }

    fn refused(&mut self, path: RelPath, entry: Option<&Entry>, _refusal: Refusal) {
        match entry {
            Some(entry) => self.note(&path, entry),
            None => self.whole = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::fixture::{directory, path, write};
    use super::*;

    #[test]
    fn whatever_is_touched_is_seen_to_be() {
        let (dir, _) = directory();
        let artifact =
            |name: &str| Artifact { name: name.to_owned(), root: dir.path().to_owned(), path: path(name) };
        let look = |name: &str| Standing::of(&artifact(name), &Cancel::new());
        write(dir.path(), "out/a", "1");
        write(dir.path(), "out/b/c", "2");
        write(dir.path(), "file", "3");
        let touches: [(&str, &dyn Fn()); 6] = [
            ("out", &|| write(dir.path(), "out/a", "1")),
            ("out", &|| write(dir.path(), "out/b/d", "")),
            ("out", &|| fs::remove_file(dir.path().join("out/b/d")).unwrap()),
            ("out", &|| fs::rename(dir.path().join("out/a"), dir.path().join("out/e")).unwrap()),
            ("file", &|| write(dir.path(), "file", "4")),
            ("file", &|| drop(fs::File::options().write(true).truncate(true).open(dir.path().join("file")))),
        ];
        for (n, (name, touch)) in touches.iter().enumerate() {
            let before = look(name);
            assert!(before.is_some() && before == look(name), "{n}: nothing was touched");
            touch();
            assert_ne!(look(name), before, "{n}");
        }
        write(dir.path(), "other", "");
        assert_eq!(look("none"), None);
    }
}
