//! The evidence that a store holds what was written.

use serde_json::{Map, Value};

use crate::digest::Sha256Digest;
use crate::intoto::ResourceDescriptor;
use crate::store::ObjectInfo;

/// The name of the by-product that holds the evidence. Policies look for it.
pub const BYPRODUCT: &str = "stored-object";

/// How an object was compared with what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Check {
    /// The SHA-256 that the store computed over the full object.
    Sha256Checksum,
    /// The CRC-64/NVME that the store computed over the full object, and the size.
    Crc64NvmeChecksum,
    /// The SHA-256 of the object, read back.
    ReadBack,
    /// The SHA-256 of every entry of the archive, read back.
    Entries,
}

impl Check {
    /// Its name in a provenance.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256Checksum => "checksum-sha256",
            Self::Crc64NvmeChecksum => "checksum-crc64nvme",
            Self::ReadBack => "read-back",
            Self::Entries => "entries",
        }
    }
}

/// An object that holds what was written, as it was when it was checked. Only
/// the checks of this module make one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredObject {
    /// Its address.
    pub uri: String,
    /// The SHA-256 of its bytes; with [`Check::Crc64NvmeChecksum`], of what was
    /// written.
    pub digest: Sha256Digest,
    /// Its size in bytes.
    pub size: u64,
    /// The store's own text for its state; S3's `ETag`, with its quotes.
    pub etag: String,
    /// Its version, where the store keeps versions.
    pub version_id: Option<String>,
    /// How it was compared.
    pub check: Check,
}

impl StoredObject {
    pub(super) fn new(uri: String, digest: Sha256Digest, info: &ObjectInfo, check: Check) -> Self {
        Self {
            uri,
            digest,
            size: info.size,
            etag: info.revision.as_str().to_owned(),
            version_id: info.version_id.clone(),
            check,
        }
    }

    /// The evidence as SLSA's `runDetails.byproducts` has it. The size is text,
    /// since readers of JSON differ on integers above 2^53.
    pub fn byproduct(&self) -> ResourceDescriptor {
        let mut annotations = Map::new();
        let mut annotate = |name: &str, text: &str| annotations.insert(name.to_owned(), Value::from(text));
        annotate("check", self.check.as_str());
        annotate("size", &self.size.to_string());
        annotate("etag", &self.etag);
        if let Some(version) = &self.version_id {
            annotate("versionId", version);
        }
        let named = ResourceDescriptor::named(BYPRODUCT, self.digest);
        ResourceDescriptor { uri: self.uri.clone(), annotations, ..named }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_byproduct() {
        let mut object = StoredObject {
            uri: "s3://bucket/out.tgz".to_owned(),
            digest: Sha256Digest::of(b"x"),
            size: u64::MAX,
            etag: "\"abc-2\"".to_owned(),
            version_id: Some("v1".to_owned()),
            check: Check::Entries,
        };
        insta::assert_snapshot!(serde_json::to_string_pretty(&object.byproduct()).unwrap(), @r#"
        {
          "name": "stored-object",
          "uri": "s3://bucket/out.tgz",
          "digest": {
            "sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
          },
          "annotations": {
            "check": "entries",
            "etag": "\"abc-2\"",
            "size": "18446744073709551615",
            "versionId": "v1"
          }
        }
        "#);
        object.version_id = None;
        assert_eq!(object.byproduct().annotations.get("versionId"), None);
    }
}
