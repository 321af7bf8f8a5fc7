//! The attestation that a person names, wherever it lies.

use bytes::Bytes;

use super::MAX_ATTESTATION_BYTES;
use super::candidate::shown;
use crate::document::{Document, DocumentError};

/// An attestation that was named, and was read once for all the artifacts that it is asked about.
#[derive(Debug, Clone)]
pub struct NamedAttestation {
    document: Document,
    bytes: Bytes,
}

impl NamedAttestation {
    /// Reads it.
    pub async fn read(document: Document) -> Result<Self, DocumentError> {
        let bytes = document.read(MAX_ATTESTATION_BYTES).await?;
        Ok(Self { document, bytes })
    }

    /// Where it lies, for people.
    pub(super) fn origin(&self) -> String {
        match &self.document {
            Document::File(path) => shown(path),
            object @ Document::Object { .. } => object.to_string(),
        }
    }

    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        u64::try_from(self.bytes.len()).unwrap_or(u64::MAX)
    }

    /// As it is.
    pub(super) fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }

    /// What it was read from.
    pub(super) fn document(&self) -> &Document {
        &self.document
    }
}
