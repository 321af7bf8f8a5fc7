//! What a directory or a tar holds, as far as finding images in it needs to know.

use crate::digest::Sha256Digest;
use crate::relpath::RelPath;
use crate::text::brief;

/// A file's content, as somebody digested it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blob {
    /// The SHA-256 of its bytes.
    pub digest: Sha256Digest,
    /// Bytes.
    pub size: u64,
    /// The SHA-256 of what its bytes unpack to, where they were unpacked.
    pub unpacked: Option<Sha256Digest>,
}

/// Files by name, each of which was digested.
pub trait Entries {
    /// The regular file at this path; of a tar, also where a symbolic link in it leads.
    fn blob(&self, path: &RelPath) -> Option<Blob>;

    /// Its bytes, if they are no more than `most`. They may have been changed since: whoever
    /// asks compares them with the digest. An error says why there are none.
    fn read(&mut self, path: &RelPath, most: usize) -> Result<Vec<u8>, String>;

    /// Every name there is, of whatever.
    fn names(&self) -> Box<dyn Iterator<Item = &RelPath> + '_>;

    /// Whether it is a tar, which `docker load` may be given.
    fn is_tar(&self) -> bool;
}

/// The bytes of a small file, as it was digested.
pub(super) fn read(entries: &mut dyn Entries, path: &RelPath, most: usize) -> Result<Vec<u8>, String> {
    let shown = brief(&path.to_string(), 200);
    let blob = entries.blob(path).ok_or_else(|| format!("{shown} is not there"))?;
    if usize::try_from(blob.size).is_ok_and(|size| size > most) || usize::try_from(blob.size).is_err() {
        return Err(format!("{shown} has more than {most} bytes"));
    }
    let bytes = entries.read(path, most).map_err(|why| format!("{shown} cannot be read: {why}"))?;
    if Sha256Digest::of(&bytes) != blob.digest {
        return Err(format!("{shown} was changed after it was digested"));
    }
    Ok(bytes)
}

/// A path that is written here, or one that somebody else chose; `None` if it could lead out.
pub(super) fn path(name: &str) -> Option<RelPath> {
    RelPath::from_bytes(name.as_bytes()).ok().filter(|path| !path.is_root())
}
