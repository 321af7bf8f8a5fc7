//! The gate's evidence as a file, on a volume that only gate and sidecar mount.

use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use argo_attest_core::input_evidence::{EVIDENCE_LIMIT, Evidence, InvalidEvidence};
use argo_attest_core::secret::shown_path;
use argo_attest_core::trouble::{Fault, Trouble};

use crate::regular_file::{Links, read_first};

/// The file's name in its directory.
pub const EVIDENCE_FILE: &str = "inputs.json";

/// Why there is no evidence to be had, or to be left.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// It cannot be read.
    #[error("cannot read the gate's evidence, {}", shown_path(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It cannot be written.
    #[error("cannot write the evidence, {}", shown_path(path))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What is there is no evidence.
    #[error(transparent)]
    Invalid(#[from] InvalidEvidence),
}

impl Trouble for EvidenceError {
    fn fault(&self) -> Fault {
        Fault::Io
    }

    fn remedy(&self) -> Option<String> {
        Some("mount an emptyDir there that this container's user may write to".to_owned())
    }
}

/// The evidence in `directory`; `None` if the gate left none.
pub fn load(directory: &Path) -> Result<Option<Evidence>, EvidenceError> {
    let path = directory.join(EVIDENCE_FILE);
    match read_first(&path, Links::Refused, EVIDENCE_LIMIT + 1).map_err(io::Error::from) {
        Ok(bytes) => Ok(Some(Evidence::from_json(&bytes)?)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(EvidenceError::Read { path, source }),
    }
}

/// Takes away what lies there.
pub fn clear(directory: &Path) -> Result<(), EvidenceError> {
    let path = directory.join(EVIDENCE_FILE);
    match std::fs::remove_file(&path) {
        Err(source) if !matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Err(EvidenceError::Write { path, source })
        }
        _ => Ok(()),
    }
}

/// Leaves the evidence in `directory`, as a whole and readable for all: the sidecar
/// may run as another user.
pub fn leave(evidence: &Evidence, directory: &Path) -> Result<PathBuf, EvidenceError> {
    let path = directory.join(EVIDENCE_FILE);
    let written = (|| {
        let bytes = evidence.to_json()?;
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(&bytes)?;
        file.as_file().set_permissions(Permissions::from_mode(0o444))?;
        file.persist(&path).map_err(|e| e.error)?;
        Ok(())
    })();
    written.map(|()| path.clone()).map_err(|source| EvidenceError::Write { path, source })
}

#[cfg(test)]
mod tests {
    use argo_attest_core::input_evidence::{Finding, Record};
    use argo_attest_core::intoto::DigestSet;

    use super::*;

    #[test]
    fn is_left_as_a_whole_and_for_all_to_read() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(load(dir.path()).unwrap(), None);
        for name in ["first", "second"] {
            let record = Record {
                name: name.into(),
                finding: Finding::Absent,
                digest: DigestSet::default(),
                attestation: None,
            };
            let evidence = Evidence::new(vec![record]).unwrap();
            let path = leave(&evidence, dir.path()).unwrap();
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o444);
            assert_eq!(load(dir.path()).unwrap(), Some(evidence));
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        let error = leave(&Evidence::default(), &dir.path().join("none")).unwrap_err();
        assert!(matches!(error, EvidenceError::Write { .. }));
    }
}
