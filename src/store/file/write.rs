//! Atomic writes: a temporary file, fsync, rename, fsync of the directory.

use std::fs::File;
use std::io::{self, Write as _};

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, linkat, openat, renameat, renameat_with, unlinkat};
use rustix::io::Errno;

use super::beneath::Directory;
use super::lock::Lock;
use super::{Place, digest, info, open_object, read_whole};
use crate::store::{NewObject, ObjectInfo, PutOutcome, Revision, StoreError};

/// A temporary file's name, but for what is random in it.
const BEGINNING: &str = ".argo-attest-";
const END: &str = ".tmp";

/// Whether a file of that name is a write that has not ended, or never will.
pub(super) fn is_temporary(name: &[u8]) -> bool {
    name.strip_prefix(BEGINNING.as_bytes())
        .and_then(|rest| rest.strip_suffix(END.as_bytes()))
        .is_some_and(|random| random.len() == 32 && random.iter().all(u8::is_ascii_hexdigit))
}

pub(super) fn create(root: &Directory, place: &Place, content: &NewObject) -> Result<PutOutcome, StoreError> {
    let dir = root.descend_or_create(&place.parent).map_err(place.io("make the object's directory"))?;
    let temporary = Temporary::write(&dir, content).map_err(place.io("write a temporary file"))?;
    match temporary.publish_new(&place.name) {
        Ok(()) => finish(&dir, place, content),
        Err(Errno::EXIST) => compare(&dir, place, content),
        Err(error) => Err(place.io("name the new file")(error.into())),
    }
}

pub(super) fn replace(
    root: &Directory,
    place: &Place,
    content: &NewObject,
    revision: &Revision,
) -> Result<PutOutcome, StoreError> {
    let dir = root.descend(&place.parent).map_err(place.io("open the object's directory"))?;
    let lock = Lock::take(dir).map_err(place.io("lock the object's directory"))?;
    let dir = lock.dir();
    let (mut file, _) = open_object(dir, place)?;
    if digest(&mut file, place)?.revision != *revision {
        return compare(dir, place, content);
    }
    if Revision::new(&content.digest().to_string()) == *revision {
        return Ok(PutOutcome::AlreadyThere(describe(content)));
    }
    let temporary = Temporary::write(dir, content).map_err(place.io("write a temporary file"))?;
    temporary.publish_over(&place.name).map_err(|e| place.io("rename the new file")(e.into()))?;
    finish(dir, place, content)
}

fn describe(content: &NewObject) -> ObjectInfo {
    info(content.size(), content.digest())
}

fn finish(dir: &Directory, place: &Place, content: &NewObject) -> Result<PutOutcome, StoreError> {
    dir.sync().map_err(|e| place.io("sync the directory")(e.into()))?;
    Ok(PutOutcome::Written(describe(content)))
}

/// What is there already: the same, or a conflict.
fn compare(dir: &Directory, place: &Place, content: &NewObject) -> Result<PutOutcome, StoreError> {
    let conflict = || StoreError::Conflict { uri: place.uri.clone() };
    match read_whole(dir, place, content.size()) {
        Ok(there) if content.is_in(&there) => Ok(PutOutcome::AlreadyThere(there.info)),
        Ok(_) | Err(StoreError::TooLarge { .. } | StoreError::NotAFile { .. }) => Err(conflict()),
        Err(other) => Err(other),
    }
}

/// A file with a name nobody looks for, gone again unless published.
struct Temporary<'d> {
    dir: &'d Directory,
    name: String,
    published: bool,
}

impl<'d> Temporary<'d> {
    fn write(dir: &'d Directory, content: &NewObject) -> io::Result<Self> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let name = format!("{BEGINNING}{:032x}{END}", u128::from_ne_bytes(random));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // 0644 less the umask: an attestation is for everybody who may read the artifact.
        let fd = openat(dir.fd(), &name, flags, Mode::from_raw_mode(0o644))?;
        let temporary = Self { dir, name, published: false };
        let mut file = File::from(fd);
        for part in content.parts() {
            file.write_all(&part)?;
        }
        file.sync_all()?;
        Ok(temporary)
    }

    /// Gives it its name unless something has it already (`Errno::EXIST`).
    fn publish_new(mut self, name: &[u8]) -> Result<(), Errno> {
        let fd = self.dir.fd();
        match renameat_with(fd, &self.name, fd, name, RenameFlags::NOREPLACE) {
            // Not every file system has RENAME_NOREPLACE (NFS, some FUSE); a hard
            // link refuses to overwrite on all of them. The drop removes our name.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                linkat(fd, &self.name, fd, name, AtFlags::empty())
            }
            Ok(()) => {
                self.published = true;
                Ok(())
            }
            other => other,
        }
    }

    /// Gives it its name in place of what has it.
    fn publish_over(mut self, name: &[u8]) -> Result<(), Errno> {
        renameat(self.dir.fd(), &self.name, self.dir.fd(), name)?;
        self.published = true;
        Ok(())
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if !self.published {
            // The error that brought us here is the one to report.
            let _ = unlinkat(self.dir.fd(), &self.name, AtFlags::empty());
        }
    }
}
