//! What lies beneath the store's directory.
//!
//! Links are not followed and are no objects, as nothing is that `get` would refuse; what a
//! writer that was killed left behind is none either. A name that is no UTF-8 could not be
//! asked for, and ends the listing: to leave it out would be to say that there is no such file.

use std::io;
use std::os::fd::AsFd as _;
use std::sync::Arc;

use argo_attest_core::relpath::RelPath;
use async_trait::async_trait;
use jiff::Timestamp;
use rustix::fs::{AtFlags, Dir, FileType, Stat, statat};
use rustix::io::Errno;

use super::beneath::Directory;
use super::write::is_temporary;
use super::{FileStore, Inner, file_uri};
use crate::store::listing::PageSource;
use crate::store::{Listed, ObjectKey, StoreError};

/// The files whose keys begin with a text, all in one page: a directory has no order of its own.
pub(super) struct Files {
    store: Option<FileStore>,
    prefix: String,
}

impl Files {
    pub(super) fn new(store: FileStore, prefix: &str) -> Self {
        Self { store: Some(store), prefix: prefix.to_owned() }
    }
}

#[async_trait]
impl PageSource for Files {
    async fn next_page(&mut self) -> Result<Option<Vec<Listed>>, StoreError> {
        let Some(store) = self.store.take() else { return Ok(None) };
        let (inner, prefix) = (Arc::clone(&store.inner), self.prefix.clone());
        let walked = tokio::task::spawn_blocking(move || Walk { inner: &inner, prefix: &prefix }.all()).await;
        walked.unwrap_or_else(|error| Err(store.inner.unlisted(io::Error::other(error)))).map(Some)
    }
}

struct Walk<'w> {
    inner: &'w Inner,
    prefix: &'w str,
}

impl Inner {
    fn unlisted(&self, source: io::Error) -> StoreError {
        StoreError::Io { uri: file_uri(&self.path), operation: "list the directory", source }
    }
}

impl Walk<'_> {
    fn all(&self) -> Result<Vec<Listed>, StoreError> {
        let above = self.prefix.rsplit_once('/').map_or("", |(above, _)| above);
        // A prefix that no file's path begins with, as `../` is, has nothing under it.
        let Ok(start) = RelPath::from_bytes(above.as_bytes()) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        // Paths, not open directories: a wide tree has more of these than a process may have open.
        let mut waiting = vec![start];
        while let Some(at) = waiting.pop() {
            match self.inner.root.descend(&at) {
                Ok(directory) => self.read(&at, &directory, &mut waiting, &mut found)?,
                Err(error) if nothing_there(&error) => {}
                Err(error) => return Err(self.inner.unlisted(error)),
            }
        }
        found.sort_unstable_by(|a: &Listed, b| a.key.cmp(&b.key));
        Ok(found)
    }

    fn read(
        &self,
        at: &RelPath,
        directory: &Directory,
        waiting: &mut Vec<RelPath>,
        found: &mut Vec<Listed>,
    ) -> Result<(), StoreError> {
        let failed = |error: Errno| self.inner.unlisted(error.into());
        for entry in Dir::read_from(directory.fd()).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") || is_temporary(name) {
                continue;
            }
            let stat = match statat(directory.fd().as_fd(), entry.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(failed(error)),
            };
            let path = at.join(name).map_err(|e| self.inner.unlisted(io::Error::other(e)))?;
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory if self.may_hold(&path) => waiting.push(path),
                FileType::RegularFile => found.extend(self.object(&path, &stat)?),
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether the prefix leads into this directory, or past it.
    fn may_hold(&self, path: &RelPath) -> bool {
        let (path, prefix) = (path.as_bytes(), self.prefix.as_bytes());
        path.starts_with(prefix) || prefix.strip_prefix(path).is_some_and(|rest| rest.starts_with(b"/"))
    }

    fn object(&self, path: &RelPath, stat: &Stat) -> Result<Option<Listed>, StoreError> {
        if !path.as_bytes().starts_with(self.prefix.as_bytes()) {
            return Ok(None);
        }
        let text = std::str::from_utf8(path.as_bytes()).map_err(|_| {
            let named = io::Error::other(format!("the name {} is not UTF-8", path.escaped()));
            self.inner.unlisted(named)
        })?;
        let key = ObjectKey::new(text).map_err(|e| self.inner.unlisted(io::Error::other(e)))?;
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        let modified = Timestamp::from_second(stat.st_mtime).ok();
        Ok(Some(Listed { key, size, md5: None, modified }))
    }
}

/// Taken away, or replaced by what is no directory, since it was seen.
fn nothing_there(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        || error.raw_os_error() == Some(Errno::LOOP.raw_os_error())
}
