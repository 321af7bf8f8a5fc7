//! The evidence that a store holds what was written.

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::intoto::ResourceDescriptor;
use argo_attest_core::slsa::{STORED_OBJECT, annotate_place};
use argo_attest_core::store_address::StoreAddress;
use serde_json::{Map, Value};

use crate::store::{ObjectInfo, Store};

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

/// An object that holds what was written, as it was when it was checked.
///
/// Only the checks of [`crate::stored_match`] make one; nothing outside can:
///
/// ```
/// use argo_attest::stored_match::StoredObject;
/// fn pass_on(object: StoredObject) -> StoredObject {
///     let _ = StoredObject::uri;
///     object
/// }
/// ```
/// ```compile_fail,E0451
/// use argo_attest::stored_match::StoredObject;
/// fn forge(object: StoredObject) -> StoredObject {
///     let _ = StoredObject::uri;
///     StoredObject { ..object }
/// }
/// ```
/// ```compile_fail,E0624
/// use argo_attest::stored_match::StoredObject;
/// fn pass_on(object: StoredObject) -> StoredObject {
///     let _ = StoredObject::new;
///     object
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    uri: String,
    digest: Sha256Digest,
    size: u64,
    etag: String,
    version_id: Option<String>,
    check: Check,
    store: Option<StoreAddress>,
}

impl StoredObject {
    /// For the checks of this module, when they have compared.
    pub(super) fn new(
        store: &dyn Store,
        uri: String,
        digest: Sha256Digest,
        info: &ObjectInfo,
        check: Check,
    ) -> Self {
        Self {
            store: store.address(),
            uri,
            digest,
            size: info.size,
            etag: info.revision.as_str().to_owned(),
            version_id: info.version_id.clone(),
            check,
        }
    }

    /// Its address.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The SHA-256 of its bytes; with [`Check::Crc64NvmeChecksum`], of what was written.
    pub fn digest(&self) -> Sha256Digest {
        self.digest
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The store's own text for its state; S3's `ETag`, with its quotes.
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// Its version, where the store keeps versions.
    pub fn version_id(&self) -> Option<&str> {
        self.version_id.as_deref()
    }

    /// How it was compared.
    pub fn check(&self) -> Check {
        self.check
    }

    /// Whose store it is, where the store has an address.
    pub fn store(&self) -> Option<&StoreAddress> {
        self.store.as_ref()
    }

    /// The evidence as SLSA's `runDetails.byproducts` has it. The size is text,
    /// since readers of JSON differ on integers above 2^53. `directory` is the address
    /// of the artifact, where that is a directory stored as one object a file.
    pub fn byproduct(&self, directory: Option<&str>) -> ResourceDescriptor {
        let mut annotations = Map::new();
        let mut annotate = |name: &str, text: &str| annotations.insert(name.to_owned(), Value::from(text));
        annotate("check", self.check.as_str());
        annotate("size", &self.size.to_string());
        annotate("etag", &self.etag);
        if let Some(version) = &self.version_id {
            annotate("versionId", version);
        }
        let named = ResourceDescriptor::named(STORED_OBJECT, self.digest);
        let mut byproduct = ResourceDescriptor { uri: self.uri.clone(), annotations, ..named };
        annotate_place(&mut byproduct, self.store.as_ref(), directory);
        byproduct
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
            store: Some("https://s3.example.com".parse().unwrap()),
        };
        insta::assert_snapshot!(serde_json::to_string_pretty(&object.byproduct(None)).unwrap(), @r#"
        {
          "name": "stored-object",
          "uri": "s3://bucket/out.tgz",
          "digest": {
            "sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
          },
          "annotations": {
            "check": "entries",
            "endpoint": "https://s3.example.com",
            "etag": "\"abc-2\"",
            "size": "18446744073709551615",
            "versionId": "v1"
          }
        }
        "#);
        (object.version_id, object.store) = (None, None);
        let bare = object.byproduct(Some("s3://bucket/dir"));
        assert_eq!((bare.annotations.get("versionId"), bare.annotations.get("endpoint")), (None, None));
        assert_eq!(bare.annotations["directory"], "s3://bucket/dir");
    }
}
