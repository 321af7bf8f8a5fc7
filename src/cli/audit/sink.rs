//! Where an audit's report goes: to standard output, or into a file that is there as a whole or not at
//! all.

use std::fs::Permissions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use argo_attest_core::secret::shown_path;
use argo_attest_core::text::causes;
use tempfile::{Builder, NamedTempFile};

use super::super::{Exit, Failure, printed};

/// Where it goes.
pub(super) enum Sink {
    Stdout,
    File(BufWriter<NamedTempFile>, PathBuf),
}

impl Sink {
    /// A file, if one is named.
    pub(super) fn new(file: Option<&Path>) -> Result<Self, Failure> {
        let Some(file) = file else { return Ok(Self::Stdout) };
        let made = temporary(file).map_err(|e| unwritten(file, &e))?;
        Ok(Self::File(BufWriter::new(made), file.to_owned()))
    }

    /// Writes text as it is.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Stdout => {
                let mut out = io::stdout().lock();
                printed(out.write_all(bytes).and_then(|()| out.flush()))
            }
            Self::File(to, file) => to.write_all(bytes).map_err(|e| unwritten(file, &e)),
        }
    }

    /// Puts the file in its place.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let Self::File(to, file) = self else { return Ok(()) };
        let made = to.into_inner().map_err(|e| unwritten(&file, e.error()))?;
        made.as_file().sync_all().map_err(|e| unwritten(&file, &e))?;
        made.persist(&file).map_err(|e| unwritten(&file, &e.error))?;
        Ok(())
    }
}

/// What is written as a report is, and told of as such.
impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout => io::stdout().lock().write(bytes),
            Self::File(to, _) => to.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout => io::stdout().lock().flush(),
            Self::File(to, _) => to.flush(),
        }
    }
}

/// Puts a file there as a whole or not at all.
pub(super) fn put(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut sink = Sink::new(Some(file))?;
    sink.bytes(bytes)?;
    sink.finish()
}

fn temporary(file: &Path) -> io::Result<NamedTempFile> {
    let folder =
        file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    Builder::new().permissions(Permissions::from_mode(0o644)).tempfile_in(folder)
}

fn unwritten(file: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Io, format!("cannot write {}: {}", shown_path(file), causes(error)))
        .remedy("name a file in a folder that is there, and may be written to")
}
