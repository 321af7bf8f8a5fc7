//! What the tests of this module share.

use std::path::Path;

use argo_attest_core::relpath::RelPath;

use super::root::Root;

#[path = "../../tests/support/skip.rs"]
mod skip;

pub(super) use skip::{skip, skip_as_this_user};

/// A directory of its own, and its root.
pub(super) fn directory() -> (tempfile::TempDir, Root) {
    let dir = tempfile::tempdir().unwrap();
    let root = Root::open(dir.path()).unwrap();
    (dir, root)
}

pub(super) fn path(bytes: impl AsRef<[u8]>) -> RelPath {
    RelPath::from_bytes(bytes.as_ref()).unwrap()
}

/// Whether the tests run with root's privileges over files.
pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

pub(super) fn write(dir: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}
