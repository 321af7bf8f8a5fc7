//! What was digested, against what a store says of its object.

use argo_attest_core::archive::ExpectedFile;
use argo_attest_core::digest::Sha256Digest;

use super::Check;
use crate::observe::ObservedFile;
use crate::store::ObjectInfo;

/// A file as it was digested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The SHA-256 of its bytes.
    pub digest: Sha256Digest,
    /// The CRC-64/NVME of its bytes, if it was computed beside the digest.
    pub crc64nvme: Option<u64>,
    /// How many bytes there are.
    pub size: u64,
}

impl From<&ObservedFile> for Written {
    fn from(file: &ObservedFile) -> Self {
        Self { digest: file.digest, crc64nvme: file.crc64nvme, size: file.size }
    }
}

/// A file that was digested within an archive, where only SHA-256 is computed.
impl From<&ExpectedFile> for Written {
    fn from(file: &ExpectedFile) -> Self {
        Self { digest: file.digest, crc64nvme: None, size: file.size }
    }
}

impl Written {
    /// What can be told without the object's bytes: that it is what was written
    /// and by which checksum, or nothing. The error says how it differs.
    pub(super) fn judge(&self, info: &ObjectInfo) -> Result<Option<Check>, String> {
        if info.size != self.size {
            return Err(format!("it has {} bytes, and {} were written", info.size, self.size));
        }
        if let Some(found) = info.checksums.sha256 {
            return self.judge_digest(&found).map(|()| Some(Check::Sha256Checksum));
        }
        match (info.checksums.crc64nvme, self.crc64nvme) {
            (Some(found), Some(written)) if found == written => Ok(Some(Check::Crc64NvmeChecksum)),
            (Some(found), Some(written)) => Err(format!(
                "its CRC-64/NVME is {found:016x}, and that of what was written is {written:016x}"
            )),
            _ => Ok(None),
        }
    }

    /// How the digest of the object's bytes differs.
    pub(super) fn judge_digest(&self, found: &Sha256Digest) -> Result<(), String> {
        if *found == self.digest {
            return Ok(());
        }
        Err(format!("its SHA-256 is {found}, and that of what was written is {}", self.digest))
    }
}
