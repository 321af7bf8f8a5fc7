//! A file that a command was told to write: it is put there as a whole or not at all, since half of
//! one would stay for a later step to find.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use argo_attest_core::secret::shown_path;
use argo_attest_core::text::causes;
use tempfile::Builder;

use super::{Exit, Failure};
use crate::regular_file::STANDARD_INPUT;

/// A file, what it is to hold, and the option that named it.
#[derive(Debug)]
pub(super) struct NewFile {
    path: PathBuf,
    what: &'static str,
    option: &'static str,
}

impl NewFile {
    /// Errors: a usage failure for `-`, since answers go to standard output.
    pub(super) fn named(path: &Path, what: &'static str, option: &'static str) -> Result<Self, Failure> {
        if path.as_os_str() == STANDARD_INPUT {
            return Err(Failure::new(
                Exit::Usage,
                format!("the {what} cannot be written to standard output, where the answers are"),
            )
            .remedy(format!("name a file: {option} FILE")));
        }
        Ok(Self { path: path.to_owned(), what, option })
    }

    /// Where it will be.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Looks whether it can be put there, before an audit is done in vain.
    #[cfg(feature = "cli")]
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.path.is_dir() {
            return Err(self.failed(&std::io::ErrorKind::IsADirectory.into()));
        }
        self.made().map(drop)
    }

    /// Puts it there.
    pub(super) fn put(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut made = self.made()?;
        made.write_all(bytes).and_then(|()| made.as_file().sync_all()).map_err(|e| self.failed(&e))?;
        made.persist(&self.path).map_err(|e| self.failed(&e.error))?;
        Ok(())
    }

    fn made(&self) -> Result<tempfile::NamedTempFile, Failure> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new("."));
        let made = Builder::new().permissions(Permissions::from_mode(0o644)).tempfile_in(folder);
        made.map_err(|e| self.failed(&e))
    }

    fn failed(&self, error: &std::io::Error) -> Failure {
        let Self { path, what, option } = self;
        Failure::new(Exit::Io, format!("cannot write the {what} to {}: {}", shown_path(path), causes(error)))
            .remedy(format!("name a file in a folder that is there, and may be written to: {option} FILE"))
    }
}
